"""Record routing (RFC 3261 section 16, openser 1.3 module rr)."""
