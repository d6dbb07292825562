"""Substitutions as scripts write them: `/expression/replacement/flags`, with any delimiter.

Rules:
1. The expression is POSIX extended (see `posix`). Flags: `i` no letter case, `g` all matches, not only the first.
2. In the replacement `\\0` to `\\9` stand for the match and its groups, a backslash before anything else for that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from openpy.script.environment import ArgumentError
from openpy.script.patterns import Flags, Pattern, compile_pattern
from openpy.script.strings import unquote


@dataclass(frozen=True, slots=True)
class Substitution:
    """One substitution; `pattern` and `replacement` are as written."""

    pattern: str
    replacement: str
    everywhere: bool
    compiled: Pattern

    def apply(self, text: str) -> str:
        """The text with its matches replaced."""
        return replaced(text, self.compiled, self.everywhere, partial(_expanded, self.replacement)) or text


def matches(data: bytes, pattern: Pattern, everywhere: bool) -> Iterator[list[tuple[int, int]]]:
    """The spans of the first match and of its groups, or of all matches."""
    at = 0
    while at <= len(data) and (spans := pattern.groups(data, at)) is not None:
        yield spans
        first, end = spans[0]
        at = end if end > first else end + 1
        if not everywhere:
            return


def replaced(
    text: str, pattern: Pattern, everywhere: bool, expand: Callable[[bytes, list[tuple[int, int]]], bytes]
) -> str | None:
    """The text with its first match, or all, replaced by what `expand(text, spans)` makes of it; None: no match."""
    data = text.encode("utf-8", "surrogateescape")
    parts: list[bytes] = []
    copied = 0
    for spans in matches(data, pattern, everywhere):
        start, end = spans[0]
        parts += [data[copied:start], expand(data, spans)]
        copied = end
    return b"".join([*parts, data[copied:]]).decode("utf-8", "surrogateescape") if parts else None


def group(data: bytes, spans: list[tuple[int, int]], number: int) -> bytes:
    """What a group of a match holds; nothing where it took no part, or is not there."""
    start, end = spans[number] if number < len(spans) else (-1, -1)
    return data[start:end] if start >= 0 else b""


def read_substitution(text: str) -> Substitution:
    """Read one, as a quoted string or bare; raises ValueError with what is wrong."""
    if len(text) > 1 and text[0] in "\"'" and text[-1] == text[0]:
        text = unquote(text)
    if len(text) < 3 or text[0].isalnum() or text[0].isspace():
        raise ValueError(f'"{text}" is no substitution')
    parts = _parts(text[1:], text[0])
    if len(parts) != 3 or not parts[0]:
        raise ValueError(
            f'"{text}" is no substitution: {text[0]}expression{text[0]}replacement{text[0]}flags'
        )
    pattern, replacement, flags = parts
    if wrong := flags.strip("ig"):
        raise ValueError(f'"{wrong}" is no flag of a substitution: there are i and g')
    try:
        compiled = compile_pattern(pattern, Flags.IGNORE_CASE if "i" in flags else Flags.NONE)
    except ArgumentError as problem:
        raise ValueError(str(problem)) from None
    return Substitution(pattern, replacement, "g" in flags, compiled)


def _parts(text: str, delimiter: str) -> list[str]:
    """Split at the delimiter; behind a backslash it is a character like others."""
    parts = [""]
    escaped = False
    for character in text:
        if escaped:
            parts[-1] += character if character == delimiter else "\\" + character
        elif character == delimiter:
            parts.append("")
        elif character != "\\":
            parts[-1] += character
        escaped = character == "\\" and not escaped
    return parts


def _expanded(replacement: str, data: bytes, spans: list[tuple[int, int]]) -> bytes:
    parts: list[bytes] = []
    escaped = False
    for character in replacement:
        if escaped and character.isdecimal() and character.isascii():
            parts.append(group(data, spans, int(character)))
        elif escaped or character != "\\":
            parts.append(character.encode("utf-8", "surrogateescape"))
        escaped = character == "\\" and not escaped
    return b"".join(parts)
