"""Comparisons of the language, called by compiled code.

Rules:
1. A comparison gives True, False or ERROR. ERROR is no answer: an `if` takes it for false (and says so),
   but `!` and `||` do not turn it.
2. Text is compared without ASCII case, as C's `strncasecmp` does.
3. `null` is what a comparison gives where the left side has no value: ERROR for a keyword operand or a
   failed transformation; a NULL variable is only unequal to everything.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Final, Literal

from openpy.script.environment import ArgumentError
from openpy.script.patterns import SCRIPT, compile_pattern
from openpy.script.values import Value, as_number

Verdict = bool | Literal[-1]

ERROR: Final = -1

_ASCII_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


def fold(text: str) -> str:
    """Lower-case ASCII letters only: the length stays, and no other letter becomes equal to one."""
    return text.lower() if text.isascii() else text.translate(_ASCII_LOWER)


def text_equal(value: Value, folded: str, null: Verdict) -> Verdict:
    """`value == "text"`, with the text already folded."""
    if value is None:
        return null
    text = value if isinstance(value, str) else str(value)
    return len(text) == len(folded) and fold(text) == folded


def text_differs(value: Value, folded: str, null: Verdict) -> Verdict:
    """`value != "text"`."""
    if value is None:
        return null
    text = value if isinstance(value, str) else str(value)
    return len(text) != len(folded) or fold(text) != folded


def matches(value: Value, search: Callable[[str], bool], null: Verdict) -> Verdict:
    """`value =~ "pattern"`."""
    if value is None:
        return null
    return search(value if isinstance(value, str) else str(value))


def matches_not(value: Value, search: Callable[[str], bool], null: Verdict) -> Verdict:
    """`value !~ "pattern"`."""
    if value is None:
        return null
    return not search(value if isinstance(value, str) else str(value))


def is_null(value: Value, _: None, null: Verdict) -> Verdict:
    """`value == NULL`."""
    return null if value is None else False


def is_not_null(value: Value, _: None, null: Verdict) -> Verdict:
    """`value != NULL`."""
    return null if value is None else True


def present(value: Value) -> Verdict:
    """A failed transformation alone in a condition is an error, not false."""
    return ERROR if value is None else bool(value)


Test = Callable[[Any, Any], Verdict]

ORDER: dict[str, Test] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}


def _number_comparison(test: Test) -> Callable[[Value, int, Verdict], Verdict]:
    def compare(value: Value, number: int, null: Verdict) -> Verdict:
        if isinstance(value, int):
            return test(value, number)
        if value is None:
            return null
        view = as_number(value)
        return ERROR if view is None else test(view, number)

    return compare


def _text_comparison(test: Test) -> Callable[[Value, str, Verdict], Verdict]:
    def compare(value: Value, folded: str, null: Verdict) -> Verdict:
        return null if value is None else test(fold(str(value)), folded)

    return compare


def _pair_comparison(sign: str) -> Callable[[Value, Value, bool, bool], Verdict]:
    """Two variables; `strict` ones fail where they have no value."""
    negative = sign in ("!=", "!~")
    test: Test = ORDER["!=" if sign == "!~" else "==" if sign == "=~" else sign]
    pattern_test = {"=~": _search, "!~": _search_not}.get(sign)

    def compare(left: Value, right: Value, strict_left: bool, strict_right: bool) -> Verdict:
        if left is None or right is None:
            if (left is None and strict_left) or (right is None and strict_right):
                return ERROR
            return sign == "==" if left is right else negative
        first, second = as_number(left), as_number(right)
        if first is not None and second is not None:
            return test(first, second)
        if pattern_test is not None:
            return pattern_test(str(left), str(right))
        return test(fold(str(left)), fold(str(right)))

    return compare


def _search(text: str, pattern: str) -> Verdict:
    """A pattern that is only known now; a bad one is an ERROR."""
    try:
        return compile_pattern(pattern, SCRIPT).search(text)
    except ArgumentError:
        return ERROR


def _search_not(text: str, pattern: str) -> Verdict:
    found = _search(text, pattern)
    return ERROR if found == ERROR else not found


NUMBER = {sign: _number_comparison(test) for sign, test in ORDER.items()}
"""compare(value, number, null), by operator."""

TEXT = {sign: _text_comparison(test) for sign, test in ORDER.items()} | {"==": text_equal, "!=": text_differs}
"""compare(value, folded text, null), by operator."""

PAIR = {sign: _pair_comparison(sign) for sign in (*ORDER, "=~", "!~")}
"""compare(left, right, left must have a value, right must have a value), by operator."""
