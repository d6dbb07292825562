"""Answers to OPTIONS (openser 1.3 module options)."""
