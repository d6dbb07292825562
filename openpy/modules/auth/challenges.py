"""What a challenge offers, and its headers (RFC 2617, RFC 7616, RFC 8760)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from openpy.engine.module import ArgumentError
from openpy.sip.digest import hash_name
from openpy.sip.headers import quote

ALGORITHMS: Final = ("MD5", "SHA-256", "SHA-512-256")
"""All that there are; the place of one is its bit in an offer."""

ONLY_INT: Final = 1 << len(ALGORITHMS)
"""The bit of an offer that wants the body protected."""


class Side(NamedTuple):
    """Who asks: a server for itself, or a proxy."""

    asks: str
    answer: str
    status: int
    reason: str


WWW: Final = Side("WWW-Authenticate", "Authorization", 401, "Unauthorized")
PROXY: Final = Side("Proxy-Authenticate", "Proxy-Authorization", 407, "Proxy Authentication Required")


@dataclass(frozen=True, slots=True)
class QopKind:
    """A number as in 1.3, of which only 0 is not `auth`, or the qop values that are offered."""

    description: str = "0 (none), 1 (auth), auth-int, or auth,auth-int"

    def convert(self, text: str, environment: Any) -> tuple[str, ...]:
        """Convert to the values that are offered; raises ArgumentError."""
        if text.isascii() and text.isdigit():
            return ("auth",) if text.strip("0") else ()
        values = tuple(value.strip() for value in text.lower().split(","))
        if not set(values) <= {"auth", "auth-int"} or len(set(values)) != len(values):
            raise ArgumentError(f'"{text}" is no qop: there are 0, 1, auth, auth-int and auth,auth-int')
        return values


def algorithms_in(text: str) -> tuple[str, ...]:
    """The algorithms of a parameter, `SHA-256,MD5`, in its order; raises ArgumentError."""
    names = tuple(name.strip().upper() for name in text.split(","))
    unknown = [name for name in names if name not in ALGORITHMS]
    if unknown or len(set(names)) != len(names):
        wrong = f'"{unknown[0]}" is none' if unknown else "one comes twice"
        raise ArgumentError(f'"{text}" are no algorithms, {wrong}: there are {", ".join(ALGORITHMS)}')
    return names


def offer_of(algorithms: Sequence[str], qop: Sequence[str]) -> int:
    """An offer as a number from 0 to 15, which a nonce carries."""
    bits = sum(1 << ALGORITHMS.index(name) for name in algorithms)
    return bits | (ONLY_INT if tuple(qop) == ("auth-int",) else 0)


def is_offered(offer: int, algorithm: str, qop: str) -> bool:
    """Whether credentials use what was offered, and nothing weaker.

    Who was offered `auth` may leave qop out, as clients before RFC 2617 do.
    """
    name = hash_name(algorithm)
    if not name or not offer >> ALGORITHMS.index(name) & 1:
        return False
    return qop == "auth-int" or not offer & ONLY_INT


def challenge_headers(
    side: Side, realm: str, nonce: str, algorithms: Sequence[str], qop: Sequence[str], *, stale: bool
) -> str:
    """The header lines of a challenge, one an algorithm, the one that is liked best first (RFC 8760 section 2.4).

    MD5 alone is not named, as in 1.3.
    """
    start = f"{side.asks}: Digest realm={quote(realm)}, nonce={quote(nonce)}"
    end = f', qop="{",".join(qop)}"' if qop else ""
    end += ", stale=true" if stale else ""
    if tuple(algorithms) == ("MD5",):
        return f"{start}{end}\r\n"
    return "".join(f"{start}{end}, algorithm={name}\r\n" for name in algorithms)
