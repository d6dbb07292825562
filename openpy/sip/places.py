"""Where the headers of a message stand in its bytes: what those who change a message, or copy its lines, ask for.

A line that is spelled as usual is found by a search for its name; folded ones, compact names and blanks before the
colon are found by reading line by line.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from openpy.sip.message import Message
from openpy.sip.names import CANONICAL, canonical_name

_FOLD_OCTETS: Final = (b" ", b"\t")
_MARKS: Final = {name: b"\n%b:" % name.encode() for name in CANONICAL.values()}


class HeaderLine(NamedTuple):
    """One header as it stands in `Message.raw`: `raw[start:end]` is the whole of it with its line end.

    `name` is as written, `canonical` its canonical spelling, `value` unfolded and stripped.
    """

    name: str
    canonical: str
    value: str
    start: int
    end: int


def header_lines(message: Message) -> list[HeaderLine]:
    """Every header line in order. Lines that are no headers are left out."""
    found: list[HeaderLine] = []
    lines = message.raw[: len(message.raw) - len(message.body)].split(b"\n")
    end = len(lines[0]) + 1
    index = 1
    while index < len(lines) - 1:
        start = end
        line = lines[index]
        end += len(line) + 1
        index += 1
        if lines[index][:1] in _FOLD_OCTETS:
            pieces = [line.removesuffix(b"\r")]
            while lines[index][:1] in _FOLD_OCTETS:
                pieces.append(lines[index].removesuffix(b"\r").lstrip(b" \t"))
                end += len(lines[index]) + 1
                index += 1
            line = b" ".join(pieces)  # it may be folded before its colon
        name, colon, value = line.partition(b":")
        if colon:
            written = name.decode("utf-8", "surrogateescape")
            content = value.decode("utf-8", "surrogateescape").strip(" \t\r")
            found.append(HeaderLine(written, canonical_name(written), content, start, end))
    return found


def places(message: Message, name: str) -> list[tuple[int, int]]:
    """Where the lines of all headers `name` begin and end in `message.raw`, in order."""
    wanted = message.count(name)
    if wanted == 0:
        return []
    found = _plain_places(message, name, wanted)
    if len(found) == wanted:
        return found
    canonical = canonical_name(name)
    return [(line.start, line.end) for line in header_lines(message) if line.canonical == canonical]


def first_place(message: Message, name: str) -> tuple[int, int] | None:
    """Where the first line of the header `name` begins and ends in `message.raw`; None where there is none."""
    raw = message.raw
    at = raw.find(b"\n")
    if raw.startswith(_mark(name), at):  # on top of all, as a Via is
        end = raw.find(b"\n", at + 1) + 1
        if raw[end : end + 1] not in _FOLD_OCTETS:
            return at + 1, end
    found = places(message, name)
    return found[0] if found else None


def _plain_places(message: Message, name: str, wanted: int) -> list[tuple[int, int]]:
    """Those that are spelled like this, up to the first that is folded."""
    raw = message.raw
    mark = _mark(name)
    body_start = len(raw) - len(message.body)
    found: list[tuple[int, int]] = []
    at = raw.find(mark, 0, body_start)
    while at >= 0:
        end = raw.find(b"\n", at + 1) + 1
        if raw[end : end + 1] in _FOLD_OCTETS:
            break
        found.append((at + 1, end))
        if len(found) == wanted:
            break
        at = raw.find(mark, end - 1, body_start)
    return found


def _mark(name: str) -> bytes:
    """What a line of the header begins with, and the end of the line before."""
    known = _MARKS.get(name)
    return b"\n" + name.encode("utf-8", "surrogateescape") + b":" if known is None else known
