"""Peers behind NATs: found out, reached, and kept reachable (openser 1.3 module nathelper)."""
