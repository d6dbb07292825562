"""The arguments of its functions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, TypeAlias

from openpy.engine.module import (
    ArgumentError,
    Environment,
    NumberKind,
    PseudoVariableKind,
    Value,
    as_number,
)
from openpy.engine.run import Run
from openpy.modules.dispatcher.sets import State

Amount: TypeAlias = Callable[[Run], int | None]
"""A number of a run; None where it has none."""


@dataclass(frozen=True, slots=True)
class NumberOrVariableKind:
    """A number, or a pseudo-variable that has one."""

    description: str = "a number, 0 or more, or a pseudo-variable such as $avp(s:set)"

    def convert(self, text: str, environment: Environment) -> Amount:
        """Convert to what gives the number; raises ArgumentError."""
        if text.strip().startswith("$"):
            read = PseudoVariableKind().convert(text.strip(), environment)
            return lambda run: _number(read(run))
        number = NumberKind(0).convert(text, environment)
        return lambda run: number


def _number(value: Value) -> int | None:
    number = as_number(value)
    if number is None and isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        number = int(value)
    return number


STATES = {
    **dict.fromkeys(("i", "I", "0"), State.INACTIVE),
    **dict.fromkeys(("a", "A", "1"), State.ACTIVE),
    **dict.fromkeys(("p", "P", "2"), State.PROBING),
}
"""The states as scripts and management commands write them."""


@dataclass(frozen=True, slots=True)
class StateKind:
    """A state as scripts write it."""

    description: str = "i or 0 (inactive), a or 1 (active), p or 2 (probing)"

    def convert(self, text: str, environment: Environment) -> State:
        """Convert; raises ArgumentError."""
        if text and text not in STATES:
            raise ArgumentError(f'"{text}" is no state of a destination', f"write {self.description}")
        return STATES[text] if text else State.INACTIVE


NumberOrVariable = Annotated[Amount, NumberOrVariableKind()]
StateName = Annotated[State, StateKind()]
