"""URIs and users as tables know them (openser 1.3 module uri_db)."""
