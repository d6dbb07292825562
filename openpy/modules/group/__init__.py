"""Groups of users in tables (openser 1.3 module group)."""
