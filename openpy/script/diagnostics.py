"""What is wrong with a script, told to its author: place, excerpt, reason, suggestion."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from openpy.script.syntax import Position


class Severity(Enum):
    """An error stops the start; a warning is told once."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One mistake. `message` says what is wrong, `hint` what to do about it (may be empty)."""

    severity: Severity
    position: Position
    message: str
    hint: str = ""

    @property
    def place(self) -> tuple[int, int]:
        """Line and column, to sort by."""
        return self.position.line, self.position.column


def in_order(diagnostics: Iterable[Diagnostic], file: str) -> list[Diagnostic]:
    """By place: first those of the script itself, then those of each file that it includes."""
    return sorted(diagnostics, key=lambda d: (d.position.file != file, d.position.file, d.place))


class ScriptError(Exception):
    """A script that cannot be used; carries all that was found in one run."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__(
            "\n".join(f"{d.position.file}:{d.position.line}: {d.message}" for d in self.diagnostics)
        )


def error(position: Position, message: str, hint: str = "") -> Diagnostic:
    """Make an error."""
    return Diagnostic(Severity.ERROR, position, message, hint)


def warning(position: Position, message: str, hint: str = "") -> Diagnostic:
    """Make a warning."""
    return Diagnostic(Severity.WARNING, position, message, hint)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A suggestion such as `did you mean "sl_send_reply"?`, or an empty string."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.7)
    return f'did you mean "{close[0]}"?' if close else ""


def render(diagnostic: Diagnostic, source: str) -> str:
    """One diagnostic as text: place and reason, the line of the script, a caret line, the hint."""
    place = diagnostic.position
    lines = source.split("\n")
    text = [f"{place.file}:{place.line}:{place.column}: {diagnostic.severity.value}: {diagnostic.message}"]
    if 1 <= place.line <= len(lines):
        line = lines[place.line - 1].rstrip("\r")
        end = place.end_column if place.end_line == place.line else len(line) + 1
        width = max(1, min(end, len(line) + 1) - place.column)
        margin = "".join("\t" if c == "\t" else " " for c in line[: place.column - 1])
        text += [f"    {line}", f"    {margin}{'^' * width}"]
    if diagnostic.hint:
        text.append(f"    {diagnostic.hint}")
    return "\n".join(text)
