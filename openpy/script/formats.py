"""Texts with pseudo-variables in them: `"user $rU at $(rd)."`, as functions take them.

Rules:
1. `$$` is the character `$`; a lone `$` is an error.
2. NULL prints as `<null>`, a failed transformation as nothing.
3. A transformation needs the long form: `$ru{s.len}` is an error, although OpenSER prints it as text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from openpy.script.environment import ArgumentError, Environment, Getter
from openpy.script.pseudovariables import Reference, bind, read, read_whole
from openpy.script.rules.values import BAD_REFERENCE
from openpy.script.values import Value

LONGEST_TAIL = 200
"""Characters behind a pseudo-variable that are looked at for a transformation."""


class FormatText:
    """A format; call it with a run to get the text. `constant` is the text if it has no pseudo-variables."""

    __slots__ = ("_last", "_parts", "constant", "text")

    def __init__(self, text: str, parts: tuple[tuple[str, Getter, str], ...], last: str) -> None:
        self.text = text
        self.constant = None if parts else last
        self._parts = parts  # (the text before, the getter, what NULL prints as)
        self._last = last

    @property
    def texts(self) -> tuple[str, ...]:
        """What stands around the pseudo-variables: one text more than there are of them."""
        return *(before for before, _, _ in self._parts), self._last

    def read(self, run: Any) -> list[Value]:
        """What each pseudo-variable is for a run."""
        return [get(run) for _, get, _ in self._parts]

    def printed(self, values: Sequence[Value]) -> list[str]:
        """The values that `read` gave, as they would be printed."""
        pairs = zip(self._parts, values, strict=True)
        return [null if value is None else str(value) for (_, _, null), value in pairs]

    def values(self, run: Any) -> list[str]:
        """What each pseudo-variable is for a run, as it would be printed."""
        return self.printed(self.read(run))

    def __call__(self, run: Any) -> str:
        """Make the text for a run."""
        if self.constant is not None:
            return self.constant
        text = ""
        for before, get, null in self._parts:
            value = get(run)
            if value is None:
                value = null
            elif not isinstance(value, str):
                value = str(value)
            text += before + value
        return text + self._last

    def __repr__(self) -> str:
        return f"FormatText({self.text!r})"


def parse_format(text: str, environment: Environment) -> FormatText:
    """Parse a format; raises ArgumentError."""
    parts: list[tuple[str, Getter, str]] = []
    before = ""
    at = 0
    while (dollar := text.find("$", at)) >= 0:
        before += text[at:dollar]
        if text.startswith("$$", dollar):
            before += "$"
            at = dollar + 2
            continue
        try:
            reference, at = read(text, dollar)
            null = "" if reference.transformations else "<null>"
            parts.append((before, bind(reference, environment), null))
            if text.startswith("{", at):
                _refuse_tail(reference, text[at : at + LONGEST_TAIL], environment)
        except ArgumentError as failure:
            raise failure.within(f'wrong format "{text}"') from None
        before = ""
    return FormatText(text, tuple(parts), before + text[at:])


def _refuse_tail(reference: Reference, tail: str, environment: Environment) -> None:
    """Whoever writes the name of a transformation behind a variable wants it applied."""
    inside, closed, _ = tail[1:].partition("}")
    name = inside.partition(",")[0].strip().lower()
    if closed and name in environment.transformations and not reference.transformations:
        transformation = f"{{{inside}}}"
        reason = f'"{transformation}" after {reference.text} is only text'
        raise ArgumentError(reason, f"write $({reference.text[1:]}{transformation})", BAD_REFERENCE)


def parse_single(text: str, environment: Environment) -> Getter:
    """Parse a text that must be exactly one pseudo-variable; raises ArgumentError."""
    return bind(read_whole(text), environment)
