"""Numbers of groups and ports, as arguments: written in the script, or held by a pseudo-variable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from openpy.engine.module import Environment, NumberKind, PseudoVariableKind
from openpy.engine.run import Run

__all__ = ["Group", "GroupKind", "number_in"]


@dataclass(frozen=True, slots=True)
class GroupKind:
    """The number of a group, or what holds it."""

    description: str = "a group's number, or a pseudo-variable"

    def convert(self, text: str, environment: Environment) -> Any:
        """Convert to the number, or to what reads it from a run; raises ArgumentError."""
        if text.startswith("$"):
            return PseudoVariableKind().convert(text, environment)
        return NumberKind(minimum=0).convert(text, environment)


Group = Annotated[Any, GroupKind()]


def number_in(run: Run, given: Any) -> int | None:
    """A number, or the one that a pseudo-variable holds; None where it holds none."""
    value = given if isinstance(given, int) else given(run)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    return value if isinstance(value, int) else None
