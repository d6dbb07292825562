from __future__ import annotations

from pathlib import Path

import pytest

from openpy.engine.destinations import Destination
from openpy.engine.named import NamedAvp
from openpy.engine.run import Run
from openpy.modules.tm.arguments import FlagsKind, TargetKind, WordKind, at_least_2, seconds_in
from openpy.script.environment import ArgumentError, Environment
from openpy.script.values import Value
from openpy.sip.message import parse_message
from tests.engine.kit import Bench, request

ENVIRONMENT = Environment()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("0x03", 3),
        ("4", 4),
        ("udp:192.0.2.9:5070", Destination("udp", "192.0.2.9", 5070)),
        ("gw.example", Destination("", "gw.example", 0, is_name=True)),
    ],
)
def test_flags_or_a_destination(text: str, found: int | Destination) -> None:
    assert TargetKind().convert(text, ENVIRONMENT) == found


def test_flags_are_numbers() -> None:
    assert FlagsKind().convert("0x10", ENVIRONMENT) == 16
    with pytest.raises(ArgumentError, match="written as 0x01"):
        FlagsKind().convert("many", ENVIRONMENT)


def test_words() -> None:
    kind = WordKind(("all", "last"))
    assert kind.description == "one of all, last"
    assert kind.convert("last", ENVIRONMENT) == "last"
    with pytest.raises(ArgumentError, match='"first" is none of all, last'):
        kind.convert("first", ENVIRONMENT)


@pytest.mark.parametrize(
    ("values", "seconds"), [([], None), ([7], 7), (["8"], 8), ([0], None), (["soon"], None), ([9, 7], 9)]
)
def test_the_seconds_in_an_avp(tmp_path: Path, values: list[Value], seconds: int | None) -> None:
    with Bench(tmp_path, more='avp_aliases="timer=s:t"') as bench:
        run = Run(bench.server, parse_message(request()), bench.phone())
        if values:
            run.state.avps["t"] = values
        assert [seconds_in(run, NamedAvp(text)) for text in ("$avp(s:t)", "s:t", "$avp(timer)")] == [
            seconds
        ] * 3
        assert sum("holds no number of seconds: soon" in line for line in bench.log) == 3 * ("soon" in values)


def test_what_is_too_small() -> None:
    assert at_least_2(2) == 2
    with pytest.raises(ArgumentError, match="must be at least 2"):
        at_least_2(1)
