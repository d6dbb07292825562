"""MySQL and MariaDB as the database of other modules."""
