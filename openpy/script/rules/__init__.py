"""Everything that can be said about a script, as tables: one file a subject, `registry` for all of them."""
