"""Chance, pauses, a stop (openser 1.3 module cfgutils)."""
