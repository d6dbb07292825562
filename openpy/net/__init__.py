"""The only sockets of the data path: UDP, TCP, and the addresses to listen on."""
