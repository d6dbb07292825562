"""PostgreSQL as the database of other modules."""
