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
        (f"t_newtran(); {BUSY};", BUSY, "OPTIONS", -1),
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


def test_behind_a_final_reply_there_is_no_other(tmp_path: Path) -> None:
    route = f't_newtran(); {BUSY}; $var(c) = t_reply("500", "Late"); xlog("$var(c)");'
    with Bench(tmp_path, route) as bench:
        assert starts(bench, request("INVITE")) == ["SIP/2.0 486 Busy"]
        assert list(bench.printed()) == ["-1"]
        assert (bench.value("local_replies", "tm"), bench.value("5xx_transactions", "tm")) == (1, 0)


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
        ("sips:bob@192.0.2.9;transport=udp", -2, "SIP/2.0 475 Bad URI (475/TM)"),
        ("sip:bob@nobody.invalid;transport=ws", -4, "SIP/2.0 476 Unresolvable destination (476/TM)"),
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
        ('t_relay("sctp:192.0.2.1")', "sends by udp, tcp, tls"),
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


@pytest.mark.parametrize("timer", [7, 0])
def test_silence_becomes_a_408_at_fr_timer(tmp_path: Path, timer: int) -> None:
    more = f'modparam("tm", "fr_timer", {timer})' if timer else ""
    with Bench(tmp_path, "t_relay();", more=more) as bench:
        bench.receive(request("INVITE", NEXT))
        bench.run_for((timer or 30) - 0.5)
        assert not [sent for sent in bench.sent if "408" in sent.start]
        (timeout,) = [sent for sent in bench.run_for(0.8) if sent.start.startswith("SIP/2.0")]
        assert timeout.start == "SIP/2.0 408 Request Timeout"
        assert ";tag=" in timeout.get("To")


def test_rfc_4320_nobody_is_told_of_the_silence_after_another_request(tmp_path: Path) -> None:
    with Bench(tmp_path, "t_relay();") as bench:
        bench.receive(request("MESSAGE", NEXT))
        bench.run_for(100)
        assert {sent.start for sent in bench.sent} == {f"MESSAGE {NEXT} SIP/2.0"}
        assert bench.server.transactions.servers_in_use == 0


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
        ended = ["SIP/2.0 200 canceling", "SIP/2.0 487 Request Terminated"]
        assert starts(bench, request("CANCEL", NEXT)) == ended
        assert starts(bench, answer(invite, 100)) == [f"CANCEL {NEXT} SIP/2.0"]


def test_what_was_cancelled_before_the_connection_came_up_is_not_sent(tmp_path: Path) -> None:
    uri = f"{NEXT};transport=tcp"
    with Bench(tmp_path, "t_relay();") as bench:
        bench.receive(request("INVITE", uri))
        assert starts(bench, request("CANCEL", uri)) == ["SIP/2.0 200 canceling"]
        ((flow, wait),) = bench.server.connecting
        wait.resolve(flow)
        assert bench.sent[-1].start == "SIP/2.0 487 Request Terminated"
        assert not [sent for sent in bench.sent if sent.flow is flow]


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


def test_timers_may_change_while_it_runs(tmp_path: Path) -> None:
    with Bench(tmp_path, '$ru = "sip:b@192.0.2.9"; t_relay();') as bench:
        tm = bench.server.modules["tm"]
        vars(tm).update(T1_timer=100, T2_timer=400, max_transactions=7)
        tm.reconfigured(tm)
        assert len(bench.receive(request())) == 1
        assert len(bench.run_for(0.15)) == 1
        assert bench.server.transactions.capacity == 7


# --- how long finished transactions stay ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "before", "after"),
    [
        ("", 31, 33),
        ('modparam("tm", "wt_timer", 5)', 4.5, 5.5),
        ('modparam("tm", "T1_timer", 1000)', 63, 65),
    ],
)
def test_wt_timer(tmp_path: Path, more: str, before: float, after: float) -> None:
    """An answered request absorbs its retransmissions for 64*T1, or as long as the script says."""
    with Bench(tmp_path, f"t_newtran(); {BUSY};", more=more) as bench:
        bench.receive(request())
        bench.run_for(before)
        assert starts(bench, request()) == ["SIP/2.0 486 Busy"]
        assert bench.server.transactions.servers_in_use == 1
        bench.run_for(after - before)
        assert bench.server.transactions.servers_in_use == 0


def test_counters_of_single_statuses(tmp_path: Path) -> None:
    """By sl and tm, where modparam("statistics", "variable", ...) has made them."""
    names = ("200_out", "404_in", "404_out", "480_out")
    more = "".join(f'modparam("statistics", "variable", "{name}") ' for name in names)
    route = """if (is_method("OPTIONS")) { sl_send_reply("200", "OK"); exit; }
        if (is_method("INFO")) { t_newtran(); t_reply("480", "Away"); exit; }
        t_relay();"""
    with Bench(tmp_path, route, more=more, modules=("sl", "tm", "textops", "statistics")) as bench:
        bench.receive(request())
        bench.receive(request("INFO", branch="z9hG4bK2"))
        bench.receive(request("MESSAGE", NEXT, branch="z9hG4bK3"))
        bench.receive(answer(bench.sent[-1], 404))
        found = {name: value for _, name, value in bench.server.statistics if name in names}
        assert found == dict.fromkeys(names, 1)


# --- what each function gives where there is a transaction, and where there is none ---------------------------------

ASKED = (
    't_check_status("1..")',
    't_local_replied("all")',
    't_local_replied("last")',
    "t_flush_flags()",
    't_on_failure("1")',
    't_on_reply("1")',
    't_on_branch("1")',
    't_write_fifo("a", "/nowhere/fifo")',
    't_write_req("a", "/nowhere/fifo")',
    't_write_unix("a", "/nowhere/socket")',
)
ROUTES = """failure_route[1] { $var(c) = t_was_cancelled(); xlog("failure $var(c) $T_reply_code $T_branch_idx"); }
onreply_route[1] { $var(c) = t_was_cancelled(); xlog("reply $var(c) $T_reply_code"); }
branch_route[1] { xlog("branch $T_branch_idx"); }"""


def asked(before: str, calls: tuple[str, ...] = ASKED) -> str:
    return before + "".join(f'$var(c) = {call}; xlog("$var(c)");' for call in calls)


def test_what_is_asked_without_a_transaction(tmp_path: Path) -> None:
    with Bench(tmp_path, asked(""), more=ROUTES) as bench:
        bench.receive(request("INVITE", NEXT))
        assert list(bench.printed()) == ["-1", "-1", "-1", "-1", "1", "1", "1", "-1", "-1", "-1"]


def test_what_is_asked_of_a_transaction(tmp_path: Path) -> None:
    no_writing = tuple(call for call in ASKED if "t_write" not in call)
    with Bench(tmp_path, asked('t_on_branch("1"); t_relay();', no_writing), more=ROUTES) as bench:
        bench.receive(request("INVITE", NEXT))
        assert list(bench.printed()) == ["branch 1", "1", "1", "1", "1", "1", "1", "1"]
        (invite,) = (sent for sent in bench.sent if sent.start.startswith("INVITE"))
        bench.receive(answer(invite, 486))
        assert list(bench.printed())[-2:] == ["reply -1 486", "failure -1 486 0"]


def test_a_copy_goes_elsewhere(tmp_path: Path) -> None:
    route = 't_replicate("sip:192.0.2.9"); $var(c) = t_replicate("sip:unknown.invalid"); xlog("$var(c)");'
    with Bench(tmp_path, route) as bench:
        sent = bench.receive(request("REGISTER", "sip:example.com"))
        assert [each.to for each in sent] == ["udp:192.0.2.9:5060"]
