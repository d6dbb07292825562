from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from openpy.engine.state import State
from openpy.modules.avpops.values import add, drop, keep, kept, not_kept, number_in, plain


@pytest.fixture
def run() -> Any:
    return SimpleNamespace(state=State())


def test_a_new_value_is_the_first(run: Any) -> None:
    add(run, "x", "a")
    add(run, "x", 2)
    assert run.state.avps == {"x": [2, "a"]}


def test_values_are_dropped_by_their_places(run: Any) -> None:
    run.state.avps["x"] = ["a", "b", "c"]
    drop(run, "x", {0, 2})
    assert run.state.avps == {"x": ["b"]}
    drop(run, "x", (0,))
    drop(run, "none", (0,))
    assert run.state.avps == {}


@pytest.mark.parametrize("value", ["a", 5, ""])
def test_what_the_database_has_is_told_by_its_name(run: Any, value: str | int) -> None:
    run.state.avps |= {"x": [kept(value, "x"), value, None], 5: [kept(value, "x")]}
    assert run.state.avps["x"][0] == value
    assert not_kept(run, "x") == [value]
    assert not_kept(run, 5) == [value], "a copy under another name"
    keep(run, "x", run.state.avps["x"][1])
    assert not_kept(run, "x") == []
    keep(run, "none", value)


@pytest.mark.parametrize("value", ["a", 5])
def test_plain_values_have_no_mark(value: str | int) -> None:
    assert type(plain(kept(value, "x"))) is type(value)
    assert plain(kept(value, "x")) == value


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("5", 5), ("-5", -5), ("+5", 5), ("4294967291", -5), ("18446744073709551611", -5), ("", None), ("x", None),
        ("5x", None), (" 5", None), ("0x5", None), ("٣", None), ("1" * 5000, None),
    ],
)  # fmt: skip
def test_numbers_in_texts(text: str, number: int | None) -> None:
    assert number_in(text) == number
