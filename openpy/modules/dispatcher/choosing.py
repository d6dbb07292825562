"""The algorithms that choose a destination for a request: each gives a number, which the set takes modulo those it has.

0: hash of Call-ID. 1: hash of From. 2: hash of To. 3: hash of the Request-URI. 4: round robin. 5: hash of the user
who authenticates himself, round robin where there is none. 6: by chance. Any other: 0.

The hash is CRC-32: the same for the same text on every server.
"""

from __future__ import annotations

from random import Random
from zlib import crc32

from openpy.engine.named import variable
from openpy.engine.run import Run
from openpy.modules.dispatcher.sets import DestinationSet
from openpy.sip.errors import RemoteError
from openpy.sip.transports import SIP_PORT
from openpy.sip.uri import cached_uri

CALL_ID, FROM, TO, REQUEST_URI, ROUND_ROBIN, CREDENTIALS, BY_CHANCE = range(7)

_user_name = variable("$aU")


def number_for(
    run: Run, algorithm: int, of: DestinationSet, random: Random, *, user_only: bool
) -> int | None:
    """The number that an algorithm gives; None where it cannot read what it goes by."""
    if algorithm == ROUND_ROBIN:
        return of.next_turn()
    if algorithm == BY_CHANCE:
        return random.getrandbits(32)
    if algorithm == CREDENTIALS:
        name = _user_name(run)
        return hash_of(name) if isinstance(name, str) else of.next_turn()
    if algorithm not in (CALL_ID, FROM, TO, REQUEST_URI):
        return 0
    try:
        return hash_of(_text(run, algorithm, user_only=user_only))
    except RemoteError:
        return None


def hash_of(text: str) -> int:
    """The same number for the same text."""
    return crc32(text.encode("utf-8", "surrogateescape"))


def _text(run: Run, algorithm: int, *, user_only: bool) -> str:
    """What is hashed; raises RemoteError."""
    message = run.message
    if algorithm == CALL_ID:
        return message.call_id
    if algorithm == REQUEST_URI:
        return uri_text(run.uri, user_only=user_only)
    address = message.from_ if algorithm == FROM else message.to
    return uri_text(address.uri_text, user_only=user_only)


def uri_text(text: str, *, user_only: bool) -> str:
    """User, host, and port unless that goes without saying; the user alone, where there is one. Raises RemoteError."""
    uri = cached_uri(text)
    if user_only and uri.subscriber:
        return uri.subscriber
    port = "" if uri.port in (None, SIP_PORT) else f":{uri.port}"
    return f"{uri.user or ''}@{uri.host.lower()}{port}"
