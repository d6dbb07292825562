"""What is wrong with a script, told to its author: place, excerpt, reason, suggestion."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from openpy.script.rules.rule import ErrorRule, Rule, Severity, WarningRule
from openpy.script.syntax import Position

__all__ = [
    "Diagnostic",
    "ScriptError",
    "Severity",
    "closest",
    "did_you_mean",
    "error",
    "in_order",
    "render",
    "warning",
]


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One mistake. `message` says what is wrong, `hint` what to do about it (may be empty)."""

    rule: Rule
    position: Position
    message: str
    hint: str = ""

    @property
    def code(self) -> str:
        """The code of its rule, such as E501."""
        return self.rule.code

    @property
    def severity(self) -> Severity:
        """Whether it stops the start."""
        return self.rule.severity

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
        super().__init__("\n".join(map(_line, self.diagnostics)))


def _excerpt(line: str, start: int, end: int) -> list[str]:
    """A line and the carets below it; of a very long line, what is around the place."""
    before = after = ""
    if len(line) > _LONGEST_LINE:
        first = max(0, start - _LONGEST_LINE // 3)
        last = first + _LONGEST_LINE
        before, after = "... " * (first > 0), " ..." * (last < len(line))
        line, start, end = line[first:last], start - first, min(end, last) - first
    margin = _NOT_TAB.sub(" ", before + line[:start])
    return [f"    {before}{line}{after}", f"    {margin}{'^' * max(1, end - start)}"]


_LONGEST_LINE = 200
_NOT_TAB = re.compile(r"[^\t]")

_ESCAPES = {
    **{code: f"\\x{code:02x}" for code in (*range(32), 127)},
    **{ord(character): escape for character, escape in (("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t"))},
}


def _line(found: Diagnostic) -> str:
    hint = f"; {found.hint}" if found.hint else ""
    return f"{found.position.file}:{found.position.line}: {found.message}{hint}"


def error(rule: ErrorRule, position: Position, message: str, hint: str = "") -> Diagnostic:
    """Make an error."""
    return Diagnostic(rule, position, _visible(message), _visible(hint))


def warning(rule: WarningRule, position: Position, message: str, hint: str = "") -> Diagnostic:
    """Make a warning."""
    return Diagnostic(rule, position, _visible(message), _visible(hint))


def _visible(text: str) -> str:
    """A text in one line: what the script's strings have in them is shown as it can be written there."""
    return text.translate(_ESCAPES)


def closest(word: str, known: Iterable[str]) -> str:
    """What was probably meant by a word that is not known, or an empty string."""
    return next(iter(difflib.get_close_matches(word, list(known), n=1, cutoff=0.7)), "")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A suggestion such as `did you mean "sl_send_reply"?`, or an empty string."""
    close = closest(word, known)
    return f'did you mean "{close}"?' if close else ""


def render(diagnostic: Diagnostic, source: str) -> str:
    """One diagnostic as text: place and reason, the line of the script, a caret line, the hint."""
    place = diagnostic.position
    lines = source.split("\n")
    what = f"{diagnostic.severity.value}[{diagnostic.code}]"
    text = [f"{place.file}:{place.line}:{place.column}: {what}: {diagnostic.message}"]
    if 1 <= place.line <= len(lines):
        line = lines[place.line - 1].rstrip("\r")
        end = place.end_column if place.end_line == place.line else len(line) + 1
        text += _excerpt(line, place.column - 1, min(end, len(line) + 1) - 1)
    if diagnostic.hint:
        text.append(f"    {diagnostic.hint}")
    return "\n".join(text)
