from __future__ import annotations

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


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ('exit; say("x");', ["this is never run: exit stands before it"]),
        ('return(1); say("x"); say("y");', ["this is never run: return stands before it"]),
        ('drop; say("x");', ["this is never run: drop stands before it"]),
        ('if (1) { exit; say("x"); } say("y");', ["this is never run: exit stands before it"]),
        ('switch ($rc) { case 1: exit; say("x"); }', ["this is never run: exit stands before it"]),
        ("exit;;", []),
        ('say("x"); exit;', []),
        ('if (1) { exit; } say("x");', []),
    ],
)
def test_statements_that_never_run(body: str, found: list[str]) -> None:
    assert warnings_of(body) == found
