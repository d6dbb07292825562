"""Aliases of users in a table (openser 1.3 module alias_db)."""
