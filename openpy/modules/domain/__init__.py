"""The domains that are served (openser 1.3 module domain)."""
