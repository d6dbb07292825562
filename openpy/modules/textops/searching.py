"""Text found in a received message, and changed where it is found (openser 1.3 module textops).

Rules:
1. Everything looks at the message as it was received; what changes is recorded in its edits.
2. Expressions see the text behind the first line, which routing depends on; those for the body see the body alone.
3. Matches are looked for one after the other, each behind the one before.
4. In no body nothing is found, not even an empty text.
"""

from __future__ import annotations

from collections.abc import Iterator

from openpy.engine.module import Pattern
from openpy.engine.run import Run
from openpy.sip.message import Message


def behind_first_line(message: Message) -> int:
    """Where the text behind the first line begins in the message."""
    return message.raw.index(b"\n") + 1


def in_body(message: Message) -> int:
    """Where the body begins."""
    return len(message.raw) - len(message.body)


def replace(run: Run, pattern: Pattern, text: str, start: int) -> int:
    """Put text in place of the first match from `start` on; -1 where there is none."""
    span = _first(pattern, run.message.raw, start)
    if span is None:
        return -1
    run.edits.replace(*span, _bytes(text))
    return 1


def replace_all(run: Run, pattern: Pattern, text: str, start: int) -> int:
    """The same for all matches; -1 where there is none, or one is empty: nothing is changed then."""
    spans = list(_spans(pattern, run.message.raw, start))
    if not spans or any(first == end for first, end in spans):
        return -1
    for first, end in spans:
        run.edits.replace(first, end, _bytes(text))
    return 1


def append(run: Run, pattern: Pattern, text: str, start: int) -> int:
    """Put text behind the first match from `start` on; -1 where there is none."""
    span = _first(pattern, run.message.raw, start)
    if span is None:
        return -1
    run.edits.replace(span[1], span[1], _bytes(text))
    return 1


def _first(pattern: Pattern, data: bytes, start: int) -> tuple[int, int] | None:
    return pattern.span(data, start) if start < len(data) else None


def _spans(pattern: Pattern, data: bytes, start: int) -> Iterator[tuple[int, int]]:
    while start <= len(data) and (span := pattern.span(data, start)) is not None:
        yield span
        if span[0] == span[1]:
            return
        start = span[1]


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
