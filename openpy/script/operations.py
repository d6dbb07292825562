"""Arithmetic of the language, called by compiled code.

Rules:
1. The left operand decides: after text only text can be added, after a number only numbers.
2. A text with an integer view (`Dual`) is text beside text, and a number beside a number.
3. Integers wrap at 32 bits; division goes towards zero, as in C.
4. None is "no value": what was wrong has been logged, and the statement fails with code -1.
"""

from __future__ import annotations

import operator as python
from collections.abc import Callable

from openpy.script.environment import ScriptRun, Setter
from openpy.script.stopping import STOP, Stop
from openpy.script.values import Dual, Value, as_number, wrap

_LARGEST = 2**31 - 1
_SMALLEST = -(2**31)

Operation = Callable[[ScriptRun, Value, Value, str], Value]
"""operation(run, left, right, place); `place` is "file:line" for the log."""


def add(run: ScriptRun, left: Value, right: Value, place: str) -> Value:
    """`left + right`: a sum, or texts joined."""
    if isinstance(left, int):
        number = right if isinstance(right, int) else as_number(right)
        if number is not None:
            return wrap(left + number)
        return _fail(run, place, "numeric", left, right)
    if left is None or right is None or (isinstance(right, int) and not isinstance(left, Dual)):
        return _fail(run, place, "string", left, right)
    if isinstance(right, str):
        return str.__add__(left, right)
    assert isinstance(left, Dual)
    return wrap(left.number + right)


def _numeric(calculate: Callable[[int, int], int]) -> Operation:
    def operation(run: ScriptRun, left: Value, right: Value, place: str) -> Value:
        first = left if isinstance(left, int) else as_number(left)
        second = right if isinstance(right, int) else as_number(right)
        if first is None or second is None:
            return _fail(run, place, "numeric", left, right)
        result = calculate(first, second)
        return result if _SMALLEST <= result <= _LARGEST else wrap(result)

    return operation


def _dividing(calculate: Callable[[int, int], int]) -> Operation:
    divide = _numeric(calculate)

    def operation(run: ScriptRun, left: Value, right: Value, place: str) -> Value:
        if as_number(right) == 0 and as_number(left) is not None:
            run.warn(f"{place}: division by zero, the result is 0")
            return 0
        return divide(run, left, right, place)

    return operation


def _quotient(left: int, right: int) -> int:
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


def _remainder(left: int, right: int) -> int:
    return left - right * _quotient(left, right)


OPERATIONS: dict[str, Operation] = {
    "+": add,
    "-": _numeric(python.sub),
    "*": _numeric(python.mul),
    "/": _dividing(_quotient),
    "%": _dividing(_remainder),
    "&": _numeric(python.and_),
    "|": _numeric(python.or_),
    "^": _numeric(python.xor),
}
"""By operator."""


def invert(run: ScriptRun, value: Value, place: str) -> Value:
    """`~value`."""
    number = as_number(value)
    if number is None:
        return _fail(run, place, "numeric", value, 0)
    return ~number


def assign(run: ScriptRun, setter: Setter, value: Value, operator: str, place: str) -> int:
    """Assign a value if there is one: 1, or -1 if it failed."""
    if value is None:
        run.warn(f"{place}: no value in right expression")
        return -1
    return 1 if setter(run, value, operator) else not_assigned(run, place)


def not_assigned(run: ScriptRun, place: str) -> int:
    """Log that a variable did not take a value: -1."""
    run.warn(f"{place}: the variable cannot have this value")
    return -1


def return_code(run: ScriptRun, value: Value, place: str) -> int | Stop:
    """`return $var(x)`: the code of the route; 0 ends the script, and what is no number is -1."""
    number = as_number(value)
    if number is None:
        run.warn(f"{place}: return takes a number")
        return -1
    return number or STOP


def fold_constants(sign: str, left: Value, right: Value) -> Value:
    """The result of an operation on constants, or None where it is not known to succeed."""
    if isinstance(left, int) and isinstance(right, int):
        return None if sign in "/%" and right == 0 else OPERATIONS[sign](_NoRun(), left, right, "")
    if sign == "+" and isinstance(left, str) and isinstance(right, str):
        return left + right
    return None


class _NoRun:
    """Stands in for a run where nothing can be logged."""

    rc = depth = error_class = 0
    dropped = False

    def warn(self, text: str) -> None:
        raise AssertionError(text)


def _fail(run: ScriptRun, place: str, kind: str, left: Value, right: Value) -> Value:
    """Log why there is no result."""
    if left is None:
        run.warn(f"{place}: no value in left expression")
    elif right is None:
        run.warn(f"{place}: no value in right expression")
    else:
        run.warn(f"{place}: invalid {kind} operands")
    return None
