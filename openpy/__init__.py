"""openpy: a scriptable SIP routing engine and presence server."""

__version__ = "0.1.0"
