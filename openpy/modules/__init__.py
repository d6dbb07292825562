"""Everything a script can load; one folder a module. A folder holds one subclass of engine.module.Module in module.py."""
