"""Messages of chosen calls, kept and copied (openser 1.3 module siptrace)."""
