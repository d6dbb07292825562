"""Relaying, answering and cancelling, beneath the script's functions."""

from __future__ import annotations

from pathlib import Path

import pytest

from openpy.engine.run import Run
from openpy.modules.tm.module import Tm
from openpy.modules.tm.relaying import Settings
from openpy.sip.message import parse_message
from tests.engine.kit import Bench, answer, request

NEXT = "sip:bob@192.0.2.9"
RELAY = 't_relay("0x02"); xlog("code $retcode");'


def starts(bench: Bench, data: bytes) -> list[str]:
    return [sent.start for sent in bench.receive(data)]


def test_settings_are_those_of_the_parameters(tmp_path: Path) -> None:
    more = 'modparam("tm", "fr_timer", 7) modparam("tm", "onreply_avp_mode", 1)'
    with Bench(tmp_path, more=more) as bench:
        module = bench.server.module("tm")
        assert isinstance(module, Tm)
        assert module._relaying.settings == Settings(7, 120, None, None, restart=True, reply_avps=True)


def test_an_invite_is_relayed_and_cancelled(tmp_path: Path) -> None:
    with Bench(tmp_path, "t_relay();") as bench:
        first, second = bench.receive(request("INVITE", NEXT))
        assert (first.start, second.start) == ("SIP/2.0 100 Giving a try", f"INVITE {NEXT} SIP/2.0")
        bench.receive(answer(second, 180))
        assert starts(bench, request("CANCEL", NEXT)) == ["SIP/2.0 200 canceling", f"CANCEL {NEXT} SIP/2.0"]


def test_a_cancel_of_nothing_is_relayed(tmp_path: Path) -> None:
    with Bench(tmp_path, "t_relay();") as bench:
        assert starts(bench, request("CANCEL", NEXT)) == [f"CANCEL {NEXT} SIP/2.0"]


def test_an_ack_is_passed_on(tmp_path: Path) -> None:
    with Bench(tmp_path, "t_relay();") as bench:
        assert starts(bench, request("ACK", NEXT)) == [f"ACK {NEXT} SIP/2.0"]
        assert bench.run_for(40) == []


@pytest.mark.parametrize(
    ("route", "sent", "code"),
    [
        ("t_relay();", ["SIP/2.0 476 Unresolvable destination (476/TM)"], []),
        (RELAY, [], ["code -4"]),
        ('t_replicate("sip:gone.invalid"); xlog("code $retcode");', [], ["code -4"]),
    ],
)
def test_what_cannot_be_sent(tmp_path: Path, route: str, sent: list[str], code: list[str]) -> None:
    with Bench(tmp_path, route) as bench:
        assert starts(bench, request(uri="sip:bob@gone.invalid")) == sent
        assert list(bench.printed()) == code


def test_a_second_relay_adds_a_branch(tmp_path: Path) -> None:
    with Bench(tmp_path, 't_relay(); $ru = "sip:bob@192.0.2.10"; t_relay();') as bench:
        assert starts(bench, request(uri=NEXT)) == [
            f"OPTIONS {NEXT} SIP/2.0",
            "OPTIONS sip:bob@192.0.2.10 SIP/2.0",
        ]


def test_the_avps_of_the_timers(tmp_path: Path) -> None:
    more = 'modparam("tm", "fr_timer_avp", "$avp(s:t)") modparam("tm", "fr_inv_timer_avp", "$avp(s:i)")'
    with Bench(tmp_path, "$avp(s:t) = 3; $avp(s:i) = 5; t_relay();", more=more) as bench:
        bench.receive(request("INVITE", NEXT))
        assert "SIP/2.0 408 Request Timeout" in [sent.start for sent in bench.run_for(4)]


def test_somebody_outside_answers(tmp_path: Path) -> None:
    with Bench(
        tmp_path,
        't_newtran(); append_to_reply("X: y\\r\\n"); sleep(100);',
        modules=("tm", "textops", "cfgutils"),
    ) as bench:
        bench.receive(request("INVITE"))
        module = bench.server.module("tm")
        assert isinstance(module, Tm)
        (transaction,) = bench.server.transactions._servers.transactions.values()
        relaying = module._relaying
        assert relaying.answer_outside(bench.server, transaction, 486, "Busy", ("tag", "A: b\r\n", b""))
        assert bench.sent[-1].start == "SIP/2.0 486 Busy"
        assert bench.sent[-1].get("A") == "b"
        assert not relaying.answer_outside(bench.server, transaction, 486, "Busy", ("", "", b""))


def test_waiting_for_somebody_outside(tmp_path: Path) -> None:
    with Bench(tmp_path, "t_relay();", more='modparam("tm", "fr_timer", 3)') as bench:
        module = bench.server.module("tm")
        assert isinstance(module, Tm)
        run = Run(bench.server, parse_message(request("INVITE")), bench.phone())
        module._relaying.wait_for_application(run)
        assert [sent.start for sent in bench.run_for(4)][:1] == ["SIP/2.0 408 Request Timeout"]


@pytest.mark.parametrize(
    ("old", "new"),
    [("call-1", "call-2"), ("CSeq: 7", "CSeq: 8"), ("tag=a1", "tag=a2"), ("z9hG4bKtest", "z9hG4bKx")],
)
def test_who_guesses_a_branch_takes_nothing_back(tmp_path: Path, old: str, new: str) -> None:
    with Bench(tmp_path, "t_relay();") as bench:
        (_, invite) = bench.receive(request("INVITE", "sip:bob@192.0.2.9"))
        bench.receive(answer(invite, 180))
        cancel = request("CANCEL", "sip:bob@192.0.2.9")
        assert old.encode() in cancel
        sent = bench.receive(cancel.replace(old.encode(), new.encode()))
        assert [each.start for each in sent] == ["CANCEL sip:bob@192.0.2.9 SIP/2.0"], "a request of its own"
        assert sent[0].get("Via") != invite.get("Via")
        assert starts(bench, answer(invite, 200)) == ["SIP/2.0 200 Reason"]


def test_one_that_was_made_up_does_not_keep_the_genuine_one_out(tmp_path: Path) -> None:
    with Bench(tmp_path, "t_relay();") as bench:
        (_, invite) = bench.receive(request("INVITE", "sip:bob@192.0.2.9"))
        bench.receive(answer(invite, 180))
        cancel = request("CANCEL", "sip:bob@192.0.2.9")
        (forged,) = bench.receive(cancel.replace(b"call-1", b"call-2"))
        assert starts(bench, answer(forged, 481)) == ["SIP/2.0 481 Reason"]
        assert starts(bench, cancel) == ["SIP/2.0 200 canceling", "CANCEL sip:bob@192.0.2.9 SIP/2.0"]
        assert starts(bench, cancel) == ["SIP/2.0 200 canceling"], "it came again"


WAITS = ("sl", "tm", "cfgutils", "xlog")


def test_a_cancel_while_the_route_waits(tmp_path: Path) -> None:
    """RFC 3261 9.2: nothing is under way yet, so the INVITE is answered, and goes nowhere any more."""
    route = 'if (is_method("INVITE")) sleep(1); $var(c) = t_relay(); xlog("$var(c)");'
    with Bench(tmp_path, route, modules=(*WAITS, "textops")) as bench:
        bench.receive(request("INVITE", "sip:bob@192.0.2.9"))
        assert starts(bench, request("CANCEL", "sip:bob@192.0.2.9")) == [
            "SIP/2.0 200 canceling",
            "SIP/2.0 487 Request Terminated",
        ]
        assert starts(bench, request("ACK", "sip:bob@192.0.2.9")) == []
        assert bench.run_for(60) == []
        assert bench.server.transactions.servers_in_use == 0


@pytest.mark.parametrize("more_targets", ["", 'append_branch("sip:bob@192.0.2.8");'])
def test_a_cancel_while_a_branch_route_waits(tmp_path: Path, more_targets: str) -> None:
    route = f't_on_branch("1"); {more_targets} t_relay();'
    with Bench(tmp_path, route, more="branch_route[1] { sleep(1); }", modules=WAITS) as bench:
        bench.receive(request("INVITE", "sip:bob@192.0.2.9"))
        assert starts(bench, request("CANCEL", "sip:bob@192.0.2.9")) == ["SIP/2.0 200 canceling"]
        assert {sent.start for sent in bench.run_for(5)} == {"SIP/2.0 487 Request Terminated"}


def test_a_further_relay_that_fails_leaves_the_first_under_way(tmp_path: Path) -> None:
    route = 't_relay(); $ru = "sip:bob@nowhere.example"; $var(c) = t_relay(); xlog("$var(c)");'
    with Bench(tmp_path, route) as bench:
        trying, invite = bench.receive(request("INVITE", "sip:bob@192.0.2.9"))
        assert trying.start == "SIP/2.0 100 Giving a try"
        assert list(bench.printed()) == ["-4"]
        assert starts(bench, answer(invite, 200)) == ["SIP/2.0 200 Reason"]


def test_a_copy_does_not_take_the_cancel_of_what_was_relayed(tmp_path: Path) -> None:
    route = 't_relay(); if (is_method("INVITE")) t_replicate("sip:192.0.2.8");'
    with Bench(tmp_path, route) as bench:
        _, invite, copy = bench.receive(request("INVITE", "sip:bob@192.0.2.9"))
        assert copy.to == "udp:192.0.2.8:5060"
        bench.receive(answer(invite, 180))
        assert starts(bench, request("CANCEL", "sip:bob@192.0.2.9")) == [
            "SIP/2.0 200 canceling",
            "CANCEL sip:bob@192.0.2.9 SIP/2.0",
        ]


def test_a_copy_that_cannot_be_sent_changes_nothing_for_what_was_relayed(tmp_path: Path) -> None:
    route = 't_relay(); if (is_method("INVITE")) t_replicate("sip:nowhere.example");'
    with Bench(tmp_path, route) as bench:
        _, invite = bench.receive(request("INVITE", "sip:bob@192.0.2.9"))
        bench.receive(answer(invite, 180))
        assert starts(bench, request("CANCEL", "sip:bob@192.0.2.9"))[1:] == [
            "CANCEL sip:bob@192.0.2.9 SIP/2.0"
        ]


def test_an_error_of_ours_behind_t_relay_takes_the_branches_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> int:
        raise ValueError("ours")

    monkeypatch.setattr("openpy.modules.tm.module.status_of", fail)
    with Bench(tmp_path, 't_relay(); t_check_status("1");') as bench:
        _, invite, error = bench.receive(request("INVITE", "sip:bob@192.0.2.9"))
        assert error.start == "SIP/2.0 500 Server Internal Error"
        assert starts(bench, answer(invite, 180)) == ["CANCEL sip:bob@192.0.2.9 SIP/2.0"]
