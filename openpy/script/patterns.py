"""The patterns of scripts: POSIX extended expressions, searched for in linear time (RE2).

`posix` says how a pattern is read. Matching is leftmost-longest, over bytes; text is encoded as it
was decoded (UTF-8 with surrogate escapes).
"""

from __future__ import annotations

from enum import IntFlag
from functools import lru_cache
from typing import Any

import re2  # type: ignore[import-untyped]

from openpy.script.environment import ArgumentError
from openpy.script.posix import translate
from openpy.script.rules.conditions import BAD_PATTERN


class Flags(IntFlag):
    """How a pattern is read; the values are free, the meanings those of `regcomp`."""

    NONE = 0
    IGNORE_CASE = 1
    """Letter case does not count (REG_ICASE)."""
    NEWLINE = 2
    """`^` and `$` match at line ends, `.` and `[^x]` match no newline (REG_NEWLINE)."""


SCRIPT = Flags.IGNORE_CASE
"""The flags of the operators `=~` and `!~`."""


class Pattern:
    """A compiled pattern. `remarks` are for the script's author, for example that `\\d` is no digit.

    `dead` says why no text can match it, or one of its alternatives (may be empty).
    """

    __slots__ = ("_captures", "_match", "dead", "flags", "remarks", "text")

    def __init__(self, text: str, flags: Flags) -> None:
        translation = translate(_encode(text), Flags.IGNORE_CASE in flags, Flags.NEWLINE in flags)
        self.text = text
        self.flags = flags
        self.remarks = translation.remarks
        self.dead = translation.dead
        self._captures = _matcher(translation.text, captures=True)
        self._match = _matcher(translation.text, captures=False)

    def search(self, text: str | bytes) -> bool:
        """Tell whether the pattern occurs in the text."""
        data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
        return bool(self._match(_ANYWHERE, data, 0, len(data))[0][0] >= 0)

    def span(self, data: bytes, start: int = 0) -> tuple[int, int] | None:
        """Return where the first match at or after `start` begins and ends; None where there is none."""
        found: tuple[int, int] = self._match(_ANYWHERE, data, start, len(data))[0]
        return found if found[0] >= 0 else None

    def groups(self, data: bytes, start: int = 0) -> list[tuple[int, int]] | None:
        """Return the spans of the first match and of its groups, (-1, -1) for a group that took no part."""
        found: list[tuple[int, int]] = self._captures(_ANYWHERE, data, start, len(data))
        return found if found[0][0] >= 0 else None

    def __repr__(self) -> str:
        return f"Pattern({self.text!r}, {self.flags!r})"


@lru_cache(maxsize=512)
def compile_pattern(text: str, flags: Flags = SCRIPT) -> Pattern:
    """Compile a pattern; the last ones are kept. Raises ArgumentError with what is wrong."""
    try:
        return Pattern(text, flags)
    except re2.error as failure:
        reason = failure.args[0] if failure.args else "too large"
        reason = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise ArgumentError(f'bad regular expression "{text}": {reason}', rule=BAD_PATTERN) from None
    except ArgumentError as failure:
        raise ArgumentError(f'bad regular expression "{text}": {failure}', rule=BAD_PATTERN) from None


_ANYWHERE = re2._re2.RE2.Anchor.UNANCHORED
_MEMORY = 2 * 1024 * 1024  # bytes; bounds a pattern and its automaton


def _matcher(text: bytes, captures: bool) -> Any:
    """The bare match function: its Python wrapper makes one search of 0.6 us cost 1.5."""
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.longest_match = True
    options.dot_nl = True
    options.log_errors = False
    options.max_mem = _MEMORY
    options.never_capture = not captures
    return re2.compile(text, options)._regexp.Match


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
