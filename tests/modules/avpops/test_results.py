from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from openpy.engine.avps import Avp
from openpy.engine.state import State
from openpy.modules.avpops.operands import Selection
from openpy.modules.avpops.results import add_columns, add_preferences, add_values, value_of
from openpy.modules.avpops.values import not_kept


@pytest.fixture
def run() -> Any:
    return SimpleNamespace(state=State())


ROWS = [
    ("a", "x", 0), ("b", "x", 0), ("7", "y", 1), ("c", "5", 2), ("8", "5", 3), (None, "x", 0), ("d", None, 0),
    ("e", "x", None), ("f", "x", "0"), ("word", "x", 1), ("g", "word", 2),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "name", "avps"),
    [
        ("a", None, {"x": ["b", "a"], "y": [7], 5: [8, "c"]}),
        ("s", None, {"x": ["b", "a"], "y": [7]}),
        ("i", None, {5: [8, "c"]}),
        ("", "x", {"x": ["b", "a"]}),
        ("", 5, {5: [8, "c"]}),
        ("", "5", {}),
    ],
)
def test_preferences(run: Any, kind: str, name: str | int | None, avps: dict[str | int, list[Any]]) -> None:
    selection = Selection(None, kind) if kind else Selection(Avp("$avp(x)", name or ""))
    assert add_preferences(run, ROWS, selection, name) == sum(map(len, avps.values()))
    assert run.state.avps == avps
    assert not any(not_kept(run, found) for found in avps)


@pytest.mark.parametrize(("is_integer", "values"), [(False, ["9", "word", "5"]), (True, [9, 5])])
def test_values_of_a_scheme(run: Any, is_integer: bool, values: list[Any]) -> None:
    assert add_values(run, [("5",), (None,), ("word",), (9,)], "x", is_integer) == len(values)
    assert run.state.avps == {"x": values}


@pytest.mark.pure
def test_columns(run: Any) -> None:
    x, y = Avp("$avp(s:x)", "x"), Avp("$avp(s:y)", "y")
    add_columns(run, [("a", 1, "z"), ("b", None, "z"), ("", 3, "z")], (x, y))
    assert run.state.avps == {"x": ["a", "b"], "y": [1, 3]}
    add_columns(run, [("c", None, 4)], ())
    assert {name: run.state.avps.get(name) for name in (1, 2, 3)} == {1: ["c"], 2: None, 3: [4]}
    add_columns(run, [], ())
    nameless = Avp("$avp($hdr(Absent))", lambda run: None)
    add_columns(run, [("a", "d")], (nameless, x))
    assert run.state.avps["x"][0] == "d"


@pytest.mark.parametrize(
    ("found", "value"),
    [
        (None, None), ("a", "a"), (5, 5), (True, 1), (-(2**31), -(2**31)), (2**31, "2147483648"), (b"a\xff", "a\udcff"),
        (memoryview(b"ab"), "ab"), (2.5, "2.5"), (Decimal("3"), "3"), (datetime.fromtimestamp(86400), 86400),
        (datetime.fromtimestamp(2**31), "2147483648"), (datetime.min, "0001-01-01 00:00:00"),
    ],
)  # fmt: skip
def test_values_of_the_database(found: Any, value: str | int | None) -> None:
    assert value_of(found) == value
