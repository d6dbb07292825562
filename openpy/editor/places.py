"""Offsets in a text, and places as editors count them.

Rules:
1. A script counts lines and characters from 1 and ends lines with `\\n`; the protocol counts from 0, ends lines with
   `\\n`, `\\r\\n` or `\\r`, and counts characters in UTF-16 units, or what client and server agreed on.
2. A place outside of the text is the nearest one in it.
"""

from __future__ import annotations

import re
from bisect import bisect_right

from openpy.script.lexer import SourceText
from openpy.script.syntax import Position

UTF_16 = "utf-16"

_WIDTHS = {"utf-8": 1, "utf-16": 2, "utf-32": 4}
_LINE_END = re.compile(r"\r\n|\n|\r")

Place = tuple[int, int]
"""Line and character, as the protocol counts them."""

Span = tuple[int, int]
"""Where something begins and ends, as offsets."""


class Places:
    """The places of one text."""

    def __init__(self, text: str, encoding: str = UTF_16) -> None:
        self.text = text
        self._codec = "utf-8" if encoding == "utf-8" else f"{encoding}-le"
        self._width = _WIDTHS[encoding]
        self._starts = [0, *(match.end() for match in _LINE_END.finditer(text))]
        self._source = SourceText(text, "")
        self._lines = text.count("\n") + 1

    def place(self, offset: int) -> Place:
        """The place of an offset."""
        offset = max(0, min(offset, len(self.text)))
        line = bisect_right(self._starts, offset) - 1
        return line, self._units(self.text[self._starts[line] : offset])

    def offset(self, place: Place) -> int:
        """The offset of a place."""
        line, character = place
        if line >= len(self._starts):
            return len(self.text)
        start = self._starts[line]
        end = self._starts[line + 1] if line + 1 < len(self._starts) else len(self.text)
        text = self.text[start:end].rstrip("\r\n")
        if text.isascii():
            return start + min(character, len(text))
        taken = 0
        for number, letter in enumerate(text):
            if taken >= character:
                return start + number
            taken += self._units(letter)
        return start + len(text)

    def span(self, position: Position) -> Span:
        """Where what a position in a script names begins and ends."""
        start = self._clipped(position.line, position.column)
        end = self._clipped(position.end_line, position.end_column)
        return start, max(start, end)

    def _clipped(self, line: int, column: int) -> int:
        return (
            min(self._source.offset(line, column), len(self.text)) if line <= self._lines else len(self.text)
        )

    def _units(self, text: str) -> int:
        return len(text) if text.isascii() else len(text.encode(self._codec, "surrogatepass")) // self._width
