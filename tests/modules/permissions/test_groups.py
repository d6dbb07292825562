from __future__ import annotations

from typing import Any

import pytest

from openpy.engine.module import ArgumentError, Environment
from openpy.engine.variables import VARIABLES
from openpy.modules.permissions.groups import GroupKind, number_in
from openpy.script.values import Value

ENVIRONMENT = Environment(pseudo_variables=dict(VARIABLES))


class Running:
    def __init__(self, value: Value) -> None:
        self.variables = {"x": value}


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (7, 7),
        ("7", 7),
        ("", None),
        ("-7", None),
        ("seven", None),
        ("\u0667", None),
        ("1" * 10, None),
        (None, None),
    ],
)
def test_a_number_that_a_pseudo_variable_holds(value: Value, number: int | None) -> None:
    running: Any = Running(value)
    assert number_in(running, GroupKind().convert("$var(x)", ENVIRONMENT)) == number


def test_a_number_that_the_script_says() -> None:
    running: Any = Running(1)
    assert number_in(running, GroupKind().convert("5", ENVIRONMENT)) == 5


@pytest.mark.parametrize("text", ["-1", "x", "", "$var", "$var(x) and more"])
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(ArgumentError):
        GroupKind().convert(text, ENVIRONMENT)
