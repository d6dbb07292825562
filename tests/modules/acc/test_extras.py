from __future__ import annotations

from pathlib import Path

import pytest

from openpy.engine.module import ArgumentError
from openpy.engine.run import Run
from openpy.modules.acc.extras import read_extras, read_legs, read_pairs, sets_of, values_of
from openpy.sip.message import parse_message
from tests.engine.kit import Bench, request


def test_pairs() -> None:
    assert read_pairs(" a=$fu ; b = $avp(s:x);", 2) == [("a", "$fu"), ("b", "$avp(s:x)")]
    assert read_pairs("", 2) == []


@pytest.mark.parametrize("text", ["a", "=$fu", "a=", "a=fu", "a=$fu;b=$tu;c=$ru"])
def test_what_are_none(text: str) -> None:
    with pytest.raises(ArgumentError):
        read_pairs(text, 2)


@pytest.mark.parametrize("text", ["a=$fu", "a=$avp()", "a=$avp(x:y)"])
def test_legs_are_avps(text: str) -> None:
    with pytest.raises(ArgumentError):
        read_legs(text)


def test_values(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        loaded = bench.server.loaded
        assert loaded is not None
        run = Run(bench.server, parse_message(request()), bench.phone())
        extras = read_extras("user=$fU;agent=$ua;number=$cs", loaded.environment)
        assert values_of(extras, run) == ["alice", "", "7"]
        with pytest.raises(ArgumentError):
            read_extras("user=$nosuch", loaded.environment)


def test_the_sets_of_legs(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        run = Run(bench.server, parse_message(request()), bench.phone())
        legs = read_legs("from=$avp(s:f);to=$avp(i:5)")
        assert [(leg.name, leg.avp.text) for leg in legs] == [("from", "$avp(s:f)"), ("to", "$avp(i:5)")]
        assert sets_of([], run) == []
        assert sets_of(legs, run) == [["", ""]]
        run.state.avps = {"f": ["a", "b"], 5: [1]}
        assert sets_of(legs, run) == [["a", "1"], ["b", ""]]
