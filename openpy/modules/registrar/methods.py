"""Methods as bits, as rows and `ul_dump` have them (openser 1.3, core)."""

from __future__ import annotations

from openpy.modules.usrloc.api import ALL_METHODS
from openpy.sip.headers import unquote

_NAMES = (
    *("INVITE", "CANCEL", "ACK", "BYE", "INFO", "REGISTER", "SUBSCRIBE", "NOTIFY", "MESSAGE", "OPTIONS"),
    *("PRACK", "UPDATE", "REFER", "PUBLISH"),
)
BITS = {name: 1 << number for number, name in enumerate(_NAMES)}
OTHER = 1 << len(_NAMES)
"""Any other method."""


def bit_of(method: str) -> int:
    """The bit of a method."""
    return BITS.get(method, OTHER)


def mask_of(text: str) -> int:
    """The bits of a list of methods, with quotes or without; an empty one means all."""
    mask = 0
    for name in unquote(text).split(","):
        if name.strip():
            mask |= bit_of(name.strip().upper())
    return mask or ALL_METHODS
