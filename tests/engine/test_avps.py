from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from openpy.engine.avps import (
    Avp,
    AvpName,
    NamedAvp,
    avp_key,
    avp_name,
    bare_name,
    read_avp,
    read_operand,
    read_value,
    resolve,
    split_variable,
)
from openpy.engine.pseudovars import PSEUDO_VARIABLES
from openpy.engine.state import State
from openpy.script.environment import ArgumentError, Environment

ENVIRONMENT = Environment(pseudo_variables=dict(PSEUDO_VARIABLES))


@pytest.fixture
def run() -> Any:
    state = State()
    state.avps = {"x": [3, "b"], "mail": ["m"], 5: [6]}
    server = SimpleNamespace(avp_aliases={"email": "mail", "five": 5})
    return SimpleNamespace(state=state, server=server, variables={"n": "x", "five": 5})


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("s:x", "x"),
        ("i:5", 5),
        ("i:0x10", 16),
        ("s1:x", "x"),
        ("s:a:b", "a:b"),
        ("bare", "bare"),
    ],
)
def test_names(text: str, name: AvpName) -> None:
    assert avp_name(text) == name


@pytest.mark.parametrize("text", ["", "s:", "i:", "i:x", "x:y", ":y", "sx:y"])
def test_what_is_no_name(text: str) -> None:
    with pytest.raises(ArgumentError, match="bad avp name"):
        avp_name(text)


@pytest.mark.pure  # compiled code takes no run but a real one
@pytest.mark.parametrize(
    ("inner", "name"), [("s:x", "x"), ("i:5", 5), ("Email", "mail"), ("x", "x"), ("five", 5)]
)
def test_keys(run: Any, inner: str, name: AvpName) -> None:
    assert resolve(run, avp_key(inner)) == name


@pytest.mark.pure  # compiled code takes no run but a real one
def test_a_key_may_be_a_pseudo_variable_and_has_to_be_there() -> None:
    assert resolve(None, avp_key(lambda run: "x")) == "x"  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="needs a name"):
        avp_key(None)


@pytest.mark.pure  # compiled code takes no run but a real one
@pytest.mark.parametrize(
    ("text", "name", "values"),
    [
        ("$avp(s:x)", "x", [3, "b"]),
        ("$(avp(s:x))", "x", [3, "b"]),
        ("$avp(email)", "mail", ["m"]),
        ("$avp($var(n))", "x", [3, "b"]),
        ("$avp($var(five))", 5, [6]),
        ("$avp(s:none)", "none", []),
        ("$avp($avp(s:none))", None, []),
    ],
)
def test_avps(run: Any, text: str, name: AvpName | None, values: list[Any]) -> None:
    avp = read_avp(text, ENVIRONMENT)
    assert (avp.text, avp.name(run), avp.values(run)) == (text, name, values)
    avp.values(run).append("more")
    assert avp.values(run) == values, "the list is the caller's own"
    assert avp.read(run) == (values[0] if values else None)


@pytest.mark.pure  # compiled code takes no run but a real one
def test_a_value_is_put_before_the_others(run: Any) -> None:
    for text in ("s:x", "$avp(email)", "s:new", "$avp(s:new)"):
        NamedAvp(text).add(run, "first")
        NamedAvp(text).add(run, None)
    assert run.state.avps == {"x": ["first", 3, "b"], "mail": ["first", "m"], "new": ["first"] * 2, 5: [6]}
    read_avp("$avp($avp(s:none))", ENVIRONMENT).add(run, 1)
    assert None not in run.state.avps


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "$ru",
        "$avp",
        "$avp(i:x)",
        "$(avp(s:x)[0])",
        "$(avp(s:x)[*])",
        "$(avp(s:x){s.len})",
        "$avp(s:x)g",
    ],
)
def test_what_is_no_avp(text: str) -> None:
    with pytest.raises(ArgumentError):
        read_avp(text, ENVIRONMENT)


@pytest.mark.pure  # compiled code takes no run but a real one
@pytest.mark.parametrize(
    ("text", "value"),
    [("$avp(s:x)", 3), ("$(avp(s:x)[1])", "b"), ("$(avp(s:x)[-1])", "b"), ("$(avp(s:x)[2])", None)],
)
def test_one_value(run: Any, text: str, value: str | int | None) -> None:
    assert read_value(text, ENVIRONMENT)(run) == value


@pytest.mark.parametrize("text", ["x", "$ru", "$(avp(s:x)[*])", "$(avp(s:x){s.len})"])
def test_what_is_no_value_of_an_avp(text: str) -> None:
    with pytest.raises(ArgumentError):
        read_value(text, ENVIRONMENT)


@pytest.mark.pure  # compiled code takes no run but a real one
def test_operands(run: Any) -> None:
    assert isinstance(read_operand("$avp(s:x)", ENVIRONMENT), Avp)
    get: Any = read_operand("$(avp(s:x)[1])", ENVIRONMENT)
    assert get(run) == "b"
    get = read_operand("$var(n)", ENVIRONMENT)
    assert get(run) == "x"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("$ru/g", ("$ru", "/g")),
        ("$(avp(s:a/b)[1])/x", ("$(avp(s:a/b)[1])", "/x")),
        ("$avp(s:a/b)", ("$avp(s:a/b)", "")),
    ],
)
def test_what_follows_a_variable(text: str, parts: tuple[str, str]) -> None:
    assert split_variable(text) == parts
    with pytest.raises(ArgumentError, match="does not begin with a pseudo-variable"):
        split_variable(text[1:])


@pytest.mark.parametrize(
    ("text", "name"),
    [("$ru", "ru"), ("$(ru)", "ru"), ("$(ru{s.len})", ""), ("$avp(s:x)", ""), ("$(avp[1])", "")],
)
def test_bare_names(text: str, name: str) -> None:
    assert bare_name(text) == name
