"""What a proxy does in the name of the caller (openser 1.3 module uac)."""
