"""The command in an `exec_...("...")`: what the shell reads, and what it must never read.

Rules:
1. The shell gets the text of the script and nothing else. A pseudo-variable stands in it as the name of an environment
   variable, quoted; its value goes into the environment, and the shell does not look into values. So nothing that a
   message carries is taken for a part of the command, wherever the pseudo-variable stands: bare, in double or in
   single quotes.
2. `$$NAME` is the shell's own variable, as `$$` is `$` in every format. `$SIP_...` is accepted without the second `$`:
   no pseudo-variable begins like that.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from openpy.engine.module import ArgumentError, Format, FormatKind
from openpy.engine.run import Run

SHELL_VARIABLE = re.compile(r"(?<!\$)\$(?=\{?SIP_[A-Z])")
DOUBLE, SINGLE, ROUND, BACK = '"', "'", "(", "`"
UNQUOTED = '"${%s}"'
REFERENCES = {DOUBLE: "${%s}", SINGLE: "'\"${%s}\"'"}
"""How the shell is told to put in a variable, by what it stands in."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command, ready for the shell; `text` is as the script has it."""

    text: str
    shell: str
    format: Format

    def environment(self, run: Run) -> dict[str, str]:
        """The values of the pseudo-variables, by the names under which the shell finds them."""
        return {variable(n): value for n, value in enumerate(self.format.values(run), 1)}


@dataclass(frozen=True, slots=True)
class CommandKind:
    """A command of the shell, with pseudo-variables."""

    description: str = "a command, with pseudo-variables; $$ is the shell's own $"

    def convert(self, text: str, environment: Any) -> Command:
        """Convert; raises ArgumentError."""
        if not text.strip():
            raise ArgumentError("the command is empty")
        try:
            parsed = FormatKind().convert(SHELL_VARIABLE.sub("$$", text), environment)
        except ArgumentError as failure:
            hint = "what the shell shall expand has $$, as in $$HOME"
            raise ArgumentError(failure.text, hint, failure.rule) from None
        return Command(text, _shell_text(parsed.texts), parsed)


def variable(number: int) -> str:
    """The environment variable that holds the value of the n-th pseudo-variable."""
    return f"OPENPY_VALUE_{number}"


def _shell_text(texts: Sequence[str]) -> str:
    """The texts with references between them, each quoted as its place demands; raises ArgumentError."""
    place = _Place()
    shell = ""
    for number, text in enumerate(texts[:-1], 1):
        place.read(text)
        if place.is_escaped:
            raise ArgumentError("a backslash stands before a pseudo-variable")
        shell += text + REFERENCES.get(place.inside, UNQUOTED) % variable(number)
    return shell + texts[-1]


class _Place:
    """Where in a command one is: within which quotes and substitutions.

    Were it wrong about a place, a value would be split into words or stand beside quotes, and still not be run.
    """

    def __init__(self) -> None:
        self.is_escaped = False
        self._open: list[str] = []

    @property
    def inside(self) -> str:
        """What was opened last and is not closed; "": nothing."""
        return self._open[-1] if self._open else ""

    def read(self, text: str) -> None:
        """Go on to the end of a text."""
        before = ""
        for character in text:
            inside = self.inside
            if self.is_escaped:
                self.is_escaped = False
            elif character == "\\" and inside != SINGLE:
                self.is_escaped = True
            elif inside == SINGLE or character in (DOUBLE, BACK):
                self._open_or_close(character)
            elif (character == SINGLE and inside != DOUBLE) or (
                character == ROUND and (before == "$" or inside != DOUBLE)
            ):
                self._open.append(character)
            elif character == ")" and inside == ROUND:
                self._open.pop()
            before = character

    def _open_or_close(self, quote: str) -> None:
        if self.inside == quote:
            self._open.pop()
        elif self.inside != SINGLE:
            self._open.append(quote)
