"""registrar: REGISTER and the way to those who registered."""
