"""The 49 torture messages of RFC 4475, and what a check of each as it stands must say."""

from __future__ import annotations

from tests.rfc4475 import invalid, semantics, valid

MESSAGES: dict[str, bytes] = valid.MESSAGES | invalid.MESSAGES | semantics.MESSAGES

UNTERMINATED = "baddn"
"""This one lacks the empty line behind its head, and so is no message: it is dropped."""

REFUSED: dict[str, int] = {
    "badinv01": 400,
    "clerr": 400,
    "ncl": 400,
    "scalar02": 400,
    "badvers": 505,
    "mismatch01": 400,
    "mismatch02": 400,
    "insuf": 400,
    "unkscm": 416,
    "novelsc": 416,
    "multi01": 400,
    "mcl01": 400,
}
"""The requests that must be answered with this status; all others are accepted, if need be liberally."""

DROPPED: frozenset[str] = frozenset(("scalarlg", "bigcode"))
"""The responses that must be discarded for what they are."""
