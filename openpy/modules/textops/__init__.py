"""Header and text operations (openser 1.3 module textops)."""
