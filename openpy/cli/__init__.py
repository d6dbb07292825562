"""The commands: openpy, openpyctl, openpydbctl."""
