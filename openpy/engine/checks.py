"""Checks of parameters that many modules have; all raise ArgumentError for a value that cannot be meant."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from openpy.engine.module import ArgumentError
from openpy.sip.errors import RemoteError
from openpy.sip.grammar import TOKEN
from openpy.sip.uri import cached_uri

__all__ = [
    "flag",
    "identifier",
    "identifier_or_none",
    "not_negative",
    "one_line",
    "own_method",
    "positive",
    "switch",
    "token",
    "token_or_none",
    "uri",
    "within",
]

LAST_FLAG: Final = 31

_IDENTIFIER: Final = re.compile(r"[\w$-]+(\.[\w$-]+)*")

# --- numbers ------------------------------------------------------------------------------------------------------


def switch(value: int) -> int:
    """0 or 1."""
    if value not in (0, 1):
        raise ArgumentError(f"0 or 1 expected, not {value}")
    return value


def positive(value: int) -> int:
    """1 or more."""
    if value < 1:
        raise ArgumentError(f"1 or more expected, not {value}")
    return value


def not_negative(value: int) -> int:
    """0 or more."""
    if value < 0:
        raise ArgumentError(f"0 or more expected, not {value}")
    return value


def within(least: int, most: int) -> Callable[[int], int]:
    """From `least` to `most`."""

    def check(value: int) -> int:
        if not least <= value <= most:
            raise ArgumentError(f"{least} to {most} expected, not {value}")
        return value

    return check


def flag(value: int) -> int:
    """The number of a flag of messages or branches; -1: none."""
    if not -1 <= value <= LAST_FLAG:
        raise ArgumentError(f"{value} is no flag: there are 0 to {LAST_FLAG}, and -1 for none")
    return value


# --- texts --------------------------------------------------------------------------------------------------------


def one_line(text: str) -> str:
    """What can stand in a header, or name a file."""
    if "\r" in text or "\n" in text or "\0" in text:
        raise ArgumentError("one line expected")
    return text


def token(text: str) -> str:
    """The name of a header or of a parameter."""
    if not TOKEN.fullmatch(text):
        raise ArgumentError(f'the name of a header or parameter expected, not "{text}"')
    return text


def token_or_none(text: str) -> str:
    """The same, or nothing."""
    return token(text) if text else text


def identifier(text: str) -> str:
    """The name of a table or column, perhaps with that of its database."""
    if not _IDENTIFIER.fullmatch(text):
        raise ArgumentError(f'"{text}" is no name of a table or column')
    return text


def identifier_or_none(text: str) -> str:
    """The same, or nothing."""
    return identifier(text) if text else text


def uri(text: str) -> str:
    """A URI, or nothing."""
    try:
        if text:
            cached_uri(one_line(text))
    except RemoteError:
        raise ArgumentError(f'"{text}" is no URI', "write one such as sip:openpy@example.com") from None
    return text


def own_method(text: str) -> str:
    """The method of a request that the server sends by itself, to see whether somebody is there."""
    if not TOKEN.fullmatch(text) or text in ("ACK", "CANCEL", "INVITE"):
        raise ArgumentError(f'"{text}" is no method to ask with', "write OPTIONS")
    return text
