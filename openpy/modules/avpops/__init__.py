"""AVPs of scripts, and the preferences of users in the database (openser 1.3 module avpops)."""
