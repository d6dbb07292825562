from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from openpy.engine.run import Run
from openpy.engine.state import State
from openpy.modules.dispatcher.failover import Names, current, names_of
from openpy.modules.dispatcher.sets import Sets
from tests.engine.kit import answer, request
from tests.modules.dispatcher.kit import AVPS, A, B, C, balancer


def test_the_avps(tmp_path: Path) -> None:
    route = """$avp(i:271) = "older"; ds_select_dst("1", "9");
    xlog("$(avp(i:271)[*]) $avp(i:272) $avp(s:count)");"""
    with balancer(tmp_path, route, more=AVPS) as bench:
        bench.receive(request())
        (printed,) = bench.printed()
        assert printed.replace(", ", ";").replace(",", ";").split() == [f"{A};{B};{C};older", "1", "3"]


def test_without_fail_over_there_are_none(tmp_path: Path) -> None:
    more = AVPS.replace('"flags", 2', '"flags", 0')
    with balancer(tmp_path, 'ds_select_dst("1", "9"); xlog("$avp(i:271) $avp(i:272)");', more=more) as bench:
        bench.receive(request())
        assert list(bench.printed()) == ["<null> <null>"]


def test_each_is_tried_once(tmp_path: Path) -> None:
    more = (
        AVPS + 'failure_route[1] { if (ds_next_dst()) { t_on_failure("1"); t_relay(); } else xlog("all"); }'
    )
    route = 'ds_select_dst("1", "9"); t_on_failure("1"); t_relay();'
    with balancer(tmp_path, route, more=more) as bench:
        bench.receive(request("INVITE", "sip:bob@biloxi.example"))
        for _ in range(3):
            sent = next(each for each in reversed(bench.sent) if each.start.startswith("INVITE "))
            bench.receive(answer(sent, 503))
        invites = [each for each in bench.sent if each.start.startswith("INVITE ")]
        assert [each.to for each in invites] == [f"udp:192.0.2.{n}:5060" for n in (11, 12, 13)]
        assert {each.start for each in invites} == {"INVITE sip:bob@biloxi.example SIP/2.0"}
        assert list(bench.printed()) == ["all"]
        assert bench.sent[-1].start == "SIP/2.0 500 Server Internal Error"  # RFC 3261 16.7: of a 503


@pytest.mark.pure  # the run is none
def test_what_the_avps_name() -> None:
    names = names_of("$avp(i:5)", "s:set", "")
    assert names.number is None
    sets = Sets([(1, A)])
    state = State()
    run = cast(Run, SimpleNamespace(state=state))
    assert current(run, names, sets) is None
    state.avps = {5: [A], "set": [1]}
    assert current(run, names, sets) is sets.find(1, A)
    state.avps = {5: [A], "set": ["1"]}
    assert current(run, names, sets) is None
    assert current(run, Names(), sets) is None
