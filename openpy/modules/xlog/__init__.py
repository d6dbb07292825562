"""Log lines with pseudo-variables (openser 1.3 module xlog)."""
