"""Path headers for REGISTER (RFC 3327, openser 1.3 module path)."""
