"""The answer of the proxy to a challenge that came to a branch (openser 1.3 module uac, RFC 3261 22.3).

Rules:
1. Credentials are found by realm: those in the AVPs of the message first, then those of the parameter.
2. A realm is answered once for a request, and again only if it says that the nonce was stale: else the password is
   wrong, and trying on would not end. A server and a proxy of one realm are two that ask.
3. Who was answered before is answered again with each attempt (RFC 3261 22.3): what lies behind a proxy asks only those
   that the proxy has let pass.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
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


@dataclass(slots=True)
class Asked:
    """A challenge that was answered: as whom, and in how many requests."""

    challenge: Challenge
    known: Credential
    count: int = 0


Answered = dict[tuple[str, str], Asked]
"""What was answered for one request, by header and realm."""


def answer(
    response: Response,
    method: str,
    uri: str,
    credentials: Mapping[str, Credential],
    answered: Answered,
    random_text: Callable[[], str],
) -> str:
    """The header lines that answer the challenges of a 401 or 407, and those before it; "" where none can be.

    `credentials` are by realm; `answered` grows.
    """
    if response.status not in HEADERS:
        return ""
    asked, header = HEADERS[response.status]
    new: Answered = {}
    for realm, challenge in _challenges(response, asked).items():
        known = credentials.get(realm)
        if known is not None and ((header, realm) not in answered or challenge.stale):
            new[header, realm] = Asked(challenge, known)
    if not new:
        return ""
    answered |= new
    return "".join(
        f"{name}: {_authorized(each, method, uri, random_text())}\r\n" for (name, _), each in answered.items()
    )


def _authorized(asked: Asked, method: str, uri: str, cnonce: str) -> str:
    asked.count += 1
    return authorize(
        asked.challenge,
        method=method,
        uri=uri,
        username=asked.known.username,
        password=asked.known.password,
        cnonce=cnonce,
        nc=asked.count,
    )


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
