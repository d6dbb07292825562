"""Comparisons: the second argument of `avp_check`, and what `is_avp_set` asks.

Rules:
1. Texts are compared with texts, numbers with numbers; what differs in kind is neither equal nor unequal. A text with
   an integer view, such as `$sp`, compares with a number as one.
2. `lt`, `le`, `gt` and `ge` of texts go by bytes, letter case does not count, and a text comes before a longer one that
   begins with it. `eq` and `ne` of texts ignore letter case with the flag `i` only.
3. A check holds if it does for one of the values: of all on the right side, and with `g` of all on the left.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from openpy.engine.module import ArgumentError, Pattern, PatternKind, Value, as_number, compile_glob
from openpy.engine.run import Run
from openpy.modules.avpops.operands import Flags, Operand, read_flags, split_operand

ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
}
"""Of numbers and of texts."""

BITS: dict[str, Callable[[int, int], int]] = {
    "and": lambda a, b: a & b,
    "or": lambda a, b: a | b,
    "xor": lambda a, b: a ^ b,
}
"""Of numbers: they hold where a bit is left."""

MATCHES = ("re", "fm")
"""Of texts: a regular expression, a pattern such as one for names of files."""

OPERATORS = (*ORDERS, *MATCHES, *BITS)

LOWER = bytes(c + 32 if 65 <= c <= 90 else c for c in range(256))


@dataclass(frozen=True, slots=True)
class Check:
    """A comparison with a value; `pattern` is that of `re`, or of `fm` with a constant."""

    operator: str
    operand: Operand
    flags: Flags
    pattern: Pattern | None = None

    def holds(self, run: Run, values: list[Value]) -> bool:
        """Whether it holds for the first of some values, or for one of them with `g`."""
        lefts = values if "g" in self.flags else values[:1]
        rights = self.operand.values(run)
        return any(self._holds(left, right) for left in lefts for right in rights)

    def _holds(self, left: Value, right: Value) -> bool:
        if isinstance(left, int) or isinstance(right, int):
            first, second = as_number(left), as_number(right)
            return first is not None and second is not None and self._holds_for_numbers(first, second)
        return left is not None and right is not None and self._holds_for_texts(str(left), str(right))

    def _holds_for_numbers(self, left: int, right: int) -> bool:
        if self.operator in ORDERS:
            return ORDERS[self.operator](left, right)
        return self.operator in BITS and BITS[self.operator](left, right) != 0

    def _holds_for_texts(self, left: str, right: str) -> bool:
        if self.operator in MATCHES:
            pattern = self.pattern or _glob(right, "i" in self.flags)
            return pattern is not None and pattern.search(left)
        if self.operator not in ORDERS:
            return False
        exact = self.operator in ("eq", "ne") and "i" not in self.flags
        return ORDERS[self.operator](_bytes(left, exact), _bytes(right, exact))


@dataclass(frozen=True, slots=True)
class CheckKind:
    """`operator/value[/flags]`."""

    description: str = f"operator/value[/gi]: {' '.join(OPERATORS)}"

    def convert(self, text: str, environment: Any) -> Check:
        """Convert; raises ArgumentError."""
        operator, rest = split_operator(text, OPERATORS)
        operand, rest = split_operand(rest, environment)
        flags = read_flags(rest, "gi")
        constant = operand.constant
        if operator in MATCHES and isinstance(constant, int):
            raise ArgumentError(f"{operator} compares texts, and {operand.text} is a number")
        if operator in BITS and isinstance(constant, str):
            raise ArgumentError(f"{operator} compares numbers, and {operand.text} is a text; write i:number")
        if operator == "fm" and isinstance(constant, str):
            return Check(operator, operand, flags, compile_glob(constant, ignore_case="i" in flags))
        if operator == "re":
            if not isinstance(constant, str):
                raise ArgumentError(
                    f"re takes an expression that the script holds, not {operand.text}; write if ($x =~ {operand.text})"
                )
            return Check(operator, operand, flags, PatternKind().convert(constant, environment))
        return Check(operator, operand, flags)


def split_operator(text: str, operators: tuple[str, ...]) -> tuple[str, str]:
    """The operator before the first slash, and what follows that; raises ArgumentError."""
    operator, slash, rest = text.partition("/")
    operator = operator.lower()
    if operator not in operators:
        raise ArgumentError(f'"{operator}" is no operator: there are {", ".join(operators)}')
    if not slash or not rest:
        raise ArgumentError(
            f"{operator} needs a value: {operator}/s:text, {operator}/i:number or {operator}/$x"
        )
    return operator, rest


def is_set(value: Value, flags: Flags) -> bool:
    """Whether a value is there, and is what the flags want: `e` empty, `s` a text, `n` a number."""
    if (
        value is None
        or ("s" in flags and isinstance(value, int))
        or ("n" in flags and isinstance(value, str))
    ):
        return False
    return "e" not in flags or value in ("", 0)


def _glob(text: str, ignore_case: bool) -> Pattern | None:
    """A pattern that came with a message; None for one that cannot be read."""
    try:
        return compile_glob(text, ignore_case=ignore_case)
    except ArgumentError:
        return None


def _bytes(text: str, exact: bool) -> bytes:
    data = text.encode("utf-8", "surrogateescape")
    return data if exact else data.translate(LOWER)


CheckArgument = Annotated[Check, CheckKind()]
