"""Changes to a received message, applied when it is sent on.

Rules:
1. The received message does not change: everything is recorded against offsets in `message.raw`, and what a
   script reads meanwhile is what was received.
2. Octets that nobody changed go out as they came.
3. Texts for the same place appear in the order in which they were added. Where two replacements overlap, the
   octets are removed once and both new texts appear.
"""

from __future__ import annotations

import re
from operator import itemgetter
from typing import Final

from openpy.sip.errors import LocalError
from openpy.sip.message import Message, Request
from openpy.sip.places import first_place, places

__all__ = ["Edits"]

_PLACE: Final = itemgetter(0)
_DIGITS: Final = re.compile(rb"[0-9]++")
_USUAL_LENGTH: Final = b"\nContent-Length:"
_LENGTH: Final = re.compile(rb"\n(?:Content-Length|l)[ \t]*+:", re.IGNORECASE)

Change = tuple[int, int, bytes]
"""(start, end, text): the octets from start up to end give way to text."""


class Edits:
    """The changes to one message."""

    __slots__ = ("_body", "_changes", "_message", "_uri")

    def __init__(self, message: Message) -> None:
        self._message: Final = message
        self._changes: list[Change] = []
        self._uri: str | None = None
        self._body: bytes | None = None

    def copy(self) -> Edits:
        """Independent edits of the same message that begin with these: what a branch adds is its own."""
        twin = Edits(self._message)
        twin._changes = self._changes.copy()
        twin._uri = self._uri
        twin._body = self._body
        return twin

    @property
    def changes(self) -> list[Change]:
        """What was recorded so far, in the order in which it was."""
        return self._changes.copy()

    @property
    def body(self) -> bytes | None:
        """The body that `set_body` gave."""
        return self._body

    def append_header(self, text: str) -> None:
        """Add `text` (complete lines, each ending in CRLF) behind the last header."""
        end = self._head_end()
        self._insert(end, text)

    def insert_header(self, text: str, before: str | None = None) -> None:
        """Add `text` in front of the first header `before`, or of all headers if that is None or absent."""
        place = first_place(self._message, before) if before else None
        self._insert(place[0] if place else self._start_line_end(), text)

    def append_after(self, text: str, name: str) -> None:
        """Add `text` behind the first header `name`, or behind the last header if there is none."""
        place = first_place(self._message, name)
        self._insert(place[1] if place else self._head_end(), text)

    def remove(self, name: str) -> int:
        """Remove all headers `name` that are still there; returns how many that are."""
        found = places(self._message, name)
        if found and self._changes:
            removed = {start for start, end, text in self._changes if end > start and not text}
            found = [place for place in found if place[0] not in removed]
        for start, end in found:
            self._changes.append((start, end, b""))
        return len(found)

    def replace(self, start: int, end: int, text: bytes) -> None:
        """Put `text` in place of the octets of `message.raw` from `start` up to `end`.

        Raises LocalError if there are no such octets.
        """
        if not 0 <= start <= end <= len(self._message.raw):
            raise LocalError(f"The message has no octets {start} to {end}")
        self._changes.append((start, end, text))

    def set_uri(self, text: str) -> None:
        """Send the request with the Request-URI `text`. Raises LocalError for a response or a line end."""
        if not isinstance(self._message, Request):
            raise LocalError("A response has no Request-URI")
        if "\r" in text or "\n" in text:
            raise LocalError("A Request-URI cannot hold a line end")
        self._uri = text

    def set_body(self, body: bytes) -> None:
        """Send `body` in place of the received one; replacements inside the received one no longer count."""
        self._body = body

    def apply(self, *, content_length: bool = False) -> bytes:
        """The message as it goes out.

        Content-Length is corrected if the body has another length now, and added if it is absent and either
        the body changed or `content_length` is set (a stream needs it).
        """
        start_line = self._start_line()
        adds_length = content_length and not self._message.has("Content-Length")
        if not self._changes and start_line is None and self._body is None and not adds_length:
            return self._message.raw
        head_changes, body_changes = self._sorted_changes()
        body = self._message.body if self._body is None else self._body
        if body_changes and self._body is None:
            body = _spliced(self._message.raw, self._body_start(), len(self._message.raw), body_changes)
        if len(body) != len(self._message.body):
            head_changes = self._with_length(head_changes, len(body))
        if start_line is not None:
            head_changes.insert(0, (0, self._start_line_end(), start_line))
        head = _spliced(self._message.raw, 0, self._body_start(), head_changes)
        return (_with_its_length(head, len(body)) if content_length else head) + body

    def _insert(self, place: int, text: str) -> None:
        self._changes.append((place, place, text.encode("utf-8", "surrogateescape")))

    def _start_line(self) -> bytes | None:
        """The request line to send, or None for that which was received."""
        message = self._message
        if not isinstance(message, Request) or (self._uri is None and not message.repaired):
            return None
        uri = message.uri if self._uri is None else self._uri
        return f"{message.method} {uri} SIP/2.0\r\n".encode("utf-8", "surrogateescape")

    def _sorted_changes(self) -> tuple[list[Change], list[Change]]:
        """The changes of head and body, each by place; one that spans both is cut in two."""
        body_start = self._body_start()
        changes = sorted(self._changes, key=_PLACE)
        for start, end, _ in changes:
            if start >= body_start or end > body_start:
                break
        else:
            return changes, []
        head_changes: list[Change] = []
        body_changes: list[Change] = []
        for start, end, text in changes:
            if start >= body_start:
                body_changes.append((start, end, text))
            else:
                head_changes.append((start, min(end, body_start), text))
                if end > body_start:
                    body_changes.append((body_start, end, b""))
        return head_changes, body_changes

    def _with_length(self, changes: list[Change], length: int) -> list[Change]:
        line = first_place(self._message, "Content-Length")
        if line is None:
            place = self._head_end()
            fixed = (place, place, b"Content-Length: %d\r\n" % length)
        else:
            colon = self._message.raw.index(b":", line[0])
            digits = _DIGITS.search(self._message.raw, colon, line[1])
            start, end = digits.span() if digits else (colon + 1, colon + 1)
            fixed = (start, end, b"%d" % length)
        kept = [change for change in changes if not change[0] <= fixed[0] < change[1]]
        return changes if len(kept) < len(changes) else sorted([*changes, fixed], key=_PLACE)

    def _start_line_end(self) -> int:
        return self._message.raw.index(b"\n") + 1

    def _body_start(self) -> int:
        return len(self._message.raw) - len(self._message.body)

    def _head_end(self) -> int:
        """Where the empty line begins."""
        start = self._body_start()
        return start - 2 if self._message.raw[start - 2 : start] == b"\r\n" else start - 1


def _with_its_length(head: bytes, length: int) -> bytes:
    """A head with Content-Length, also where none was received or a script has removed it."""
    if _USUAL_LENGTH in head or _LENGTH.search(head):
        return head
    end = len(head) - (2 if head.endswith(b"\r\n") else 1)
    return b"%bContent-Length: %d\r\n%b" % (head[:end], length, head[end:])


def _spliced(raw: bytes, start: int, end: int, changes: list[Change]) -> bytes:
    """`raw[start:end]` with `changes`, which are in order of place."""
    pieces: list[bytes] = []
    position = start
    for first, last, text in changes:
        if first > position:
            pieces.append(raw[position:first])
            position = first
        pieces.append(text)
        if last > position:
            position = last if last < end else end
    pieces.append(raw[position:end])
    return b"".join(pieces)
