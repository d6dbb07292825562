"""The answer of the proxy to a challenge that came to a branch (openser 1.3 module uac, RFC 3261 22.3).

Rules:
1. Credentials are found by realm: those in the AVPs of the message first, then those of the parameter.
2. A realm is answered once for a request, and again only if it says that the nonce was stale: else the password is
   wrong, and trying on would not end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from openpy.engine.module import ArgumentError
from openpy.sip.digest import Challenge, authorize, parse_challenge
from openpy.sip.errors import RemoteError
from openpy.sip.message import Response

HEADERS = {401: ("WWW-Authenticate", "Authorization"), 407: ("Proxy-Authenticate", "Proxy-Authorization")}


class Credential(NamedTuple):
    """Who we are in a realm."""

    username: str
    realm: str
    password: str

    def __repr__(self) -> str:
        return f"Credential({self.username!r}, {self.realm!r})"


def read_credential(text: str) -> Credential:
    """Read `username:realm:password`; raises ArgumentError, which does not tell the text."""
    parts = text.split(":", 2)
    if len(parts) < 3 or not parts[0] or not parts[1]:
        raise ArgumentError("this is no credential; write username:realm:password")
    return Credential(*parts)


def answer(
    response: Response,
    method: str,
    uri: str,
    credentials: Mapping[str, Credential],
    answered: set[str],
    random_text: Callable[[], str],
) -> str:
    """The header lines that answer the challenges of a 401 or 407; "" where none can be.

    `credentials` are by realm; `answered` are the realms that were answered before, and grows.
    """
    if response.status not in HEADERS:
        return ""
    asked, header = HEADERS[response.status]
    lines = ""
    for realm, challenge in _challenges(response, asked).items():
        known = credentials.get(realm)
        if known is None or (realm in answered and not challenge.stale):
            continue
        answered.add(realm)
        value = authorize(
            challenge,
            method=method,
            uri=uri,
            username=known.username,
            password=known.password,
            cnonce=random_text(),
        )
        lines += f"{header}: {value}\r\n"
    return lines


def _challenges(response: Response, asked: str) -> dict[str, Challenge]:
    """For each realm the first challenge that we can answer (RFC 8760 section 2.4)."""
    found: dict[str, Challenge] = {}
    for text in response.all(asked):
        try:
            challenge = parse_challenge(text)
        except RemoteError:
            continue
        if not challenge.qop or "auth" in challenge.qop:
            found.setdefault(challenge.realm, challenge)
    return found
