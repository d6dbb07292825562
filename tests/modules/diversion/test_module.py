from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.kit import MODULES, Bench, answer, request

NEXT = "sip:bob@192.0.2.9"
LOADS = (*MODULES, "diversion")


def diversions(folder: Path, call: str, *headers: str, more: str = "") -> list[str]:
    route = f'{call}; xlog("$retcode"); $ru = "{NEXT}"; t_relay();'
    with Bench(folder, route, more=more, modules=LOADS) as bench:
        bench.receive(request("INVITE", "sip:alice@example.com", *headers))
        (code,) = bench.printed()
        return [code, *bench.sent[-1].all("Diversion")]


def test_who_was_called(tmp_path: Path) -> None:
    call = '$ru = "sip:new@example.com"; add_diversion("user-busy")'
    assert diversions(tmp_path, call) == ["1", "<sip:alice@example.com>;reason=user-busy"]


def test_the_newest_is_on_top(tmp_path: Path) -> None:
    first = "Diversion: <sip:carol@example.com>;reason=unknown"
    assert diversions(tmp_path, 'add_diversion("$rm")', first) == [
        "1",
        "<sip:alice@example.com>;reason=INVITE",
        first.partition(" ")[2],
    ]


def test_the_suffix(tmp_path: Path) -> None:
    more = 'modparam("diversion", "suffix", ";privacy=full")'
    assert diversions(tmp_path, 'add_diversion("away")', more=more) == [
        "1",
        "<sip:alice@example.com>;reason=away;privacy=full",
    ]


@pytest.mark.parametrize("reason", ["", "a b", "a;b=c", "a,b", "$(hdr(X))"])
def test_what_is_no_reason(tmp_path: Path, reason: str) -> None:
    assert diversions(tmp_path, f'add_diversion("{reason}")') == ["-1"]


def test_in_a_failure_route(tmp_path: Path) -> None:
    more = """failure_route[1] { add_diversion("busy"); append_branch("sip:bob@192.0.2.10"); t_relay(); }"""
    with Bench(tmp_path, 't_on_failure("1"); t_relay();', more=more, modules=LOADS) as bench:
        bench.receive(request("INVITE", NEXT))
        bench.receive(answer(bench.sent[-1], 486))
        sent = next(each for each in bench.sent if each.start.startswith("INVITE sip:bob@192.0.2.10"))
        assert sent.get("Diversion") == f"<{NEXT}>;reason=busy"
