"""How internal errors are answered, and what t_relay returns for them (openser 1.3 module tm)."""

from __future__ import annotations

from openpy.engine.destinations import E_BAD_ADDRESS, E_BAD_URI, E_IP_BLOCKED, E_NO_DESTINATION, E_SEND

E_BREADTH = -440  # no further branch is allowed (RFC 5393); 1.3 has no such error

RELAY_CODES = {
    E_NO_DESTINATION: -3,
    E_BREADTH: -3,
    E_IP_BLOCKED: -5,
    E_BAD_URI: -2,
    E_BAD_ADDRESS: -4,
    E_SEND: -6,
}

ERRORS = {
    E_NO_DESTINATION: (500, "Server error occurred"),
    E_BREADTH: (440, "Max-Breadth Exceeded"),
    E_IP_BLOCKED: (473, "Filtered destination"),
    E_BAD_URI: (475, "Bad URI"),
    E_BAD_ADDRESS: (476, "Unresolvable destination"),
    E_SEND: (477, "Send failed"),
}
