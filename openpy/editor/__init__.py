"""What an editor wants to know about a script, from the tables of the engine and the declarations of the modules."""
