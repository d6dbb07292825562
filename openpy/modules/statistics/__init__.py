"""Counters of the script (openser 1.3 module statistics)."""
