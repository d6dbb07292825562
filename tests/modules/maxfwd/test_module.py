from __future__ import annotations

from pathlib import Path

import pytest

from openpy.script.diagnostics import ScriptError
from tests.engine.kit import Bench, code_of, request

DESTINATION = "sip:bob@192.0.2.9"


def with_hops(value: str | None) -> bytes:
    return request("OPTIONS", DESTINATION, *([] if value is None else [f"Max-Forwards: {value}"]))


@pytest.mark.parametrize(
    ("value", "code", "sent"),
    [
        (None, 2, ["10"]),
        ("70", 1, ["69"]),
        ("10", 1, ["9"]),
        ("1", 1, ["0"]),
        ("0", -1, ["0"]),
        ("255", 1, ["254"]),
    ],
)
def test_hops_are_counted_down(tmp_path: Path, value: str | None, code: int, sent: list[str]) -> None:
    route = '$var(c) = mf_process_maxfwd_header("10"); xlog("$var(c)"); t_relay();'
    with Bench(tmp_path, route) as bench:
        (relayed,) = bench.receive(with_hops(value))
        assert list(bench.printed()) == [str(code)]
        assert relayed.all("Max-Forwards") == sent


def test_larger_values_are_lowered_to_the_limit(tmp_path: Path) -> None:
    route = 'mf_process_maxfwd_header("10"); t_relay();'
    with Bench(tmp_path, route, more='modparam("maxfwd", "max_limit", 50)') as bench:
        (relayed,) = bench.receive(with_hops("200"))
        assert relayed.all("Max-Forwards") == ["49"]


@pytest.mark.parametrize(("value", "code"), [("9", 1), ("10", -1), ("11", -1), ("0", 1), (None, -2)])
def test_is_maxfwd_lt(tmp_path: Path, value: str | None, code: int) -> None:
    assert code_of(tmp_path, 'is_maxfwd_lt("10")', with_hops(value)) == code


@pytest.mark.pure
def test_a_value_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests with one are refused before the script; a header that was read before is not."""
    monkeypatch.setattr("openpy.engine.dispatch.check_request", lambda request, limits: None)
    assert code_of(tmp_path, 'mf_process_maxfwd_header("10")', with_hops("many")) == 1
    assert code_of(tmp_path, 'is_maxfwd_lt("10")', with_hops("many")) == -3


@pytest.mark.parametrize(
    "call", ['mf_process_maxfwd_header("0")', 'is_maxfwd_lt("257")', 'is_maxfwd_lt("x")']
)
def test_hops_out_of_range_are_told_when_the_script_is_loaded(tmp_path: Path, call: str) -> None:
    with pytest.raises(ScriptError):
        Bench(tmp_path, f"{call};")


@pytest.mark.parametrize("limit", [0, 257])
def test_the_limit_has_its_own(tmp_path: Path, limit: int) -> None:
    with pytest.raises(ScriptError, match="max_limit is 1 to 256"):
        Bench(tmp_path, more=f'modparam("maxfwd", "max_limit", {limit})')


def test_more_hops_than_the_limit_are_told_when_the_script_is_loaded(tmp_path: Path) -> None:
    with pytest.raises(ScriptError, match="10 is not between 1 and 5"):
        Bench(tmp_path, 'mf_process_maxfwd_header("10");', more='modparam("maxfwd", "max_limit", 5)')
