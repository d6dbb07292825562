"""Everything a script can load, one folder a module: `module.py` holds its one subclass of `Module`."""
