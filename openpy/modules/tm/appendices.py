"""What t_write_fifo and t_write_unix are told to write: an action, and lines that `tw_append` names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from openpy.engine.module import ArgumentError, PseudoVariable, PseudoVariableKind

BODY = "$rb"


class Appendix(NamedTuple):
    """One `tw_append`: its name, and header and pseudo-variable of each line, as written."""

    name: str
    lines: tuple[tuple[str, str], ...]
    has_body: bool


def read_appendix(text: str) -> Appendix:
    """Read `name:elem;elem`; raises ArgumentError."""
    name, colon, rest = text.partition(":")
    elements = [element.strip() for element in rest.split(";") if element.strip()]
    if not colon or not name.strip() or not elements:
        raise ArgumentError(f'"{text}" is no appendix; write name:header=$ua;$rb')
    lines = []
    for element in elements:
        header, equals, variable = element.partition("=")
        if equals and header.strip() and variable.strip().startswith("$"):
            lines.append((header.strip(), variable.strip()))
        elif element != BODY:
            raise ArgumentError(f'"{element}" is no element; write header=$ua, or {BODY} for the body')
    return Appendix(name.strip(), tuple(lines), BODY in elements)


@dataclass(frozen=True, slots=True)
class Info:
    """What to write for a request: the action, the lines that are added, and whether its body is."""

    action: str
    lines: tuple[tuple[str, PseudoVariable], ...] = ()
    has_body: bool = False


@dataclass(frozen=True, slots=True)
class InfoKind:
    """`action` or `action/appendix`."""

    appendices: Sequence[Appendix] = ()
    description: str = field(default="an action, as action or action/appendix", kw_only=True)

    def convert(self, text: str, environment: Any) -> Info:
        """Convert; raises ArgumentError."""
        action, slash, name = text.partition("/")
        if not action or any(character.isspace() for character in action):
            raise ArgumentError(f'"{text}" names no action; write action or action/appendix')
        if not slash:
            return Info(action)
        found = next((each for each in self.appendices if each.name == name), None)
        if found is None:
            known = ", ".join(each.name for each in self.appendices) or "none: add one with tw_append"
            raise ArgumentError(f'unknown append name "{name}"; there are {known}')
        kind = PseudoVariableKind()
        lines = tuple((header, kind.convert(variable, environment)) for header, variable in found.lines)
        return Info(action, lines, found.has_body)
