from __future__ import annotations

from pathlib import Path

import pytest

from openpy.engine.pseudovars import PSEUDO_VARIABLES
from openpy.engine.variables import VARIABLES
from openpy.modules.dispatcher.arguments import NumberOrVariableKind, StateKind
from openpy.modules.dispatcher.sets import State
from openpy.script.environment import ArgumentError, Environment
from tests.engine.kit import request
from tests.modules.dispatcher.kit import A, D, balancer

ENVIRONMENT = Environment(pseudo_variables={**PSEUDO_VARIABLES, **VARIABLES})


@pytest.mark.parametrize(
    ("before", "set_id", "printed"),
    [
        ("$var(s) = 2;", "$var(s)", f"{D}:5070"),
        ("$avp(s:s) = 1;", "$avp(s:s)", A),
        ('$avp(s:s) = "1";', " $avp(s:s)", A),
        ('$avp(s:s) = "x";', "$avp(s:s)", "-1"),
        ('$avp(s:s) = "00000000013";', "$avp(s:s)", "-1"),
        (";", "$avp(s:s)", "-1"),
        (";", "7", "-1"),
    ],
)
def test_a_set_in_a_variable(tmp_path: Path, before: str, set_id: str, printed: str) -> None:
    route = (
        f'{before} $var(a) = 9; if (ds_select_dst("{set_id}", "$var(a)")) xlog("$du"); else xlog("$retcode");'
    )
    with balancer(tmp_path, route) as bench:
        bench.receive(request())
        assert list(bench.printed()) == [printed]


@pytest.mark.parametrize("text", ["", "x", "-1", "1.5", "$nothing"])
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(ArgumentError):
        NumberOrVariableKind().convert(text, ENVIRONMENT)


def test_states() -> None:
    convert = StateKind().convert
    for words, state in (("iI0", State.INACTIVE), ("aA1", State.ACTIVE), ("pP2", State.PROBING)):
        assert {convert(word, ENVIRONMENT) for word in words} == {state}
    assert convert("", ENVIRONMENT) is State.INACTIVE
    with pytest.raises(ArgumentError, match='"up" is no state of a destination'):
        convert("up", ENVIRONMENT)
