"""Digest authentication: challenges, nonces, and the check of a digest (openser 1.3 module auth)."""
