"""Management commands by a FIFO (openser 1.3 module mi_fifo)."""
