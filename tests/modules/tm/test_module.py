from __future__ import annotations

from pathlib import Path

import pytest

from openpy.script.diagnostics import ScriptError
from tests.engine.kit import Bench, answer, code_of, request

NEXT = "sip:bob@192.0.2.9"
BUSY = 't_reply("486", "Busy")'


def starts(bench: Bench, data: bytes) -> list[str]:
    return [sent.start for sent in bench.receive(data)]


# --- t_newtran, t_reply, t_release, t_check_trans -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "call", "method", "code"),
    [
        (";", "t_newtran()", "OPTIONS", 1),
        (";", "t_newtran()", "ACK", 1),
        ("t_newtran();", "t_newtran()", "OPTIONS", -10),
        (";", BUSY, "OPTIONS", -1),
        ("t_newtran();", BUSY, "OPTIONS", 1),
        ("t_newtran();", BUSY, "ACK", -1),
        (";", "t_release()", "OPTIONS", 1),
        ("t_newtran();", "t_release()", "OPTIONS", 1),
        (f"t_newtran(); {BUSY};", "t_release()", "OPTIONS", 1),
        (";", "t_check_trans()", "OPTIONS", -1),
        ("t_newtran();", "t_check_trans()", "OPTIONS", -1),
        (";", "t_check_trans()", "CANCEL", -1),
        (";", "t_check_trans()", "ACK", -1),
    ],
)
def test_return_codes(tmp_path: Path, before: str, call: str, method: str, code: int) -> None:
    assert code_of(tmp_path, call, request(method), before=before) == code


def test_cancel_and_ack_find_their_invite(tmp_path: Path) -> None:
    route = """if (is_method("INVITE")) { t_newtran(); t_reply("200", "OK"); exit; }
        $var(c) = t_check_trans(); xlog("$rm $var(c)");"""
    with Bench(tmp_path, route) as bench:
        bench.receive(request("INVITE"))
        bench.receive(request("CANCEL"))
        bench.receive(request("ACK"))
        bench.receive(request("ACK", branch="z9hG4bKother"))
        assert list(bench.printed()) == ["CANCEL 1", "ACK 1", "ACK -1"]


def test_a_stateful_reply_is_repeated_until_the_ack(tmp_path: Path) -> None:
    with Bench(tmp_path, f"t_newtran(); {BUSY};") as bench:
        assert starts(bench, request("INVITE")) == ["SIP/2.0 486 Busy"]
        assert [sent.start for sent in bench.run_for(2)] == ["SIP/2.0 486 Busy"] * 2
        bench.receive(request("ACK"))
        assert bench.run_for(60) == []
        assert bench.server.transactions.servers_in_use == 0


def test_a_released_transaction_leaves_nothing(tmp_path: Path) -> None:
    with Bench(tmp_path, "t_newtran(); t_release();") as bench:
        bench.receive(request())
        assert bench.server.transactions.servers_in_use == 0


@pytest.mark.parametrize("call", ["t_newtran()", 't_relay("udp:192.0.2.9:5060")', "t_relay()"])
def test_without_room_for_a_transaction_the_request_is_refused(tmp_path: Path, call: str) -> None:
    with Bench(tmp_path, f'{call}; xlog("went on");') as bench:
        bench.server.transactions.capacity = 0
        (sent,) = bench.receive(request(uri=NEXT))
        assert sent.start == "SIP/2.0 503 Server overloaded"
        assert sent.get("Retry-After") == "2"
        assert list(bench.printed()) == []


def test_max_transactions_ends_finished_ones_early(tmp_path: Path) -> None:
    route = 't_newtran(); t_reply("200", "OK");'
    with Bench(tmp_path, route, more='modparam("tm", "max_transactions", 2)') as bench:
        for number in range(3):
            assert starts(bench, request(branch=f"z9hG4bK{number}")) == ["SIP/2.0 200 OK"]
        assert bench.server.transactions.servers_in_use == 1
        assert ("tm", "early_ends", 2) in list(bench.server.statistics)


@pytest.mark.parametrize("method", ["OPTIONS", "CANCEL"])
def test_an_error_reply_needs_room_too(tmp_path: Path, method: str) -> None:
    with Bench(tmp_path, "t_relay();") as bench:
        bench.receive(request("INVITE", NEXT))
        bench.server.transactions.capacity = 0
        branch = "z9hG4bKtest" if method == "CANCEL" else "z9hG4bKnew"
        assert starts(bench, request(method, "sip:b@unknown.invalid", branch=branch)) == [
            "SIP/2.0 503 Server overloaded"
        ]


# --- t_relay: errors ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("uri", "code", "reply"),
    [
        ("sip:bob@unknown.invalid", -4, "SIP/2.0 476 Unresolvable destination (476/TM)"),
        ("sip:bob@192.0.2.66", -5, "SIP/2.0 473 Filtered destination (473/TM)"),
        ("sips:bob@192.0.2.9", -2, "SIP/2.0 475 Bad URI (475/TM)"),
        ("tel:+12345", -2, "SIP/2.0 475 Bad URI (475/TM)"),
        ("sip:bob@192.0.2.9;transport=sctp", -2, "SIP/2.0 475 Bad URI (475/TM)"),
    ],
)
def test_what_cannot_be_sent_on(tmp_path: Path, uri: str, code: int, reply: str) -> None:
    more = 'dst_blacklist=no:{(any,192.0.2.66,0,"")}'
    before = 'use_blacklist("no");'
    with Bench(tmp_path, f'{before} t_relay(); xlog("never");', more=more) as bench:
        assert starts(bench, request(uri=uri)) == [reply]
        assert list(bench.printed()) == []
    assert code_of(tmp_path, 't_relay("0x02")', request(uri=uri), before=before, more=more) == code
    assert code_of(tmp_path, "t_relay()", request("ACK", uri), before=before, more=more) == code


def test_a_connection_that_does_not_come_up(tmp_path: Path) -> None:
    with Bench(tmp_path, "t_relay();") as bench:
        assert bench.receive(request(uri=f"{NEXT};transport=tcp")) == []
        bench.server.connecting[0][1].resolve(None)
        assert [sent.start for sent in bench.sent] == ["SIP/2.0 477 Send failed (477/TM)"]


@pytest.mark.parametrize("uri", ["sip:bob@unknown.invalid", "sip:bob@192.0.2.9;transport=tcp"])
def test_what_cannot_be_sent_on_leaves_no_transaction_behind(tmp_path: Path, uri: str) -> None:
    with Bench(tmp_path, 't_relay("0x02"); sl_reply_error();') as bench:
        bench.receive(request("MESSAGE", uri))
        for _, wait in bench.server.connecting:
            wait.resolve(None)
        assert [sent.start[:11] for sent in bench.sent] == [
            "SIP/2.0 476" if "unknown" in uri else "SIP/2.0 477"
        ]
        assert bench.server.transactions.servers_in_use == 0


# --- t_relay: destinations --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("route", "target"),
    [
        ("t_relay();", "udp:192.0.2.9:5060"),
        ('t_relay("udp:192.0.2.20:5070");', "udp:192.0.2.20:5070"),
        ('t_relay("192.0.2.20");', "udp:192.0.2.20:5060"),
        ('t_relay("gw.example:5070");', "udp:192.0.2.77:5070"),
        ('rewritehost("gw.example"); t_relay();', "udp:192.0.2.77:5060"),
        ('t_relay("192.0.2.20:5070");', "udp:192.0.2.20:5070"),
        ('t_relay("udp:[2001:db8::1]");', "udp:2001:db8::1:5060"),
        ('t_relay("udp:[2001:db8::1]:5070","0x01");', "udp:2001:db8::1:5070"),
        ('setdsturi("sip:192.0.2.30:5080"); t_relay();', "udp:192.0.2.30:5080"),
        ('rewritehostport("192.0.2.40:5090"); t_relay("0x05");', "udp:192.0.2.40:5090"),
        ('rewriteuri("sip:x@y.example;maddr=192.0.2.50"); t_relay();', "udp:192.0.2.50:5060"),
    ],
)
def test_where_a_request_goes(tmp_path: Path, route: str, target: str) -> None:
    with Bench(tmp_path, route) as bench:
        bench.server.hosts["gw.example"] = ("192.0.2.77",)
        (sent,) = bench.receive(request(uri=NEXT))
        assert sent.to == target


@pytest.mark.parametrize(
    ("call", "text"),
    [
        ('t_relay("tls:192.0.2.1")', "sends by udp and tcp"),
        ('t_relay("host..example:5060")', "names no host"),
        ('t_relay("udp:192.0.2.1:x")', "is no address"),
        ('t_relay("udp:192.0.2.1:5060","x")', "is no number"),
        ('t_reply("99","x")', "is not between 100 and 699"),
        ('t_reply("x","x")', "bad number"),
    ],
)
def test_arguments_are_checked_when_the_script_is_loaded(tmp_path: Path, call: str, text: str) -> None:
    with pytest.raises(ScriptError, match=text):
        Bench(tmp_path, f"{call};")


# --- t_relay: what is sent --------------------------------------------------------------------------------------


def test_an_invite_is_relayed_in_virtual_time(tmp_path: Path) -> None:
    with Bench(tmp_path, "t_relay();") as bench:
        trying, invite = bench.receive(request("INVITE", NEXT))
        assert (trying.start, trying.to) == ("SIP/2.0 100 Giving a try", "udp:192.0.2.1:5066")
        assert invite.start == f"INVITE {NEXT} SIP/2.0"
        ours, theirs = invite.all("Via")
        assert ours.startswith("SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK")
        assert theirs == "SIP/2.0/UDP 192.0.2.1:5066;branch=z9hG4bKtest"
        assert bench.receive(answer(invite, 100)) == []
        (ringing,) = bench.receive(answer(invite, 180, "Ringing"))
        (ok,) = bench.receive(answer(invite, 200, "OK"))
        for reply, start in ((ringing, "SIP/2.0 180 Ringing"), (ok, "SIP/2.0 200 OK")):
            assert (reply.start, reply.to) == (start, "udp:192.0.2.1:5066")
            assert reply.all("Via") == [theirs]
        (ack,) = bench.receive(request("ACK", NEXT, branch="z9hG4bKack", to_tag="b1"))
        assert (ack.start, ack.to) == (f"ACK {NEXT} SIP/2.0", "udp:192.0.2.9:5060")
        assert bench.run_for(100) == []


def test_a_failure_is_acknowledged_hop_by_hop(tmp_path: Path) -> None:
    with Bench(tmp_path, "t_relay();") as bench:
        _, invite = bench.receive(request("INVITE", NEXT))
        ack, busy = bench.receive(answer(invite, 486, "Busy"))
        assert ack.start == f"ACK {NEXT} SIP/2.0"
        assert ack.get("Via") == invite.get("Via")
        assert busy.start == "SIP/2.0 486 Busy"
        assert bench.receive(request("ACK", NEXT, to_tag="b1")) == []
        assert bench.run_for(100) == []


def test_without_the_automatic_100(tmp_path: Path) -> None:
    with Bench(tmp_path, 't_relay("0x01");') as bench:
        assert starts(bench, request("INVITE", NEXT)) == [f"INVITE {NEXT} SIP/2.0"]


def test_requests_are_repeated_and_their_retransmissions_absorbed(tmp_path: Path) -> None:
    with Bench(tmp_path, "t_relay();") as bench:
        (sent,) = bench.receive(request(uri=NEXT))
        assert [again.data == sent.data for again in bench.run_for(4)] == [True, True, True]
        assert bench.receive(request(uri=NEXT)) == []
        bench.receive(answer(sent, 200))
        (again,) = bench.receive(request(uri=NEXT))
        assert again.start == "SIP/2.0 200 Reason"


def test_t1_and_t2_take_effect(tmp_path: Path) -> None:
    more = 'modparam("tm", "T1_timer", 1000) modparam("tm", "T2_timer", 2000) modparam("tm", "fr_timer", 9)'
    with Bench(tmp_path, "t_relay();", more=more) as bench:
        bench.receive(request(uri=NEXT))
        times = []
        for _ in range(80):
            times += [round(bench.clock.now - 100.1, 1)] * len(
                [sent for sent in bench.run_for(0.1) if sent.start.startswith("OPTIONS")]
            )
        assert [round(time + 0.1, 0) for time in times] == [1, 3, 5, 7]


@pytest.mark.parametrize(("method", "timer"), [("OPTIONS", 7), ("INVITE", 7), ("OPTIONS", 0), ("INVITE", 0)])
def test_silence_becomes_a_408_at_fr_timer(tmp_path: Path, method: str, timer: int) -> None:
    more = f'modparam("tm", "fr_timer", {timer})' if timer else ""
    with Bench(tmp_path, "t_relay();", more=more) as bench:
        bench.receive(request(method, NEXT))
        bench.run_for((timer or 30) - 0.5)
        assert not [sent for sent in bench.sent if "408" in sent.start]
        (timeout,) = [sent for sent in bench.run_for(0.8) if sent.start.startswith("SIP/2.0")]
        assert timeout.start == "SIP/2.0 408 Request Timeout"
        assert ";tag=" in timeout.get("To")


def test_an_unanswered_call_is_given_up_at_fr_inv_timer(tmp_path: Path) -> None:
    with Bench(tmp_path, "t_relay();", more='modparam("tm", "fr_inv_timer", 10)') as bench:
        _, invite = bench.receive(request("INVITE", NEXT))
        bench.receive(answer(invite, 180))
        bench.run_for(8)
        bench.receive(answer(invite, 180))
        assert not [sent for sent in bench.run_for(9.5) if "408" in sent.start or "CANCEL" in sent.start]
        cancel, timeout = bench.run_for(0.7)
        assert (cancel.start, timeout.start) == (f"CANCEL {NEXT} SIP/2.0", "SIP/2.0 408 Request Timeout")
        bench.receive(request("ACK", NEXT))
        (ack,) = bench.receive(answer(invite, 487))
        assert ack.start == f"ACK {NEXT} SIP/2.0"


def test_an_answered_call_is_not_given_up(tmp_path: Path) -> None:
    with Bench(tmp_path, "t_relay();", more='modparam("tm", "fr_inv_timer", 10)') as bench:
        _, invite = bench.receive(request("INVITE", NEXT))
        bench.receive(answer(invite, 180))
        bench.receive(answer(invite, 200))
        assert bench.run_for(100) == []


# --- CANCEL ---------------------------------------------------------------------------------------------------------


def test_a_cancel_is_answered_and_follows_the_branch(tmp_path: Path) -> None:
    with Bench(tmp_path, "t_relay();") as bench:
        _, invite = bench.receive(request("INVITE", NEXT))
        bench.receive(answer(invite, 180))
        ok, cancel = bench.receive(request("CANCEL", NEXT))
        assert ok.start == "SIP/2.0 200 canceling"
        assert (cancel.start, cancel.to) == (f"CANCEL {NEXT} SIP/2.0", "udp:192.0.2.9:5060")
        assert cancel.get("Via") == invite.get("Via")
        assert bench.receive(answer(cancel, 200)) == []
        ack, terminated = bench.receive(answer(invite, 487, "Request Terminated"))
        assert ack.start.startswith("ACK ")
        assert terminated.start == "SIP/2.0 487 Request Terminated"


def test_a_cancel_waits_for_the_first_provisional_reply(tmp_path: Path) -> None:
    with Bench(tmp_path, "t_relay();") as bench:
        _, invite = bench.receive(request("INVITE", NEXT))
        assert starts(bench, request("CANCEL", NEXT)) == ["SIP/2.0 200 canceling"]
        assert starts(bench, answer(invite, 100)) == [f"CANCEL {NEXT} SIP/2.0"]


def test_a_cancel_waits_for_the_connection(tmp_path: Path) -> None:
    uri = f"{NEXT};transport=tcp"
    with Bench(tmp_path, "t_relay();") as bench:
        bench.receive(request("INVITE", uri))
        assert starts(bench, request("CANCEL", uri)) == ["SIP/2.0 200 canceling"]
        ((flow, wait),) = bench.server.connecting
        wait.resolve(flow)
        invite = bench.sent[-1]
        assert (invite.start, invite.to) == (f"INVITE {uri} SIP/2.0", "tcp:192.0.2.9:5060")
        assert starts(bench, answer(invite, 180))[0] == f"CANCEL {uri} SIP/2.0"


def test_a_cancel_of_an_unknown_invite_is_a_request_of_its_own(tmp_path: Path) -> None:
    with Bench(tmp_path, "t_relay();") as bench:
        assert starts(bench, request("CANCEL", NEXT)) == [f"CANCEL {NEXT} SIP/2.0"]


def test_a_cancel_of_what_was_not_relayed_is_only_answered(tmp_path: Path) -> None:
    with Bench(
        tmp_path, 'if (is_method("CANCEL")) t_relay(); else { t_newtran(); t_reply("180", "R"); }'
    ) as bench:
        bench.receive(request("INVITE", NEXT))
        assert starts(bench, request("CANCEL", NEXT)) == ["SIP/2.0 200 canceling"]


# --- statistics -----------------------------------------------------------------------------------------------------


def test_statistics(tmp_path: Path) -> None:
    with Bench(
        tmp_path, 'if (is_method("MESSAGE")) { t_newtran(); t_reply("604", "No"); } else t_relay();'
    ) as bench:
        _, invite = bench.receive(request("INVITE", NEXT))
        for status in (100, 180, 200):
            bench.receive(answer(invite, status))
        bench.receive(request("MESSAGE", branch="z9hG4bKmessage"))
        bench.receive(request("OPTIONS", "sip:b@unknown.invalid", branch="z9hG4bKoptions"))
        tm = {name: value for group, name, value in bench.server.statistics if group == "tm"}
        assert tm == {
            "received_replies": 3,
            "relayed_replies": 2,
            "local_replies": 3,
            "early_ends": 0,
            "UAS_transactions": 3,
            "UAC_transactions": 1,
            "2xx_transactions": 1,
            "3xx_transactions": 0,
            "4xx_transactions": 1,
            "5xx_transactions": 0,
            "6xx_transactions": 1,
            "inuse_transactions": 3,
        }


# --- parameters -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["fr_timer", "fr_inv_timer", "wt_timer", "delete_timer"])
def test_timers_are_at_least_2(tmp_path: Path, name: str) -> None:
    with pytest.raises(ScriptError, match="must be at least 2"):
        Bench(tmp_path, more=f'modparam("tm", "{name}", 1)')


def test_t2_is_greater_than_t1(tmp_path: Path) -> None:
    with pytest.raises(ScriptError, match="T2 must be greater than T1"):
        Bench(tmp_path, more='modparam("tm", "T2_timer", 500)')
