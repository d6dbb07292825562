"""What the module's parameters say, checked.

The checks raise ArgumentError for what cannot be meant, and correct what 1.3 corrected silently.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from openpy.engine.module import ArgumentError
from openpy.modules.presence.budgets import Shares
from openpy.modules.presence.requests import Limits
from openpy.sip.errors import RemoteError
from openpy.sip.uri import parse_uri

ENDING_CODES = "404,405,408,410,416,480-485,489,501,604"
"""The replies to NOTIFY that end a subscription (RFC 6665 section 4.2.2, RFC 5057)."""

LARGEST_TABLE = 24

_TAG_PREFIX = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]{1,20}")
_CODES = re.compile(r"\s*([3-6]\d\d)\s*(?:-\s*([3-6]\d\d)\s*)?")


class Settings(NamedTuple):
    """How the presence agent behaves: times in seconds."""

    limits: Limits = Limits()
    expires_offset: int = 0
    server_address: str = ""
    to_tag_pref: str = "10"
    clean_period: int = 100
    ending_codes: frozenset[int] = frozenset()
    refusals: int = 0
    """NOTIFYs that may be refused in a row; 0: any number."""
    open_winfo: bool = False
    """Whether anybody may see who watches a presentity."""
    shares: Shares = Shares()


def positive_or(default: int) -> Callable[[int], int]:
    """A number above 0; anything else means the default."""
    return lambda value: value if value > 0 else default


def table_size(value: int) -> int:
    """A power of two as 1.3 sized its tables by."""
    return min(value, LARGEST_TABLE) if value > 0 else 9


def not_negative(value: int) -> int:
    """A number below 0 means 0."""
    return max(value, 0)


def period(value: int) -> int:
    """A number of seconds, at least 1."""
    if value <= 0:
        raise ArgumentError(f"a period is a number of seconds, at least 1, not {value}")
    return value


def switch(value: int) -> int:
    """0 or 1."""
    if value not in (0, 1):
        raise ArgumentError(f"0 or 1 expected, not {value}")
    return value


def owner_or_anyone(value: str) -> str:
    """Who may watch."""
    if value not in ("owner", "anyone"):
        raise ArgumentError(f'"owner" or "anyone" expected, not "{value}"')
    return value


def sip_uri(value: str) -> str:
    """A SIP URI."""
    try:
        if parse_uri(value).is_sip:
            return value
    except RemoteError:
        pass
    raise ArgumentError(f'a SIP URI such as "sip:192.0.2.1:5060" expected, not "{value}"')


def tag_prefix(value: str) -> str:
    """What a tag may begin with; "" means 10."""
    if not value:
        return "10"
    if not _TAG_PREFIX.fullmatch(value):
        raise ArgumentError(f'up to 20 characters of a token expected, not "{value}"')
    return value


def codes(value: str) -> str:
    """A list of status codes and ranges of them, such as `404,480-485`."""
    parse_codes(value)
    return value


def parse_codes(text: str) -> frozenset[int]:
    """The status codes in a list; raises ArgumentError."""
    found: set[int] = set()
    for item in filter(None, text.split(",")):
        match = _CODES.fullmatch(item)
        if match is None:
            raise ArgumentError(f'status codes such as "404,480-485" expected, not "{text}"')
        found.update(range(int(match[1]), int(match[2] or match[1]) + 1))
    return frozenset(found)
