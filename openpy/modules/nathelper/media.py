"""Media that is sent through an rtpproxy: what a session description says instead (`force_rtp_proxy`).

Rules:
1. A request makes an offer, a reply and an ACK answer one. Flag `s` says that it is the reply which makes the offer;
   with `l` only what the rtpproxy knows already is changed.
2. Who is behind a NAT does not know its own address: media is expected where the message came from, unless flag `r`
   says that the description can be trusted.
3. What is relayed says so in a line, and is not relayed again by the next server, unless flag `f` says so.
4. A description is changed as a whole or not at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from openpy.engine.module import ArgumentError
from openpy.engine.run import Run
from openpy.modules.nathelper import rtpproxy
from openpy.modules.nathelper.rtpproxy import Media, Session
from openpy.modules.nathelper.sdp import (
    CONNECTION_LINE,
    ON_HOLD,
    ORIGIN_LINE,
    append,
    is_changed,
    is_sdp,
    put_address,
)
from openpy.modules.nathelper.sources import source_of
from openpy.sip.message import Request

_MEDIUM = re.compile(rb"^m=[^\r\n ]+ (\d{1,5})(?=[ /])", re.MULTILINE)
_CONTROL = re.compile(rb"^a=rtcp:(\d{1,5})(?: IN (IP[46]) ([^ \r\n]+))?", re.MULTILINE)

MOST = 16
"""Media of one description: whoever sends more is not relayed."""

Ask = Callable[[str, str], Any]
"""ask(call_id, command): what to await for the reply, which is None where nobody answers."""


class Options(NamedTuple):
    """The flags of `force_rtp_proxy`; `letters` are for the rtpproxy."""

    letters: str = ""
    looks_up: bool = False
    is_forced: bool = False
    trusts: bool = False
    swaps: bool = False
    with_origin: bool = False


_LETTERS = {"a": "A", "i": "I", "e": "E", "w": "S"}


@dataclass(frozen=True, slots=True)
class OptionsKind:
    """Flags as letters, in either case."""

    description: str = "flags such as FA: a e f i l o r s w, and c"

    def convert(self, text: str, environment: Any) -> Options:
        """Convert; raises ArgumentError."""
        letters = text.strip().lower()
        if wrong := letters.strip("acefilorsw"):
            raise ArgumentError(f'"{wrong}" is no flag of force_rtp_proxy', f"there are {self.description}")
        passed = "".join(_LETTERS[letter] for letter in letters if letter in _LETTERS)
        return Options(passed, *(letter in letters for letter in "lfrso"))


class _Part(NamedTuple):
    """One medium: its number, where its port stands in the body, where its lines end, and where it is expected."""

    number: int
    port: tuple[int, int]
    end: int
    media: Media


async def relay(run: Run, options: Options, address: str, no_proxy: str, ask: Ask) -> bool:
    """Let the media of a message go by an rtpproxy; `address`, if given, is said in place of the rtpproxy's.

    False where it cannot be, is relayed already, or there is no description.
    """
    message = run.message
    mark = no_proxy.strip().encode("utf-8", "surrogateescape")
    if not is_sdp(message) or (mark and mark in message.body and not options.is_forced):
        return False
    if is_changed(message, run.edits):
        run.warn("force_rtp_proxy: the addresses are changed already; leave that to the rtpproxy")
        return False
    session, is_offer = _role(run, options)
    parts = list(_parts(message.body, "" if options.trusts else source_of(run).host))
    if not (0 < len(parts) <= MOST and session.can_be_told and (is_offer or session.to_tag)):
        return False
    write = rtpproxy.offer if is_offer else rtpproxy.answer
    places = []
    for part in parts:
        reply = await ask(session.call_id, write(session, part.media, part.number, options.letters))
        place = None if reply is None else rtpproxy.media_in(reply)
        if place is None:
            return False
        places.append(place)
    host = address or places[0].host or run.flow.local_host
    _write(run, parts, places, host, with_origin=options.with_origin)
    append(message, run.edits, no_proxy)
    return True


def _role(run: Run, options: Options) -> tuple[Session, bool]:
    """The session, and whether the message makes an offer in it."""
    session = rtpproxy.session_of(run.message)
    if isinstance(run.message, Request):
        is_offer = run.request.method != "ACK"
        is_swapped = not is_offer  # it answers an offer that was in the reply
    else:
        is_offer = is_swapped = options.swaps
    return session.swapped if is_swapped else session, is_offer and not options.looks_up


def _parts(body: bytes, source: str) -> Iterator[_Part]:
    """The media that are wanted, each with where it is expected: at the source, or as the description says."""
    found = list(_MEDIUM.finditer(body))
    if not found:
        return
    session_line = CONNECTION_LINE.search(body, 0, found[0].start())
    for number, (medium, following) in enumerate(zip(found, [*found[1:], None], strict=True), 1):
        port, end = int(medium[1]), following.start() if following is not None else len(body)
        line = CONNECTION_LINE.search(body, medium.end(), end) or session_line
        if port and line is not None:
            yield _Part(
                number, medium.span(1), end, Media(source or line[2].decode("ascii", "replace"), port)
            )


def _write(run: Run, parts: list[_Part], places: list[Media], host: str, *, with_origin: bool) -> None:
    """Put the places of the rtpproxy into the description."""
    message, edits = run.message, run.edits
    start = len(message.raw) - len(message.body)
    put_address(message, edits, CONNECTION_LINE, host)
    if with_origin:
        put_address(message, edits, ORIGIN_LINE, host)
    for part, place in zip(parts, places, strict=True):
        first, last = part.port
        edits.replace(start + first, start + last, str(place.port).encode())
        control = _CONTROL.search(message.body, last, part.end)
        if control is not None:
            edits.replace(start + control.start(1), start + control.end(1), str(place.port + 1).encode())
            if control[3] is not None and control[3].decode("ascii", "replace") not in ON_HOLD:
                family = b"IP6" if ":" in host else b"IP4"
                edits.replace(start + control.start(2), start + control.end(2), family)
                edits.replace(start + control.start(3), start + control.end(3), host.encode())
