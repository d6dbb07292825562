from __future__ import annotations

from pathlib import Path

import pytest

from openpy.engine.flags import FlagKind, allot, declare
from openpy.script.diagnostics import Diagnostic
from openpy.script.environment import ArgumentError, Environment
from openpy.script.syntax import FlagName
from tests.engine.kit import Bench, request


def test_declared_names_have_their_numbers_and_others_free_ones() -> None:
    found: list[Diagnostic] = []
    names = [FlagName("A", None), FlagName("B", 31), FlagName("C", 5), FlagName("D", None)]
    assert declare(names, found) == {"B": 31, "C": 5, "A": 30, "D": 29}
    assert found == []


def test_names_that_are_wrong() -> None:
    found: list[Diagnostic] = []
    names = [FlagName("A", 1), FlagName("A", 2), FlagName("B", None), FlagName("B", 3), FlagName("C", 32)]
    assert declare(names, found) == {"A": 1, "B": 31}
    assert [d.message for d in found] == [
        "the flag A has a number already",
        "the flag B has a number already",
        "flag 32 is not between 0 and 31",
    ]


def test_there_are_32_flags() -> None:
    flags = {f"F{n}": n for n in range(31)}
    allot(flags, "LAST")
    assert flags["LAST"] == 31
    with pytest.raises(ArgumentError, match="no flag is left for MORE"):
        allot(flags, "MORE")
    found: list[Diagnostic] = []
    declare([FlagName(f"F{n}", None) for n in range(33)], found)
    assert len(found) == 1


def test_numbers_and_names_of_a_call() -> None:
    environment = Environment(flags={"A": 1})
    kind = FlagKind()
    assert [kind.convert(text, environment) for text in ("7", "A", "B", "B")] == [7, 1, 31, 31]
    assert kind.convert_name("A", environment) == 1
    for text in ("32", "-1", "a-b", ""):
        with pytest.raises(ArgumentError):
            kind.convert(text, environment)
    with pytest.raises(ArgumentError, match="there is no flag C"):
        kind.convert_name("C", environment)


def test_a_flag_is_the_same_by_name_and_by_number(tmp_path: Path) -> None:
    more = "flags ACC:3, OTHER;"
    route = 'setflag(ACC); setflag("MISSED"); setsflag(OTHER); xlog("$mf $sf\\n"); if (isflagset(3)) xlog("is set\\n");'
    with Bench(tmp_path, route, more=more) as bench:
        bench.receive(request())
    assert bench.log[-2:] == [f"ERROR:script: {1 << 3 | 1 << 30} {1 << 31}", "ERROR:script: is set"]
