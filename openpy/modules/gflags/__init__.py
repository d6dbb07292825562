"""Flags that all messages share (openser 1.3 module gflags)."""
