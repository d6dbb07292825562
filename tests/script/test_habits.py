from __future__ import annotations

import time

import pytest

from openpy.script.habits import habits_of
from openpy.script.parser import parse
from openpy.script.syntax import Route


def warnings_of(body: str) -> list[str]:
    route = parse("route {" + body + "}", "test.cfg").script.statements[0]
    assert isinstance(route, Route)
    return [item.message for item in habits_of(route)]


@pytest.mark.parametrize(
    ("condition", "count"),
    [
        ("a() && b() && c()", 0),
        ("a() || b() && c()", 1),
        ("a() && b() || c()", 1),
        ("(a() || b()) && c()", 0),
        ("(a() && b()) || c()", 0),
        ("a() || (b() && c())", 0),
        ("(a() || b() && c())", 1),
        ("a() || b() && c() || d()", 2),
    ],
)
def test_mixed_logic(condition: str, count: int) -> None:
    found = warnings_of(f'if ({condition}) {{ say("x"); }}')
    assert found == ["&& and || have equal precedence: they are evaluated from left to right"] * count


@pytest.mark.parametrize(
    ("value", "count"),
    [
        ("2+3*4", 1),
        ("(2+3)*4", 0),
        ("2+(3*4)", 0),
        ("2*3+4", 0),
        ("2+3-4", 0),
        ("6|3&8", 1),
        ("6&3|8", 0),
        ("1+2&3", 0),
    ],
)
def test_mixed_arithmetic(value: str, count: int) -> None:
    assert len(warnings_of(f"$var(x) = {value};")) == count


TRUE, FALSE = "this condition is always true", "this condition is always false"


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("1", [TRUE]),
        ("0", [FALSE]),
        ("!1", [FALSE]),
        ("!!2", [TRUE]),
        ("[0]", [FALSE]),
        ("1 && 0", [FALSE]),
        ("(0 || 1) && 3", [TRUE]),
        ("a() || 1", [TRUE]),
        ("1 && a()", [TRUE]),
        ("a() && (b() || 0)", [FALSE]),
        ("!(a() && !0)", [TRUE]),
        ("$var(x)", []),
        ("[$var(x) + 1]", []),
        ("a() && b()", []),
    ],
)
def test_constant_conditions(condition: str, found: list[str]) -> None:
    assert warnings_of(f"if ({condition}) {{ c(); }}") == found


@pytest.mark.parametrize(
    ("loop", "found"),
    [
        ("while (1) { a(); break; }", []),
        ("while (1) { if (a()) { exit; } }", []),
        ("while (1) { if (a()) return; }", []),
        ("while (1) { route(1); }", []),
        ("while (1) { a(); }", ["nothing ends this loop but max_while_loops"]),
        ("while (0) { a(); }", [FALSE]),
        ("while ($var(x) < 3) { $var(x) += 1; }", []),
    ],
)
def test_endless_loops_can_be_left(loop: str, found: list[str]) -> None:
    assert warnings_of(loop) == found


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ('$rm=="A" && $rm=="B"', ['this is never true: $rm is not "A" and "B" at once']),
        ('$rm!="A" || $rm!="B"', ['this is always true: $rm differs from "A" or from "B"']),
        (
            "uri==a.example && b() && uri==b.example",
            ["this is never true: uri is not a.example and b.example at once"],
        ),
        ("$rs!=404 || $rs!=405 || $rs!=406", ["this is always true: $rs differs from 404 or from 405"]),
        ('$rU==NULL && $rU=="x"', ['this is never true: $rU is not NULL and "x" at once']),
        ('$rm=="A" && $rm=="a"', []),
        ('$rm=="A" || $rm=="B"', []),
        ('$rm!="A" && $rm!="B"', []),
        ('$rm=="A" && $rU=="B"', []),
        ('$rs==404 && $rs=="404"', []),
        ("$rs==$var(x) && $rs==$var(y)", []),
        ('($rm=="A" || a()) && $rm=="B"', []),
    ],
)
def test_conditions_that_exclude_each_other(condition: str, found: list[str]) -> None:
    assert warnings_of(f"if ({condition}) {{ c(); }}") == found


@pytest.mark.parametrize(
    ("condition", "hints"),
    [
        ("$var(x) = 1", ["to compare, write $var(x) == 1"]),
        ('a() && !($rU = "bob")', ['to compare, write $rU == "bob"']),
        ("$var(x) = NULL", ["to compare, write $var(x) == NULL"]),
        ("$var(x) = $var(y)", ["to compare, write $var(x) == $var(y)"]),
        ("$var(x) = a()", []),
        ("$var(x) = $var(x) + 1", []),
        ("$var(x) += 1", []),
        ("$var(x) == 1", []),
    ],
)
def test_assignments_as_conditions(condition: str, hints: list[str]) -> None:
    route = parse(f"route {{ if ({condition}) c(); }}", "test.cfg").script.statements[0]
    assert isinstance(route, Route)
    assert [item.hint for item in habits_of(route)] == hints


def test_a_long_condition_is_no_work() -> None:
    """What is looked at for each operator must not depend on the others."""
    condition = '$rm=="A"' + ' || 1 && $rU!="b"' * 3_000
    began = time.process_time()
    assert len(warnings_of(f"if ({condition}) exit;")) == 9_000 - 1
    assert time.process_time() - began < 20
