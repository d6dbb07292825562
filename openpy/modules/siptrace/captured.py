"""One message that is traced, and how it is known by the transaction that it belongs to."""

from __future__ import annotations

import re
from typing import NamedTuple

CALL_ID = re.compile(rb"\n(?:call-id|i)[ \t]*:\s*([^\s]+)", re.IGNORECASE)
CSEQ = re.compile(rb"\ncseq[ \t]*:\s*([0-9]{1,10})", re.IGNORECASE)

IN, OUT = "in", "out"


class Captured(NamedTuple):
    """A message: its bytes, where it came from and went (`udp:192.0.2.1:5060`), when (Unix time), and for whom.

    `users` are the texts of the column traced_user, a row each; `table` is "" for the usual one.
    """

    data: bytes
    source: str
    target: str
    direction: str
    time: int
    users: tuple[str, ...]
    table: str


def call_id_of(data: bytes) -> bytes | None:
    """The Call-ID of a message, found without a parse of the whole."""
    found = CALL_ID.search(data, 0, _head_end(data))
    return found and found[1]


def number_of(data: bytes) -> int | None:
    """The number in its CSeq: a request, its CANCEL, its ACK and their replies have the same."""
    found = CSEQ.search(data, 0, _head_end(data))
    return int(found[1]) if found else None


def _head_end(data: bytes) -> int:
    end = data.find(b"\r\n\r\n")
    return end if end >= 0 else len(data)
