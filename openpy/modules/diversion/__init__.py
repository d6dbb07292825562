"""Diversion headers (RFC 5806, openser 1.3 module diversion)."""
