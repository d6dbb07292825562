"""Sets of gateways, and the choice among them (openser 1.3 module dispatcher)."""
