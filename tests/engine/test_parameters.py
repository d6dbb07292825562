from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from openpy.engine.parameters import (
    AssignableKind,
    AvpsKind,
    FormatKind,
    Kind,
    NumberKind,
    PatternKind,
    PseudoVariableKind,
    TextKind,
    compile_expression,
)
from openpy.engine.state import State
from openpy.engine.variables import VARIABLES
from openpy.script.environment import ArgumentError, Environment

ENVIRONMENT = Environment(pseudo_variables=dict(VARIABLES))


class Running:
    def __init__(self) -> None:
        self.variables = {"x": 5}


def test_text_is_taken_as_it_is() -> None:
    assert TextKind().convert("$ru is text", ENVIRONMENT) == "$ru is text"


@pytest.mark.parametrize(("text", "value"), [("0", 0), ("10", 10), ("-1", -1), (" 7", 7)])
def test_numbers(text: str, value: int) -> None:
    assert NumberKind().convert(text, ENVIRONMENT) == value


@pytest.mark.parametrize("text", ["", "x", "0x10", "1.5", "99999999999"])
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(ArgumentError):
        NumberKind().convert(text, ENVIRONMENT)


@pytest.mark.parametrize("text", ["0", "11"])
def test_numbers_out_of_bounds(text: str) -> None:
    with pytest.raises(ArgumentError, match=f"{text} is not between 1 and 10"):
        NumberKind(1, 10).convert(text, ENVIRONMENT)


@pytest.mark.pure  # compiled setters take no run but a real one
def test_what_can_be_assigned() -> None:
    run: Any = Running()
    assert AssignableKind().convert("$var(x)", ENVIRONMENT)(run, 7, "=")
    assert run.variables["x"] == 7
    with pytest.raises(ArgumentError):
        AssignableKind().convert("$(var(x){s.len})", ENVIRONMENT)


def test_a_format_is_evaluated_per_message() -> None:
    text = FormatKind().convert("x is $var(x)", ENVIRONMENT)
    assert text(Running()) == "x is 5"
    assert FormatKind().convert("constant", ENVIRONMENT).constant == "constant"


def test_an_expression_ignores_case_and_sees_lines() -> None:
    pattern = PatternKind().convert("^subject: .*$", ENVIRONMENT)
    assert pattern.search(b"To: a\nSubject: hi\nFrom: b\n")
    assert not pattern.search(b"The subject: none")


def test_an_expression_may_know_case() -> None:
    pattern = compile_expression("^subject: ", ignore_case=False)
    assert pattern.search(b"To: a\nsubject: hi\n")
    assert not pattern.search(b"Subject: hi")


def test_exactly_one_pseudo_variable() -> None:
    assert PseudoVariableKind().convert("$var(x)", ENVIRONMENT)(Running()) == 5


@pytest.mark.pure  # compiled setters take no run but a real one
@pytest.mark.parametrize("text", ["$avp(s:a),$avp(i:5)", " $avp(s:a) , $(avp(i:5)) "])
def test_avps_are_filled(text: str) -> None:
    run: Any = SimpleNamespace(state=State(), server=SimpleNamespace(avp_aliases={}))
    first, second = AvpsKind().convert(text, ENVIRONMENT)
    assert first(run, "one", "=")
    assert second(run, 2, "=")
    assert run.state.avps == {"a": ["one"], 5: [2]}


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (FormatKind(), "$nothing"),
        (FormatKind(), "$"),
        (PatternKind(), "("),
        (PseudoVariableKind(), "x$var(x)"),
        (PseudoVariableKind(), "text"),
        (AvpsKind(), "text"),
        (AvpsKind(), "$var(x)"),
        (AvpsKind(), "$avp(s:a),"),
        (AvpsKind(), "$(avp(s:a)[1])"),
        (AvpsKind(), "$(avp(s:a){s.len})"),
    ],
)
def test_what_cannot_be_converted_is_told_when_the_script_is_loaded(kind: Kind, text: str) -> None:
    with pytest.raises(ArgumentError):
        kind.convert(text, ENVIRONMENT)


@pytest.mark.parametrize(
    "kind", [TextKind(), NumberKind(), FormatKind(), PatternKind(), PseudoVariableKind(), AvpsKind()]
)
def test_each_kind_describes_itself(kind: Any) -> None:
    assert kind.description
