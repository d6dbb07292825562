from __future__ import annotations

from pathlib import Path

import pytest

from openpy.engine.module import ArgumentError
from openpy.engine.named import NamedAvp, NamedAvpKind, avp_of, avp_written, variable
from openpy.engine.run import Run
from openpy.sip.message import parse_message
from tests.engine.kit import Bench, request


def run_in(bench: Bench) -> Run:
    return Run(bench.server, parse_message(request()), bench.phone())


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("$avp(s:name)", "name"),
        (" $avp(i:5) ", 5),
        ("s:name", "name"),
        ("i:5", 5),
        ("name", "name"),
        ("$avp(ident)", 81),
        ("$avp( Ident )", 81),
        ("ident", 81),
    ],
)
def test_an_avp_is_filled_and_read(tmp_path: Path, text: str, key: str | int) -> None:
    with Bench(tmp_path, more='avp_aliases="ident=i:81"') as bench:
        run = run_in(bench)
        avp = NamedAvpKind().convert(text, None)
        assert avp.read(run) is None
        avp.add(run, "old")
        avp.add(run, 7)
        assert run.state.avps == {key: [7, "old"]}
        assert avp.read(run) == 7
        assert avp.values(run) == [7, "old"]


@pytest.mark.parametrize("text", ["", "  ", "$fu", "$avp()", "x:1", "$avp(i:x)", "$avp($fu)"])
def test_what_names_no_avp(text: str) -> None:
    with pytest.raises(ArgumentError):
        NamedAvp(text)


def test_a_parameter_may_be_unset() -> None:
    assert avp_written("") == ""
    assert avp_of("") is None


@pytest.mark.parametrize(
    "text", ["$avp(s:timer)", "$avp(i:24)", "$avp( timer )", "s:timer", "i:24", "$avp(s:t) "]
)
def test_how_a_parameter_names_an_avp(text: str) -> None:
    assert avp_written(text) == text.strip()
    avp = avp_of(text)
    assert avp is not None
    assert avp.text == text.strip()


@pytest.mark.parametrize("text", ["$var(x)", "$fu", "timer", "$avp(i:x)", "$avp()", "$avp($fu)", " "])
def test_a_parameter_that_names_none(text: str) -> None:
    with pytest.raises(ArgumentError):
        avp_written(text)


def test_a_variable(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        assert variable("$(fu{uri.user})")(run_in(bench)) == "alice"
        assert variable("$var(x)")(run_in(bench)) == 0
    for text in ("", "alice", "$nothing", "$fu and more"):
        with pytest.raises(ArgumentError):
            variable(text)
