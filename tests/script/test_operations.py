from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies

from openpy.script.operations import OPERATIONS, assign, fold_constants, invert, return_code
from openpy.script.stopping import STOP
from openpy.script.values import Dual, Value

PORT = Dual("5070", 5070)


class Log:
    """A run that only remembers warnings."""

    rc = depth = error_class = 0
    dropped = False

    def __init__(self) -> None:
        self.lines: list[str] = []

    def warn(self, text: str) -> None:
        self.lines.append(text)


@pytest.mark.parametrize(
    ("left", "sign", "right", "result"),
    [
        (2, "+", 3, 5),
        (2**31 - 1, "+", 1, -(2**31)),
        (-(2**31), "-", 1, 2**31 - 1),
        (2**20, "*", 2**20, 0),
        (7, "/", 2, 3),
        (-7, "/", 2, -3),
        (7, "/", -2, -3),
        (-7, "%", 2, -1),
        (7, "%", -2, 1),
        (-(2**31), "/", -1, -(2**31)),
        (6, "&", 3, 2),
        (6, "|", 3, 7),
        (6, "^", 3, 5),
        ("a", "+", "b", "ab"),
        ("a", "+", PORT, "a5070"),
        (PORT, "+", "a", "5070a"),
        (PORT, "+", PORT, "50705070"),
        (PORT, "+", 1, 5071),
        (1, "+", PORT, 5071),
        (PORT, "-", 70, 5000),
        (PORT, "%", PORT, 0),
    ],
)
def test_results(left: Value, sign: str, right: Value, result: Value) -> None:
    log = Log()
    value = OPERATIONS[sign](log, left, right, "a.cfg:1")
    assert value == result
    assert not isinstance(value, Dual)
    assert log.lines == []


@pytest.mark.parametrize(
    ("left", "sign", "right", "reason"),
    [
        (1, "+", "a", "invalid numeric operands"),
        ("a", "+", 1, "invalid string operands"),
        ("a", "-", "b", "invalid numeric operands"),
        (1, "*", "b", "invalid numeric operands"),
        (None, "+", 1, "no value in left expression"),
        (1, "+", None, "no value in right expression"),
        ("a", "+", None, "no value in right expression"),
        (None, "/", 0, "no value in left expression"),
    ],
)
def test_failures(left: Value, sign: str, right: Value, reason: str) -> None:
    log = Log()
    assert OPERATIONS[sign](log, left, right, "a.cfg:1") is None
    assert log.lines == [f"a.cfg:1: {reason}"]


@pytest.mark.parametrize("sign", ["/", "%"])
def test_division_by_zero_is_zero(sign: str) -> None:
    log = Log()
    assert OPERATIONS[sign](log, 5, 0, "a.cfg:1") == 0
    assert log.lines == ["a.cfg:1: division by zero, the result is 0"]


INTEGERS = strategies.integers(-(2**31), 2**31 - 1)


@given(INTEGERS, INTEGERS.filter(bool))
def test_quotient_and_remainder_belong_together(left: int, right: int) -> None:
    quotient: Any = OPERATIONS["/"](Log(), left, right, "")
    remainder: Any = OPERATIONS["%"](Log(), left, right, "")
    assert (quotient * right + remainder - left) % 2**32 == 0
    assert abs(remainder) < abs(right)


def test_invert() -> None:
    log = Log()
    assert invert(log, 5, "") == -6
    assert invert(log, PORT, "") == -5071
    assert invert(log, "a", "a.cfg:2") is None
    assert log.lines == ["a.cfg:2: invalid numeric operands"]


def test_constants_are_folded_only_if_nothing_can_go_wrong() -> None:
    assert fold_constants("*", 4, 5) == 20
    assert fold_constants("+", "a", "b") == "ab"
    assert fold_constants("/", 4, 0) is None
    assert fold_constants("+", 4, "a") is None
    assert fold_constants("-", "a", "b") is None


def test_assign() -> None:
    log = Log()
    seen: list[object] = []

    def setter(run: object, value: Value, operator: str) -> bool:
        seen.append((value, operator))
        return value != "bad"

    assert assign(log, setter, 5, ":=", "a.cfg:3") == 1
    assert assign(log, setter, "bad", "=", "a.cfg:3") == -1
    assert assign(log, setter, None, "=", "a.cfg:3") == -1
    assert seen == [(5, ":="), ("bad", "=")]
    assert log.lines == [
        "a.cfg:3: the variable cannot have this value",
        "a.cfg:3: no value in right expression",
    ]


@pytest.mark.parametrize(
    ("value", "code", "lines"),
    [
        (5, 5, []),
        (-1, -1, []),
        (0, STOP, []),
        (PORT, 5070, []),
        ("x", -1, ["here: return takes a number"]),
        (None, -1, ["here: return takes a number"]),
    ],
)
def test_the_value_of_return(value: Value, code: object, lines: list[str]) -> None:
    log = Log()
    assert return_code(log, value, "here") == code
    assert log.lines == lines
