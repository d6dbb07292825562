from __future__ import annotations

from pathlib import Path

import pytest

from openpy.engine.run import Run
from openpy.engine.waiting import Wait
from openpy.sip.edits import Edits
from openpy.sip.message import Response
from tests.engine.kit import answer
from tests.modules.tm.forking import PHONES, forked


def test_a_reply_route_sees_each_reply(tmp_path: Path) -> None:
    more = 'onreply_route[1] { xlog("$rs"); if (t_check_status("18.")) xlog("rings"); }'
    with forked(tmp_path, 1, more=more, arm='t_on_reply("1");') as call:
        for status in (100, 180, 200, 200):
            call.answer(1, status)
        assert list(call.bench.printed()) == ["100", "180", "rings", "200", "200"]
        assert call.replies == ["180", "200"]


def test_a_reply_route_drops_a_provisional_reply_only(tmp_path: Path) -> None:
    with forked(tmp_path, 1, more="onreply_route[1] { drop; }", arm='t_on_reply("1");') as call:
        call.answer(1, 180)
        call.answer(1, 200)
        assert call.replies == ["200"]


def test_a_reply_route_changes_what_goes_up(tmp_path: Path) -> None:
    more = 'onreply_route[1] { append_hf("X-Seen: $rs\\r\\n"); }'
    with forked(tmp_path, 1, more=more, arm='t_on_reply("1");') as call:
        for status in (180, 200, 200):
            call.answer(1, status)
            assert call.last_reply.get("X-Seen") == str(status)
            assert len(call.last_reply.all("Via")) == 1


def test_a_reply_route_sees_where_the_reply_came_from(tmp_path: Path) -> None:
    more = 'onreply_route[1] { xlog("$si:$sp"); }'
    with forked(tmp_path, 1, more=more, arm='t_on_reply("1");') as call:
        data = answer(call.sent_to(1)[-1], 180)
        for host, port in ((PHONES[0], 5060), ("192.0.2.99", 6000)):
            call.bench.receive(data, call.bench.phone(host=host, port=port))
        assert list(call.bench.printed()) == ["192.0.2.11:5060", "192.0.2.99:6000"]


@pytest.mark.parametrize(("mode", "seen"), [(0, ["<null>", "before"]), (1, ["before", "after"])])
def test_onreply_avp_mode(tmp_path: Path, mode: int, seen: list[str]) -> None:
    more = f"""modparam("tm", "onreply_avp_mode", {mode})
        onreply_route[1] {{ xlog("$avp(s:x)"); $avp(s:x) := "after"; }}
        failure_route[1] {{ xlog("$avp(s:x)"); }}"""
    arm = 't_on_reply("1"); t_on_failure("1"); $avp(s:x) = "before";'
    with forked(tmp_path, 1, more=more, arm=arm) as call:
        call.answer(1, 486)
        assert list(call.bench.printed()) == seen


def test_flags_of_a_reply_route_are_those_of_the_transaction(tmp_path: Path) -> None:
    more = """onreply_route[1] { setflag(3); setbflag(0, 4); }
        failure_route[1] { xlog("$mf $bf"); }"""
    with forked(tmp_path, 1, more=more, arm='t_on_reply("1"); t_on_failure("1");') as call:
        call.answer(1, 486)
        assert list(call.bench.printed()) == ["8 16"]


def test_what_comes_while_a_reply_waits_has_its_turn_after_it(tmp_path: Path) -> None:
    with forked(tmp_path, 1, 2) as call:
        tm = call.bench.server.module("tm")
        assert tm is not None
        waits: list[Wait[None]] = []

        def delay(*_: object) -> Wait[None]:
            waits.append(Wait())
            return waits[-1]

        tm.bind().delays.append(delay)
        call.answer(1, 180)
        assert call.answer(1, 200) == []
        assert call.answer(2, 180) == []
        assert call.answer(2, 200) == []
        assert (call.replies, len(waits)) == (["180"], 1)
        waits[0].resolve(None)
        assert call.replies == ["180", "200", "200"]  # the second phone rang after the first had answered


@pytest.mark.parametrize("waits", [False, True])
def test_a_reply_that_cannot_be_dealt_with_keeps_nothing_back(tmp_path: Path, waits: bool) -> None:
    spoiled: list[Response] = []

    def spoil(response: Response, _: Edits) -> None:
        if response.to.tag == "phone2" and not spoiled:
            spoiled.append(response)
            raise ValueError("spoiled")

    def delay(run: Run, *_: object) -> None:
        run.state.reply_changes = (spoil,)

    with forked(tmp_path, 1, 2) as call:
        tm = call.bench.server.module("tm")
        assert tm is not None
        delays = tm.bind().delays
        delays.append(delay)
        call.answer(1, 200)
        if not waits:
            delays.clear()
        call.answer(2, 200)
        assert (call.replies, len(spoiled)) == (["200"], 1)
        assert any("spoiled" in line for line in call.bench.log)
        call.answer(2, 200)
        assert call.replies == ["200", "200"]
