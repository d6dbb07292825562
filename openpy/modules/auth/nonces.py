"""Nonces that only we can have made: when they end, and what was offered with them.

Rules:
1. A nonce is its end (8 hexadecimal digits, Unix time), 64 random bits (16), the offer (1), and a code of all that
   and the secret (32). So no two are alike, and whatever stands in one was written by somebody who has the secret.
2. Nothing is kept of a nonce when it is made: strangers ask for as many as they like.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from hashlib import blake2b, sha256
from typing import Final, NamedTuple

_CODE_AT: Final = 8 + 16 + 1
_LENGTH: Final = _CODE_AT + 32
_LAST: Final = 0xFFFFFFFF


class Nonce(NamedTuple):
    """What stands in a nonce: its `end` in Unix seconds, what makes it unlike all others, the `offer` (0 to 15)."""

    end: int
    number: str
    offer: int


class Nonces:
    """Makes nonces that are good for `lifetime` seconds. `number` gives 16 hexadecimal digits, each time others."""

    __slots__ = ("_key", "_lifetime", "_number")

    def __init__(self, secret: bytes, lifetime: int, number: Callable[[], str]) -> None:
        self._key = sha256(secret).digest()
        self._lifetime = lifetime
        self._number = number

    def make(self, now: float, offer: int, earliest: int = 0) -> str:
        """A new nonce, which does not end before `earliest`, even if the clock was set back; `now` is Unix time."""
        end = min(max(int(now) + self._lifetime, earliest), _LAST)
        text = f"{end:08x}{self._number()}{offer:x}"
        return text + self._code(text)

    def read(self, text: str) -> Nonce | None:
        """What stands in a nonce; None if it was not made with this secret."""
        if len(text) != _LENGTH or not text.isascii():
            return None
        if not hmac.compare_digest(self._code(text[:_CODE_AT]), text[_CODE_AT:]):
            return None
        return Nonce(int(text[:8], 16), text[8 : _CODE_AT - 1], int(text[_CODE_AT - 1], 16))

    def _code(self, text: str) -> str:
        return blake2b(text.encode(), key=self._key, digest_size=16).hexdigest()
