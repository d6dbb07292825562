"""Texts with pseudo-variables in them: `"user $rU at $(rd)."`, as functions take them.

Rules:
1. `$$` is the character `$`; a lone `$` is an error.
2. NULL prints as `<null>`, a failed transformation as nothing.
3. A transformation needs the long form: `$ru{s.len}` is an error, although OpenSER prints it as text.
"""

from __future__ import annotations

from typing import Any

from openpy.script.environment import ArgumentError, Environment, Getter
from openpy.script.pseudovariables import Reference, bind, read, read_whole


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

    def values(self, run: Any) -> list[str]:
        """What each pseudo-variable is for a run, as it would be printed."""
        values = ((get(run), null) for _, get, null in self._parts)
        return [null if value is None else str(value) for value, null in values]

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
            _refuse_tail(reference, text[at:], environment)
        except ArgumentError as failure:
            raise type(failure)(f'wrong format "{text}": {failure}') from None
        before = ""
    return FormatText(text, tuple(parts), before + text[at:])


def _refuse_tail(reference: Reference, tail: str, environment: Environment) -> None:
    """Whoever writes the name of a transformation behind a variable wants it applied."""
    name = tail[1 : tail.find("}")].partition(",")[0].strip().lower()
    if tail.startswith("{") and name in environment.transformations and not reference.transformations:
        transformation = tail[: tail.find("}") + 1]
        better = f"$({reference.text[1:]}{transformation})"
        raise ArgumentError(f'"{transformation}" after {reference.text} is only text; write {better}')


def parse_single(text: str, environment: Environment) -> Getter:
    """Parse a text that must be exactly one pseudo-variable; raises ArgumentError."""
    return bind(read_whole(text), environment)
