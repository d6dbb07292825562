from __future__ import annotations

import pytest
from hypothesis import given, strategies

from openpy.script import comparisons
from openpy.script.comparisons import ERROR, NUMBER, PAIR, TEXT, fold, present
from openpy.script.patterns import compile_pattern
from openpy.script.values import Dual, Value

PORT = Dual("5070", 5070)


@pytest.mark.parametrize(
    ("value", "sign", "text", "verdict"),
    [
        ("INVITE", "==", "invite", True),
        ("INVITE", "!=", "Invite", False),
        ("ACK", "==", "invite", False),
        ("ACK", "!=", "invite", True),
        (200, "==", "200", True),
        (200, "!=", "200", False),
        (PORT, "==", "5070", True),
        ("b", ">", "A", True),
        ("ab", ">", "a", True),
        ("A", "<", "ab", True),
        ("a", ">=", "A", True),
        ("B", "<=", "a", False),
        ("É", "==", "é", False),
        ("\N{KELVIN SIGN}", "==", "k", False),
    ],
)
def test_text(value: Value, sign: str, text: str, verdict: bool) -> None:
    assert TEXT[sign](value, fold(text), ERROR) is verdict


@pytest.mark.parametrize(
    ("value", "sign", "number", "verdict"),
    [
        (5, "==", 5, True),
        (5, "!=", 5, False),
        (5, "<", 6, True),
        (5, ">=", 6, False),
        (PORT, "==", 5070, True),
        (PORT, ">", 1024, True),
        ("5", "==", 5, ERROR),
        ("", "!=", 5, ERROR),
    ],
)
def test_number(value: Value, sign: str, number: int, verdict: object) -> None:
    assert NUMBER[sign](value, number, ERROR) == verdict


@pytest.mark.parametrize("null", [True, False, ERROR])
def test_no_value_gives_what_was_asked_for(null: comparisons.Verdict) -> None:
    search = compile_pattern("a").search
    found = [compare(None, 1, null) for compare in NUMBER.values()]
    found += [compare(None, "a", null) for compare in TEXT.values()]
    found += [comparisons.matches(None, search, null), comparisons.matches_not(None, search, null)]
    assert set(found) == {null}


def test_matching() -> None:
    search = compile_pattern("^18[03]$").search
    assert comparisons.matches("180", search, False) is True
    assert comparisons.matches(183, search, False) is True
    assert comparisons.matches_not(183, search, False) is False
    assert comparisons.matches_not("200", search, False) is True


def test_null() -> None:
    assert comparisons.is_null(None, None, True) is True
    assert comparisons.is_null("", None, True) is False
    assert comparisons.is_not_null(None, None, False) is False
    assert comparisons.is_not_null(0, None, False) is True


def test_present() -> None:
    assert present("x") is True
    assert present("") is False
    assert present(None) == ERROR


@pytest.mark.parametrize(
    ("left", "sign", "right", "verdict"),
    [
        (5, "==", 5, True),
        (5, "<", 6, True),
        (5, "=~", 5, True),
        (5, "!~", 5, False),
        ("a", "==", "A", True),
        ("a", "<", "B", True),
        (5, "==", "5", True),
        (PORT, "==", 5070, True),
        (PORT, "==", "5070", True),
        (PORT, ">", Dual("800", 800), True),
        ("abc", "=~", "^A", True),
        ("abc", "!~", "^A", False),
        ("abc", "=~", "(", ERROR),
        ("abc", "!~", "(", ERROR),
        (None, "==", None, True),
        (None, "!=", None, False),
        (None, "=~", None, False),
        (None, "!~", None, False),
        (None, "==", "a", False),
        ("a", "!=", None, True),
        (None, "<", "a", False),
    ],
)
def test_pairs(left: Value, sign: str, right: Value, verdict: object) -> None:
    assert PAIR[sign](left, right, False, False) == verdict


def test_strict_pairs_need_values() -> None:
    assert PAIR["!="](None, "a", True, False) == ERROR
    assert PAIR["!="]("a", None, False, True) == ERROR
    assert PAIR["!="]("a", None, True, False) is True


@given(strategies.text(), strategies.text())
def test_folding_keeps_the_length_and_joins_only_ascii(left: str, right: str) -> None:
    assert len(fold(left)) == len(left)
    assert fold(left + right) == fold(left) + fold(right)
    assert all(a == b or a.isascii() for a, b in zip(left, fold(left), strict=True))
