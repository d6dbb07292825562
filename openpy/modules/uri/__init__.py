"""URIs: their parameters, and whether they belong to who was authenticated (openser 1.3 module uri)."""
