"""The project's own benchmark: what one SIP operation costs the server, in microseconds of CPU."""
