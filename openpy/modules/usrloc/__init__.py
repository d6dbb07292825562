"""usrloc: where users can be reached."""
