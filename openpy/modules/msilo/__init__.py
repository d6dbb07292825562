"""Messages for users who are away (openser 1.3 module msilo)."""
