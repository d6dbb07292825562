"""Contacts as they stand in a message, and what is changed in them.

A change concerns the octets only that have to be others, so that two changes of one Contact do not meet.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from openpy.modules.nathelper.sources import Source
from openpy.sip.edits import Edits
from openpy.sip.errors import RemoteError
from openpy.sip.grammar import HOSTPORT, QUOTED_STRING
from openpy.sip.headers import split_list
from openpy.sip.message import Message
from openpy.sip.places import places
from openpy.sip.uri import cached_uri

_BEFORE_HOST = re.compile(r"sips?:(?:[^@]*+@)?+", re.IGNORECASE)


class Place(NamedTuple):
    """Where a value of a Contact header stands in the octets of its message: its URI, and where it ends."""

    uri: int
    uri_end: int
    end: int
    is_bracketed: bool
    text: str
    """The URI."""

    @property
    def hostport(self) -> tuple[int, int]:
        """Where host and port of its URI begin and end; raises RemoteError for one that has none."""
        before = _BEFORE_HOST.match(self.text)
        if before is None or not cached_uri(self.text).is_sip:
            raise RemoteError(400, "The URI has no host")
        found = HOSTPORT.match(self.text, before.end())
        assert found is not None  # it could be read
        return self.uri + before.end(), self.uri + found.end()


def places_of(message: Message) -> Iterator[Place]:
    """The Contacts of a message, in order; `*` is among them as what cannot be read."""
    for first, end in places(message, "Contact"):
        start = message.raw.index(b":", first) + 1
        value = message.raw[start:end].decode("latin-1")  # an octet a character
        at = 0
        for item in split_list(value):
            at = value.index(item, at)
            yield _place(item.rstrip(), start + at)
            at += len(item)


def _place(item: str, start: int) -> Place:
    quoted = QUOTED_STRING.match(item)
    opening = item.find("<", quoted.end() if quoted else 0)
    if opening < 0:
        text = item.partition(";")[0].rstrip()
        return Place(start, start + len(text), start + len(item), False, text)
    closing = item.find(">", opening)
    inside = item[opening + 1 : closing if closing > 0 else len(item)]
    text = inside.strip()
    uri = start + opening + 1 + len(inside) - len(inside.lstrip())
    return Place(uri, uri + len(text), start + len(item), True, text)


def move(message: Message, edits: Edits, source: Source) -> bool:
    """Let the first Contact lead to where the message came from; False where there is none, or it was done already."""
    place = next(places_of(message), None)
    if place is None:
        return False
    try:
        start, end = place.hostport
    except RemoteError:
        return False
    if any(first == start and last == end for first, last, _ in edits.changes):
        return False
    edits.replace(start, end, source.hostport.encode())
    return True


def add_received(message: Message, edits: Edits, source: Source, *, in_uri: bool) -> bool:
    """Say with each Contact where the message came from, as its parameter or as its URI's; False: there is none."""
    found = [place for place in places_of(message) if place.text != "*"]
    for place in found:
        if not in_uri:
            edits.replace(place.end, place.end, f';received="{source.uri}"'.encode())
            continue
        parameter = f";received={source.uri.replace(';', '%3B').replace('=', '%3D')}"
        headers = place.text.find("?")
        at = place.uri_end if headers < 0 else place.uri + headers
        if place.is_bracketed:
            edits.replace(at, at, parameter.encode())
        else:  # in brackets: else it would be a parameter of the header
            edits.replace(place.uri, place.uri, b"<")
            edits.replace(at, at, f"{parameter}>".encode())
    return bool(found)
