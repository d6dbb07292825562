"""Who sends too many requests (openser 1.3 module pike)."""
