"""The test kit: scripts, and the whole server, in virtual time; for users of openpy too."""
