"""SQLite as the database of other modules."""
