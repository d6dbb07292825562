"""The credentials of a request: found, and read as strictly as a password deserves (RFC 2617, RFC 3261 section 22).

What is malformed raises RemoteError (400): it is nobody's password, and asking again would mend nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from openpy.modules.auth.challenges import WWW, Side
from openpy.sip.digest import Credentials, parse_credentials
from openpy.sip.errors import RemoteError
from openpy.sip.message import Request
from openpy.sip.uri import cached_uri, without_prefix

UNCHALLENGED: Final = frozenset({"ACK", "CANCEL"})
"""Methods that nobody could repeat with credentials (RFC 3261 section 22.1)."""

COUNTED: Final = ("auth", "auth-int")
"""The qop values with which requests are counted."""

_COUNT: Final = re.compile(r"[0-9A-Fa-f]{1,8}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


class Answer(NamedTuple):
    """Credentials, and which of the headers of their name they stand in, from 0."""

    credentials: Credentials
    place: int


def realm_of(request: Request, side: Side, prefix: str) -> str:
    """The realm of who names none: the domain of To for a server's REGISTER, else that of From, without a prefix.

    Raises RemoteError (400).
    """
    is_register = side is WWW and request.method == "REGISTER"
    uri = (request.to if is_register else request.from_).uri
    if not uri.is_sip:
        raise RemoteError(400, "Bad Request")
    return without_prefix(uri.host, prefix)


def checked_realm(realm: str) -> str:
    """A realm that can stand in a header; raises RemoteError (400)."""
    if _CONTROL.search(realm):
        raise RemoteError(400, "Bad Request")
    return realm


def answers_for(request: Request, side: Side, realm: str) -> Iterator[Answer]:
    """The digest credentials for a realm, which is compared without case. Raises RemoteError (400)."""
    wanted = realm.lower()
    for place, text in enumerate(request.all(side.answer)):
        if text[:7].lower().rstrip("\t ") != "digest":
            continue
        credentials = parse_credentials(text)
        if credentials.realm.lower() == wanted:
            _check(credentials)
            yield Answer(credentials, place)


def count_of(credentials: Credentials) -> int:
    """The nonce count; 0 where requests are not counted."""
    return int(credentials.nc, 16) if credentials.qop in COUNTED else 0


def split_username(username: str) -> tuple[str, str]:
    """User and domain of a username; "" where it names no domain."""
    user, _, domain = username.partition("@")
    return user, domain


def names_the_same(digest_uri: str, request_uri: str) -> bool:
    """Whether the URI of a digest is about the same user and host as the Request-URI: proxies may change the rest."""
    if digest_uri == request_uri:
        return True
    try:
        ours, theirs = cached_uri(digest_uri), cached_uri(request_uri)
    except RemoteError:
        return False
    return (
        ours.is_sip is theirs.is_sip
        and ours.host.lower() == theirs.host.lower()
        and (ours.user or "") == (theirs.user or "")
    )


def _check(credentials: Credentials) -> None:
    """Refuse what is not whole; raises RemoteError (400)."""
    _, domain = split_username(credentials.username)
    if domain and domain.lower() != credentials.realm.lower():
        raise RemoteError(400, "Bad Request")
    if credentials.qop in COUNTED and not (
        credentials.cnonce and _COUNT.fullmatch(credentials.nc) and int(credentials.nc, 16)
    ):
        raise RemoteError(400, "Bad Request")
