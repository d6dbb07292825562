"""The server: core parameters, modules, message -> route, statistics, life cycle."""
