"""Databases by URL: the table mechanism, the group-commit writer, the reader."""
