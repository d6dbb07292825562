"""Redirections that the proxy follows itself (openser 1.3 module uac_redirect)."""
