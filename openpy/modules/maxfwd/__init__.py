"""Max-Forwards (openser 1.3 module maxfwd)."""
