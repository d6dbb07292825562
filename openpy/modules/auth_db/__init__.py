"""Digest authentication with the passwords of a table (openser 1.3 module auth_db)."""
