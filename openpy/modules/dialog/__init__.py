"""Calls as long as they last (openser 1.3 module dialog)."""
