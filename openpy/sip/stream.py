"""Messages out of a byte stream (RFC 3261 section 18.3).

Rules:
1. `feed` gives the same messages, pings and error for every way to cut the same stream into pieces.
2. An octet is looked at a constant number of times, however small the pieces.
3. Once framing is lost nothing more is read: `error` says why, `broken_head` is what to answer, and the
   owner closes the connection.
"""

from __future__ import annotations

import re
from typing import Final

from openpy.sip.errors import RemoteError
from openpy.sip.message import find_body

__all__ = ["Framer"]

_CONTENT_LENGTH: Final = re.compile(rb"\n(?:content-length|l)[ \t]*+:((?:[^\n]++|\n[ \t])*+)", re.IGNORECASE)
_MOST_DIGITS: Final = 10
_TOO_LARGE: Final = "Message Too Large"


class Framer:
    """Cuts one connection's stream into messages.

    `limit` is the most octets that a message may have, `head_limit` those of its head. `pings` counts the double
    CRLFs between messages (RFC 5626 section 3.5.1): the owner answers each with a CRLF.
    """

    __slots__ = (
        "_buffer",
        "_line_ends",
        "_searched",
        "_size",
        "broken_head",
        "error",
        "head_limit",
        "limit",
        "pings",
    )

    def __init__(self, limit: int, head_limit: int = 65_535) -> None:
        self.limit = limit
        self.head_limit = min(limit, head_limit)
        self.pings = 0
        self.error: RemoteError | None = None
        self.broken_head = b""
        self._buffer = bytearray()
        self._searched = 0
        self._size = 0
        self._line_ends = 0

    @property
    def waiting(self) -> bool:
        """Whether a message has begun and is not complete."""
        return bool(self._buffer) and self.error is None

    @property
    def held(self) -> int:
        """How many octets it keeps."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that `data` completes.

        If framing is lost on the way, `error` is set and what came before is returned; the next call raises
        that RemoteError.
        """
        if self.error is not None:
            raise self.error
        messages: list[bytes] = []
        buffer = self._buffer
        buffer += data
        start = 0
        while self.error is None:
            if not self._size:
                start = self._skip_line_ends(start)
                self._find_size(start)
            if not self._size or len(buffer) - start < self._size:
                break
            messages.append(bytes(buffer[start : start + self._size]))
            start += self._size
            self._size = self._searched = self._line_ends = 0
        del buffer[:start]
        return messages

    def _skip_line_ends(self, start: int) -> int:
        """The first octet of the next message; counts the keep-alives before it."""
        buffer = self._buffer
        while start < len(buffer) and not self._searched:
            if buffer[start] == 10:
                self._line_ends += 1
                if self._line_ends % 2 == 0:
                    self.pings += 1
            elif buffer[start] != 13:
                break
            start += 1
        return start

    def _find_size(self, start: int) -> None:
        """Sets `_size` if the head of the message at `start` is complete, `error` if it cannot be framed."""
        buffer = self._buffer
        head_end, body_start = find_body(buffer, start + max(0, self._searched - 2))
        if head_end < 0:
            self._searched = len(buffer) - start
            if self._searched > self.head_limit:
                self._lose(_TOO_LARGE, bytes(buffer[start : start + self.head_limit]), 513)
            return
        head = bytes(buffer[start:body_start])
        if len(head) > self.head_limit:
            self._lose(_TOO_LARGE, head[: self.head_limit], 513)
            return
        lengths = {_unfolded(found) for found in _CONTENT_LENGTH.findall(head)}
        if len(lengths) != 1:
            self._lose("Missing Content-Length" if not lengths else "Two Content-Length header fields", head)
            return
        digits = lengths.pop()
        if not digits.isdigit() or len(digits) > _MOST_DIGITS:
            self._lose("Malformed Content-Length", head)
            return
        size = len(head) + int(digits)
        if size > self.limit:
            self._lose(_TOO_LARGE, head, 513)
            return
        self._size = size

    def _lose(self, reason: str, head: bytes, status: int = 400) -> None:
        self.error = RemoteError(status, reason)
        self.broken_head = head


def _unfolded(value: bytes) -> bytes:
    return value.strip(b" \t\r\n")
