"""Management commands by datagrams, over UDP or a socket in the file system (openser 1.3 module mi_datagram)."""
