"""Arithmetic with AVPs: `avp_op`, in 32 bits as C does it.

Rules:
1. Only numbers count; texts among the values are passed over.
2. The result is a new value of the target, or of the source where there is no target.
3. If the right side is an AVP with several numbers, the operation is done with one after the other, and each result is
   a value.
4. Division and modulo by zero are logged, and give 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from openpy.engine.module import ArgumentError, as_number, wrap
from openpy.engine.run import Run
from openpy.modules.avpops.checks import split_operator
from openpy.modules.avpops.operands import Flags, Operand, Pair, read_flags, split_operand
from openpy.modules.avpops.values import add, drop


def _quotient(left: int, right: int) -> int:
    """Rounded towards zero."""
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


FUNCTIONS: dict[str, Callable[[int, int], int]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": _quotient,
    "mod": lambda a, b: a - b * _quotient(a, b),
    "and": lambda a, b: a & b,
    "or": lambda a, b: a | b,
    "xor": lambda a, b: a ^ b,
    "not": lambda a, b: ~b,
}


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation with a value."""

    operator: str
    operand: Operand
    flags: Flags

    def apply(self, run: Run, pair: Pair) -> bool:
        """Calculate; False where a number is missing on one side."""
        source = pair.source.name(run)
        target = source if pair.target is None else pair.target.name(run)
        values = pair.source.values(run)
        if source is None or target is None or not values:
            return False
        places = [place for place, value in enumerate(values) if isinstance(value, int)]
        numbers = [
            number for value in self.operand.values(run) if (number := self._number(value)) is not None
        ]
        if not numbers or not (places or self.operator == "not"):
            return False
        if "g" not in self.flags:
            del places[1:]
        lefts = [int(values[place] or 0) for place in places] or [0]
        if "d" in self.flags:
            drop(run, source, places)
        for left in lefts:
            for number in numbers:
                left = self._result(run, left, number)
                add(run, target, left)
        return True

    def _number(self, value: Any) -> int | None:
        if self.operand.has_many and not isinstance(value, int):
            return None
        return as_number(value)

    def _result(self, run: Run, left: int, right: int) -> int:
        if right == 0 and self.operator in ("div", "mod"):
            run.warn(f"{'division' if self.operator == 'div' else 'modulo'} by 0 in avp_op")
            return 0
        return wrap(FUNCTIONS[self.operator](left, right))


@dataclass(frozen=True, slots=True)
class OperationKind:
    """`operator/value[/flags]`."""

    description: str = f"operator/value[/gd]: {' '.join(FUNCTIONS)}"

    def convert(self, text: str, environment: Any) -> Operation:
        """Convert; raises ArgumentError."""
        operator, rest = split_operator(text, tuple(FUNCTIONS))
        operand, rest = split_operand(rest, environment)
        if isinstance(operand.constant, str):
            raise ArgumentError(
                f"{operator} calculates with numbers, and {operand.text} is a text; write i:number"
            )
        return Operation(operator, operand, read_flags(rest, "gd"))


OperationArgument = Annotated[Operation, OperationKind()]
