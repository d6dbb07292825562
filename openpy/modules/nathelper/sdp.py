"""Session descriptions (RFC 4566): the addresses and ports in them, and what is changed there.

Lines are found by how they begin; what else a description holds stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from openpy.sip.edits import Edits
from openpy.sip.errors import RemoteError
from openpy.sip.message import Message

ACTIVE, CONNECTION, NO_PROXY, ORIGIN = 1, 2, 4, 8
"""Flags of `fix_nated_sdp`."""

ON_HOLD = ("0.0.0.0", "::")
"""An address that says that nothing shall be sent (RFC 3264 8.4, of old): it stays."""

CONNECTION_LINE = re.compile(rb"^c=IN[ \t]+(IP[46])[ \t]+([^ \t\r\n/]+)", re.MULTILINE)
ORIGIN_LINE = re.compile(rb"^o=[^\r\n]*[ \t]IN[ \t]+(IP[46])[ \t]+([^ \t\r\n]+)", re.MULTILINE)


def is_sdp(message: Message) -> bool:
    """Whether a message has a session description, and nothing else, as its body."""
    if not message.body:
        return False
    try:
        media_type = message.content_type
    except RemoteError:
        return False
    return media_type is None or media_type.full == "application/sdp"


def addresses_of(message: Message) -> Iterator[str]:
    """The addresses that media is expected at."""
    if is_sdp(message):
        for found in CONNECTION_LINE.finditer(message.body):
            yield found[2].decode("ascii", "replace")


def fix(message: Message, edits: Edits, flags: int, address: str, no_proxy: str) -> bool:
    """Change what the flags say: addresses become `address`; False where there is no session description."""
    if not is_sdp(message):
        return False
    for flag, line in ((CONNECTION, CONNECTION_LINE), (ORIGIN, ORIGIN_LINE)):
        if flags & flag and not (flag == CONNECTION and is_changed(message, edits)):
            put_address(message, edits, line, address)
    added = "a=direction:active\r\n" if flags & ACTIVE else ""
    added += no_proxy if flags & NO_PROXY else ""
    if added:
        append(message, edits, added)
    return True


def put_address(message: Message, edits: Edits, line: re.Pattern[bytes], address: str) -> None:
    """Put an address into each line of a kind, unless that says that nothing shall be sent."""
    family = b"IP6" if ":" in address else b"IP4"
    start = len(message.raw) - len(message.body)
    for found in line.finditer(message.body):
        if found[2].decode("ascii", "replace") in ON_HOLD:
            continue
        edits.replace(start + found.start(1), start + found.end(1), family)
        edits.replace(start + found.start(2), start + found.end(2), address.encode("ascii", "replace"))


def is_changed(message: Message, edits: Edits) -> bool:
    """Whether an address that media is expected at is changed already."""
    start = len(message.raw) - len(message.body)
    places = {start + found.start(2) for found in CONNECTION_LINE.finditer(message.body)}
    return any(first in places for first, _, _ in edits.changes)


def append(message: Message, edits: Edits, lines: str) -> None:
    """Put lines behind the last one."""
    end = len(message.raw)
    begin = "" if message.body.endswith(b"\n") else "\r\n"
    edits.replace(end, end, f"{begin}{lines}".encode("utf-8", "surrogateescape"))
