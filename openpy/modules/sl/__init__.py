"""Stateless replies (openser 1.3 module sl)."""
