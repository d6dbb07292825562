"""Substitutions as arguments of functions: `/expression/replacement/flags` (openser 1.3 core, `re`).

Rules:
1. The first character is the delimiter: any but a letter, a digit, a blank, a backslash and `$`.
2. The expression is POSIX extended. A delimiter in it has a backslash before it, which stays: `\\|` is the character.
3. In the replacement `\\0` to `\\9` are the match and its groups, `\\n`, `\\r` and `\\t` what they are in C, `\\u` is
   the Request-URI; a backslash before any other character gives that one. Pseudo-variables are expanded as in every
   format; what they hold is text.
4. Flags: `i` letter case does not count, `g` all matches and not only the first, `s` the text is one line: `^` and `$`
   match at its ends only, and `.` also matches a newline.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated

from openpy.engine.run import Run
from openpy.script.environment import ArgumentError, Environment
from openpy.script.patterns import Flags, Pattern, compile_pattern
from openpy.script.pseudovariables import bind, read
from openpy.script.substitutions import group, matches, replaced

FORM = "write /expression/replacement/flags"

ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}

Spans = list[tuple[int, int]]
Piece = Callable[[Run, bytes, Spans], bytes]
"""A part of a replacement: what it is for a run, a text and the spans of a match."""


class SubstitutionText:
    """A substitution; call it with a run and a text. `text` is as the script has it."""

    __slots__ = ("_everywhere", "_pattern", "_pieces", "text")

    def __init__(self, text: str, pattern: Pattern, pieces: tuple[Piece, ...], everywhere: bool) -> None:
        self.text = text
        self._pattern = pattern
        self._pieces = pieces
        self._everywhere = everywhere

    def __call__(self, run: Run, text: str) -> str | None:
        """The text with its matches replaced; None: there is no match."""
        return replaced(text, self._pattern, self._everywhere, partial(self._expanded, run))

    def changes(self, run: Run, data: bytes, start: int) -> list[tuple[int, int, bytes]]:
        """What to put in place of each match from `start` on: where it begins and ends, and the text.

        `^` matches at `start`, as the text begins there.
        """
        text = data[start:]
        return [
            (start + spans[0][0], start + spans[0][1], self._expanded(run, text, spans))
            for spans in matches(text, self._pattern, self._everywhere)
        ]

    def _expanded(self, run: Run, data: bytes, spans: Spans) -> bytes:
        return b"".join(piece(run, data, spans) for piece in self._pieces)


@dataclass(frozen=True, slots=True)
class SubstitutionKind:
    """A substitution with pseudo-variables in its replacement."""

    description: str = "a substitution /expression/replacement/flags"

    def convert(self, text: str, environment: Environment) -> SubstitutionText:
        """Parse and compile; raises ArgumentError."""
        if len(text) < 3 or text[0].isalnum() or text[0].isspace() or text[0] in "\\$":
            raise ArgumentError(f'"{text}" is no substitution; {FORM}')
        delimiter = text[0]
        end = _end(text, delimiter)
        pieces, rest = _replacement(text, end + 1, delimiter, environment)
        flags = text[rest + 1 :]
        if wrong := flags.strip("igs"):
            raise ArgumentError(f'"{wrong}" is no flag of a substitution: there are i, g and s')
        read_as = Flags.NONE if "s" in flags else Flags.NEWLINE
        if "i" in flags:
            read_as |= Flags.IGNORE_CASE
        return SubstitutionText(text, compile_pattern(text[1:end], read_as), pieces, "g" in flags)


def _end(text: str, delimiter: str) -> int:
    """Where the delimiter behind the expression is; raises ArgumentError."""
    at = 1
    while at < len(text) and text[at] != delimiter:
        at += 2 if text[at] == "\\" else 1
    if at == 1 or at >= len(text):
        raise ArgumentError(f'"{text}" is no substitution; {FORM}')
    return at


def _replacement(
    text: str, start: int, delimiter: str, environment: Environment
) -> tuple[tuple[Piece, ...], int]:
    """The parts of the replacement, and where the delimiter behind it is; raises ArgumentError."""
    pieces: list[Piece] = []
    at = start
    while at < len(text) and text[at] != delimiter:
        if text[at] == "$":
            reference, at = read(text, at)
            pieces.append(
                _variable(bind(reference, environment), "" if reference.transformations else "<null>")
            )
        elif text[at] == "\\" and at + 1 < len(text):
            pieces.append(_escaped(text[at + 1]))
            at += 2
        else:
            pieces.append(_constant(text[at]))
            at += 1
    if at >= len(text):
        raise ArgumentError(
            f'"{text}" is no substitution: the replacement does not end with {delimiter}; {FORM}'
        )
    return tuple(pieces), at


def _escaped(character: str) -> Piece:
    if character.isascii() and character.isdigit():
        number = int(character)
        return lambda run, data, spans: group(data, spans, number)
    if character == "u":
        return lambda run, data, spans: _bytes(run.uri)
    return _constant(ESCAPES.get(character, character))


def _constant(text: str) -> Piece:
    data = _bytes(text)
    return lambda *_: data


def _variable(get: Callable[[Run], object], null: str) -> Piece:
    def piece(run: Run, data: bytes, spans: Spans) -> bytes:
        value = get(run)
        return _bytes(null if value is None else str(value))

    return piece


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


Substitution = Annotated[SubstitutionText, SubstitutionKind()]
