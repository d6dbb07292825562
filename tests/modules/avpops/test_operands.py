from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from openpy.engine.avps import Avp
from openpy.engine.module import ArgumentError
from openpy.engine.pseudovars import PSEUDO_VARIABLES
from openpy.engine.state import State
from openpy.modules.avpops.operands import (
    AvpFlagsKind,
    OperandKind,
    PairKind,
    PlaceKind,
    SelectionKind,
    TargetsKind,
    ValueKind,
    read_constant,
    read_flags,
    split_operand,
    split_selection,
)
from openpy.modules.avpops.schemes import Scheme
from openpy.script.environment import Environment

ENVIRONMENT: Any = Environment(pseudo_variables=dict(PSEUDO_VARIABLES))
AVPS: dict[str | int, list[Any]] = {"x": [3, "b"], "y": ["c"], 5: [6]}


@pytest.fixture
def run() -> Any:
    state = State()
    state.avps = dict(AVPS)
    return SimpleNamespace(
        state=state, server=SimpleNamespace(avp_aliases={"alias": 5}), variables={"n": "y"}
    )


def text_of(avp: Avp | None) -> str:
    return "" if avp is None else avp.text


@pytest.mark.parametrize(("text", "flags"), [("", ""), ("g", "g"), ("gG", "g"), ("DG", "dg")])
def test_flags(text: str, flags: str) -> None:
    assert read_flags(text, "gd") == frozenset(flags)


@pytest.mark.parametrize(
    ("allowed", "told"), [("g", "there is g"), ("gd", "there are g and d"), ("gdn", "there are g, d and n")]
)
def test_what_is_no_flag(allowed: str, told: str) -> None:
    with pytest.raises(ArgumentError, match=f'"x" is no flag: {told}'):
        read_flags("gx", allowed)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("i:5", 5), ("I:-5", -5), ("i:0x1f", 31), ("i:0xFFFFFFFF", -1), ("s:5", "5"), ("S:a:b", "a:b"),
        ("text", "text"), ("5", "5"), ("sip:a@b", "sip:a@b"),
    ],
)  # fmt: skip
def test_constants(text: str, value: str | int) -> None:
    assert read_constant(text) == value


@pytest.mark.parametrize("text", ["i:", "s:", "i:x", "i:1.5", "x:1", "i:4294967296", "i:-2147483649"])
def test_what_is_no_constant(text: str) -> None:
    with pytest.raises(ArgumentError):
        read_constant(text)


@pytest.mark.pure  # compiled getters take no run but a real one
@pytest.mark.parametrize(
    ("text", "values", "rest"),
    [
        ("i:5/g", [5], "g"), ("text", ["text"], ""), ("$avp(s:x)/gd", [3, "b"], "gd"), ("$avp(alias)", [6], ""),
        ("$(avp(s:x)[1])/g", ["b"], "g"), ("$avp(s:none)", [], ""), ("$(avp(s:x)[9])", [], ""), ("$var(n)", ["y"], ""),
    ],
)  # fmt: skip
def test_operands(run: Any, text: str, values: list[Any], rest: str) -> None:
    operand, left = split_operand(text, ENVIRONMENT)
    assert (operand.values(run), left) == (values, rest)
    assert operand.has_many is text.startswith("$avp")


def test_operands_of_functions() -> None:
    operand, flags = OperandKind("g").convert("$avp(s:x)/g", ENVIRONMENT)
    assert (operand.text, flags) == ("$avp(s:x)", frozenset("g"))
    for text, told in (
        ("x", "no pseudo-variable"),
        ("$avp(s:x)/g", "there are no flags here"),
        ("", "no pseudo-variable"),
    ):
        with pytest.raises(ArgumentError, match=told):
            OperandKind().convert(text, ENVIRONMENT)
    with pytest.raises(ArgumentError, match="a value is missing"):
        split_operand("/g", ENVIRONMENT)


@pytest.mark.pure  # compiled getters take no run but a real one
@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a", ["x", "y", 5]), ("*", ["x", "y", 5]), ("s", ["x", "y"]), ("S1", ["x", "y"]), ("i", [5]),
        ("$avp(s:x)", ["x"]), ("$avp(s:none)", ["none"]), ("$avp(alias)", [5]), ("$avp($var(n))", ["y"]),
        ("$avp($avp(s:none))", []),
    ],
)  # fmt: skip
def test_selections(run: Any, text: str, names: list[str | int]) -> None:
    assert split_selection(f"{text}/g", ENVIRONMENT)[1] == "g"
    selection, flags = SelectionKind().convert(f"{text}/g", ENVIRONMENT)
    assert selection.names(run) == names
    assert flags == {"g"}


@pytest.mark.parametrize("text", ["", "x", "sx", "i-1", "$ru", "$(avp(s:x)[0])", "$avp"])
def test_what_selects_nothing(text: str) -> None:
    with pytest.raises(ArgumentError):
        SelectionKind().convert(text, ENVIRONMENT)


def test_avps_with_flags() -> None:
    avp, flags = AvpFlagsKind("gd", "").convert("$avp(s:x)/d", ENVIRONMENT)
    assert (avp.text, flags) == ("$avp(s:x)", frozenset("d"))
    with pytest.raises(ArgumentError, match="there are no flags here"):
        AvpFlagsKind("", "").convert("$avp(s:x)/d", ENVIRONMENT)
    with pytest.raises(ArgumentError, match="is no AVP"):
        AvpFlagsKind("", "").convert("x", ENVIRONMENT)


@pytest.mark.parametrize(
    ("text", "source", "target", "flags"),
    [
        ("$avp(s:x)", "$avp(s:x)", "", ""),
        ("$avp(s:x)/", "$avp(s:x)", "", ""),
        ("$avp(s:x)/gd", "$avp(s:x)", "", "gd"),
        ("$avp(s:x)/$avp(i:5)", "$avp(s:x)", "$avp(i:5)", ""),
        ("$avp(s:x)/$avp(i:5)/g", "$avp(s:x)", "$avp(i:5)", "g"),
    ],
)
def test_pairs(text: str, source: str, target: str, flags: str) -> None:
    pair = PairKind("gd", "").convert(text, ENVIRONMENT)
    assert (pair.source.text, text_of(pair.target), pair.flags) == (source, target, frozenset(flags))


@pytest.mark.parametrize("text", ["", "x", "$ru", "$avp(s:x)/x", "$avp(s:x)/$ru", "$avp(s:x)/$avp(s:y)/x"])
def test_what_is_no_pair(text: str) -> None:
    with pytest.raises(ArgumentError):
        PairKind("gd", "").convert(text, ENVIRONMENT)


@pytest.mark.pure  # compiled getters take no run but a real one
@pytest.mark.parametrize(
    ("text", "value", "flags"),
    [
        ("$avp(s:x)", 3, ""),
        ("$avp(s:x)/s", 3, "s"),
        ("$(avp(s:x)[1])/se", "b", "se"),
        ("$avp(s:none)/n", None, "n"),
    ],
)
def test_values(run: Any, text: str, value: str | int | None, flags: str) -> None:
    get, found = ValueKind().convert(text, ENVIRONMENT)
    assert (get(run), found) == (value, frozenset(flags))


SCHEMES = {"credit": Scheme("credit", {})}


@pytest.mark.parametrize(
    ("text", "table", "scheme"),
    [("a", "", ""), ("a/t", "t", ""), ("$avp(s:x)/db.t", "db.t", ""), ("$avp(s:x)/$Credit", "", "credit")],
)
def test_places(text: str, table: str, scheme: str) -> None:
    place = PlaceKind(True, SCHEMES).convert(text, ENVIRONMENT)
    assert (place.table, place.scheme.name if place.scheme else "") == (table, scheme)


def test_schemes_that_are_not_known_yet_are_not_looked_for() -> None:
    assert PlaceKind(True).convert("$avp(s:x)/$any", ENVIRONMENT).scheme is None


@pytest.mark.parametrize(
    ("kind", "text", "told"),
    [
        (PlaceKind(True, {}), "$avp(s:x)/$any", "there is none"),
        (PlaceKind(True, SCHEMES), "$avp(s:x)/$any", "there are credit"),
        (PlaceKind(True, SCHEMES), "a/$credit", "gives values and no names"),
        (PlaceKind(False, SCHEMES), "$avp(s:x)/$credit", "for avp_db_load only"),
        (PlaceKind(False, SCHEMES), "a/", "the name of a table is missing"),
        (PlaceKind(False, SCHEMES), "a/b c", "is no name of a table"),
    ],
)
def test_what_is_no_place(kind: PlaceKind, text: str, told: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        kind.convert(text, ENVIRONMENT)
    assert told in str(caught.value)


def test_targets() -> None:
    targets = TargetsKind().convert("$avp(s:a); $avp(i:5)", ENVIRONMENT)
    assert [avp.text for avp in targets] == ["$avp(s:a)", "$avp(i:5)"]
    for text in ("", "$avp(s:a);", "$ru", "$avp(s:a),$avp(s:b)"):
        with pytest.raises(ArgumentError):
            TargetsKind().convert(text, ENVIRONMENT)
