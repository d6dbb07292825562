"""Programs that a script runs (openser 1.3 module exec)."""
