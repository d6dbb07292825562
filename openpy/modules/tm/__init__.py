"""Transactions for scripts and modules (openser 1.3 module tm)."""
