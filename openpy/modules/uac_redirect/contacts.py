"""The contacts of redirections, best first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from openpy.engine.module import ArgumentError
from openpy.sip.errors import RemoteError
from openpy.sip.headers import NameAddr, Star
from openpy.sip.message import Response

LOWEST = 10
"""Thousandths: the q of a contact that has none."""

MOST = 16
"""Contacts of one reply that are looked at."""


class Contact(NamedTuple):
    """A URI and its q in thousandths."""

    uri: str
    q: int


class Limits(NamedTuple):
    """How many contacts are taken at most, in all and of each reply; 0: all."""

    total: int
    each: int = 0


@dataclass(frozen=True, slots=True)
class LimitsKind:
    """`max[:max of each reply]`, where `*` stands for all."""

    description: str = "a number of contacts such as 3, 3:1 or *"

    def convert(self, text: str, environment: Any) -> Limits:
        """Convert; raises ArgumentError."""
        total, colon, each = text.partition(":")
        if colon and not each:
            raise ArgumentError(f'"{text}" is no number of contacts; write 3, 3:1 or *')
        return Limits(_number(total), _number(each) if colon else 0)


def _number(text: str) -> int:
    text = text.strip()
    if text == "*":
        return 0
    if not (text.isascii() and text.isdigit() and len(text) < 4):
        raise ArgumentError(f'"{text}" is no number of contacts; write 3, 3:1 or *')
    return int(text)


def contacts_of(response: Response) -> list[Contact]:
    """The contacts of a reply that can be called, the best first; none where they cannot be read."""
    try:
        found = response.contacts
        if isinstance(found, Star):
            return []
        contacts = [
            Contact(address.uri_text, _quality(address)) for address in found[:MOST] if address.uri.is_sip
        ]
    except RemoteError:
        return []
    return sorted(contacts, key=lambda contact: -contact.q)


def _quality(address: NameAddr) -> int:
    text = address.param("q")
    if text is None:
        return LOWEST
    try:
        value = round(float(text) * 1000)
    except (ValueError, OverflowError):
        return LOWEST
    return value if 0 <= value <= 1000 else LOWEST
