"""What is accounted, and when."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.kit import answer, request
from tests.modules.acc.calls import NEXT, Accounted

RELAY = "setflag(1); t_relay();"
ALL = "setflag(1); setflag(2); setflag(3); t_relay();"
FLAGS = ("log_flag=1", "log_missed_flag=2", "failed_transaction_flag=3")


@pytest.mark.parametrize(
    ("route", "settings", "statuses", "lines"),
    [
        ("t_relay();", FLAGS, (200,), []),
        (RELAY, (), (200,), []),
        (RELAY, FLAGS, (180, 200), ["transaction answered 200"]),
        (RELAY, FLAGS, (183, 200), ["transaction answered 200"]),
        (
            RELAY,
            (*FLAGS, "early_media=1"),
            (183, 200),
            ["transaction answered 183", "transaction answered 200"],
        ),
        (RELAY, FLAGS, (486,), []),
        ("setflag(1); setflag(3); t_relay();", FLAGS, (486,), ["transaction answered 486"]),
        ("setflag(2); t_relay();", FLAGS, (486,), ["call missed 486"]),
        (ALL, FLAGS, (486,), ["call missed 486", "transaction answered 486"]),
        (ALL, FLAGS, (200,), ["transaction answered 200"]),
        (ALL, FLAGS, (603,), ["call missed 603", "transaction answered 603"]),
        ("t_relay(); setflag(1);", FLAGS, (200,), ["transaction answered 200"]),
        ('setflag(1); t_newtran(); t_reply("200", "OK");', FLAGS, (), ["transaction answered 200"]),
        (
            'setflag(1); setflag(2); t_newtran(); t_reply("480", "Away");',
            FLAGS,
            (),
            ["call missed 480"],
        ),
    ],
)
def test_an_invite(
    tmp_path: Path, route: str, settings: tuple[str, ...], statuses: tuple[int, ...], lines: list[str]
) -> None:
    with Accounted(tmp_path, route, *settings) as bench:
        if statuses:
            bench.call(*statuses)
        else:
            bench.receive(request("INVITE", NEXT))
        assert bench.lines == lines


SET, RESET = "setflag(1);", "resetflag(1);"


@pytest.mark.parametrize(
    ("first", "then", "count"),
    [("", SET, 1), (SET, RESET, 0), (SET, "", 1), ("", "", 0)],
)
@pytest.mark.parametrize(
    ("arm", "more", "statuses"),
    [
        ("t_on_branch", "branch_route[1] {{ {} }}", (200,)),
        ("t_on_reply", "onreply_route[1] {{ {} }}", (200,)),
        (
            "t_on_failure",
            'failure_route[1] {{ {} append_branch("sip:carol@192.0.2.10"); t_relay(); }}',
            (486, 200),
        ),
    ],
)
def test_flags_count_in_whichever_route_they_change(
    tmp_path: Path, first: str, then: str, count: int, arm: str, more: str, statuses: tuple[int, ...]
) -> None:
    route = f'{first} {arm}("1"); t_relay();'
    with Accounted(tmp_path, route, "log_flag=1", more=more.format(then)) as bench:
        bench.receive(request("INVITE", NEXT))
        for status in statuses:
            sent = next(each for each in reversed(bench.sent) if each.start.startswith("INVITE "))
            bench.receive(answer(sent, status))
        assert bench.lines == ["transaction answered 200"] * count


def test_a_second_answer_is_none(tmp_path: Path) -> None:
    route = 'setflag(1); setflag(3); t_newtran(); t_reply("404", "Not Found"); t_reply("500", "Error");'
    with Accounted(tmp_path, route, *FLAGS) as bench:
        bench.receive(request("INVITE", NEXT))
        assert bench.lines == ["transaction answered 404"]


def test_another_request_is_never_missed(tmp_path: Path) -> None:
    with Accounted(tmp_path, ALL, *FLAGS) as bench:
        bench.call(486, method="MESSAGE")
        assert bench.lines == ["transaction answered 486"]


def test_a_call_is_missed_once(tmp_path: Path) -> None:
    more = """failure_route[1] { append_branch("sip:bob@192.0.2.10"); t_relay(); }"""
    with Accounted(tmp_path, f't_on_failure("1"); {ALL}', *FLAGS, more=more) as bench:
        bench.call(486)
        bench.receive(answer(bench.sent[-1], 404))
        assert bench.lines == ["call missed 486", "transaction answered 404"]


def test_a_call_that_nobody_answers(tmp_path: Path) -> None:
    with Accounted(tmp_path, ALL, *FLAGS, more='modparam("tm", "fr_timer", 2)') as bench:
        bench.call()
        bench.run_for(3)
        assert bench.lines == ["call missed 408", "transaction answered 408"]
        assert "to_tag=;" not in bench.last


def test_a_call_that_is_answered_though_its_caller_was_told_that_it_had_failed(tmp_path: Path) -> None:
    """A 2xx goes up all the same (RFC 3261 16.7 step 5), and the call must not be free."""
    with Accounted(tmp_path, RELAY, *FLAGS) as bench:
        bench.call()
        sent = bench.sent[-1]
        bench.receive(request("CANCEL", NEXT))
        assert bench.sent[-1].start == "SIP/2.0 487 Request Terminated"
        for _ in range(2):
            bench.receive(answer(sent, 200))
            assert bench.sent[-1].start == "SIP/2.0 200 Reason"
        assert bench.lines == ["transaction answered 200"]


def test_each_callee_that_answers_is_a_call(tmp_path: Path) -> None:
    with Accounted(tmp_path, f'append_branch("sip:bob@192.0.2.10"); {RELAY}', *FLAGS) as bench:
        bench.call(180)
        first, second = [sent for sent in bench.sent if sent.start.startswith("INVITE ")]
        bench.receive(answer(second, 180, to_tag="b2"))
        for _ in range(2):
            bench.receive(answer(first, 200))
            bench.receive(answer(second, 200, to_tag="b2"))
        assert bench.lines == ["transaction answered 200"] * 2
        assert "to_tag=b2;" in bench.last


@pytest.mark.parametrize(("route", "count"), [(ALL, 1), (RELAY, 0)])
def test_a_bye_that_nobody_answers(tmp_path: Path, route: str, count: int) -> None:
    """The call is over all the same, though nobody is told of the silence (RFC 4320 4.2)."""
    with Accounted(tmp_path, route, *FLAGS, more='modparam("tm", "fr_timer", 2)') as bench:
        bench.receive(request("BYE", NEXT, to_tag="b1"))
        bench.run_for(3)
        assert bench.lines == ["transaction answered 408"] * count
        assert all(sent.start.startswith("BYE ") for sent in bench.sent)
        if count:
            assert "to_tag=b1;" in bench.last


@pytest.mark.parametrize(("settings", "count"), [((), 0), (("report_cancels=1",), 1)])
def test_a_cancel(tmp_path: Path, settings: tuple[str, ...], count: int) -> None:
    with Accounted(tmp_path, RELAY, "log_flag=1", *settings) as bench:
        bench.call(180)
        bench.receive(request("CANCEL", NEXT))
        assert bench.lines == ["transaction answered 200"] * count
        if count:
            assert "method=CANCEL;" in bench.last


@pytest.mark.parametrize(("settings", "count"), [((), 0), (("report_ack=1",), 1)])
def test_an_ack(tmp_path: Path, settings: tuple[str, ...], count: int) -> None:
    route = 'if (is_method("INVITE")) setflag(1); t_relay();'
    with Accounted(tmp_path, route, "log_flag=1", *settings) as bench:
        bench.call(200)
        for _ in range(2):
            bench.receive(request("ACK", NEXT, branch="z9hG4bKack", to_tag="b1"))
        assert bench.lines[1:] == ["request acknowledged 200"] * count
        if count:
            assert "method=ACK;from_tag=a1;to_tag=b1;" in bench.last


def test_an_ack_that_comes_late_is_nobodys(tmp_path: Path) -> None:
    with Accounted(tmp_path, RELAY, "log_flag=1", "report_ack=1") as bench:
        bench.call(200)
        bench.run_for(33)
        bench.receive(request("ACK", NEXT, branch="z9hG4bKack", to_tag="b1"))
        assert bench.lines == ["transaction answered 200"]


@pytest.mark.parametrize(("switch", "tags"), [(0, "from_tag=a1;to_tag=b1"), (1, "from_tag=b1;to_tag=a1")])
def test_the_direction(tmp_path: Path, switch: int, tags: str) -> None:
    with Accounted(tmp_path, f"loose_route(); {RELAY}", "log_flag=1", f"detect_direction={switch}") as bench:
        port = bench.server.sockets.endpoints[0].port
        route = f"Route: <sip:127.0.0.1:{port};lr;ftag=b1>"
        bench.receive(request("BYE", NEXT, route, to_tag="b1"))
        bench.receive(answer(bench.sent[-1], 200))
        assert tags in bench.last


@pytest.mark.parametrize(
    ("comment", "code", "reason"), [("404 user unknown", "404", "user unknown"), ("lost", "", "lost")]
)
def test_what_the_script_says(tmp_path: Path, comment: str, code: str, reason: str) -> None:
    with Accounted(tmp_path, f'$var(c) = acc_log_request("{comment}"); xlog("$var(c)");') as bench:
        bench.receive(request("INVITE"))
        assert bench.last == (f"method=INVITE;from_tag=a1;to_tag=;call_id=call-1;code={code};reason={reason}")
        assert list(bench.printed()) == ["1"]
        assert bench.lines[0].startswith("request accounted")
