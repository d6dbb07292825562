"""Accounting (openser 1.3 module acc)."""
