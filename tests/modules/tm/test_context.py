from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.kit import Bench, answer, request
from tests.modules.tm.forking import Call, branches, forked, uri
from tests.work.garbage import left_by

FORK = branches(1, 2) + 't_relay(); if (is_method("CANCEL")) t_relay();'


# --- parallel forking (RFC 3261 16.7) -----------------------------------------------------------------------------


def test_each_phone_gets_its_own_branch(tmp_path: Path) -> None:
    with forked(tmp_path, 1, 2, 3) as call:
        invites = [invite for phone in (1, 2, 3) for invite in call.sent_to(phone)]
        assert [invite.start for invite in invites] == [f"INVITE {uri(phone)} SIP/2.0" for phone in (1, 2, 3)]
        assert len({invite.get("Via") for invite in invites}) == 3


def test_all_ring_and_the_first_to_answer_ends_the_others(tmp_path: Path) -> None:
    with forked(tmp_path, 1, 2, 3) as call:
        for phone in (1, 2, 3):
            call.answer(phone, 100)
            assert call.answer(phone, 180) == ["SIP/2.0 180 Reason"]
        assert call.answer(2, 200) == [
            "SIP/2.0 200 Reason",
            f"CANCEL {uri(1)} SIP/2.0",
            f"CANCEL {uri(3)} SIP/2.0",
        ]
        assert call.answer(1, 487) == [f"ACK {uri(1)} SIP/2.0"]
        assert call.answer(3, 487) == [f"ACK {uri(3)} SIP/2.0"]
        assert call.replies == ["180", "180", "180", "200"]


def test_each_further_2xx_goes_up_too(tmp_path: Path) -> None:
    with forked(tmp_path, 1, 2) as call:
        call.answer(1, 180)
        call.answer(2, 180)
        call.answer(1, 200)
        assert call.answer(2, 200) == ["SIP/2.0 200 Reason"]
        assert call.answer(1, 200) == ["SIP/2.0 200 Reason"]  # repeated until the ACK
        assert call.bench.value("2xx_transactions", "tm") == 1


def test_a_2xx_after_a_failure_went_up_still_goes_up(tmp_path: Path) -> None:
    with forked(tmp_path, 1) as call:
        call.cancel()
        assert call.replies == ["200", "487"]
        assert call.answer(1, 200) == ["SIP/2.0 200 Reason"]


@pytest.mark.parametrize("method", ["MESSAGE", "OPTIONS"])
def test_only_one_2xx_goes_up_for_other_requests(tmp_path: Path, method: str) -> None:
    with forked(tmp_path, 1, 2, method=method) as call:
        assert call.answer(1, 200) == ["SIP/2.0 200 Reason"]
        assert call.answer(2, 200) == []
        assert call.sent_to(2, "CANCEL") == []


@pytest.mark.parametrize(
    ("statuses", "wins"),
    [
        ((486, 404), "404"),
        ((404, 486), "404"),
        ((503, 486), "486"),
        ((503, 599), "599"),
        ((486, 603), "603"),
        ((302, 404), "302"),
        ((486, 486), "486"),
    ],
)
def test_the_best_of_the_failures_goes_up_when_all_have_ended(
    tmp_path: Path, statuses: tuple[int, int], wins: str
) -> None:
    with forked(tmp_path, 1, 2) as call:
        for phone, status in enumerate(statuses, 1):
            call.answer(phone, 180)
            assert call.replies.count(wins) == 0
            call.answer(phone, status)
        assert [status for status in call.replies if status != "180"] == [wins]


@pytest.mark.parametrize("statuses", [(503,), (503, 503)])
def test_a_503_goes_up_as_a_500_of_ours(tmp_path: Path, statuses: tuple[int, ...]) -> None:
    """RFC 3261 16.7 step 6: whoever asked would take this server for overloaded."""
    with forked(tmp_path, *range(1, len(statuses) + 1)) as call:
        for phone, status in enumerate(statuses, 1):
            call.answer(phone, status, "Retry-After: 3600")
        reply = call.last_reply
        assert (reply.start, reply.get("Retry-After")) == ("SIP/2.0 500 Server Internal Error", "")
        assert reply.get("To").partition(";tag=")[2].startswith(call.bench.server.tag_prefix)
        assert (call.bench.value("5xx_transactions", "tm"), call.bench.value("local_replies", "tm")) == (1, 2)


@pytest.mark.parametrize(("then", "goes_up"), [("", ["500"]), ('t_reply("503", "All lines busy");', ["503"])])
def test_a_failure_route_sees_the_503_and_may_answer_so(
    tmp_path: Path, then: str, goes_up: list[str]
) -> None:
    more = f'failure_route[1] {{ if (t_check_status("503")) {{ xlog("$T_reply_code"); {then} }} }}'
    with forked(tmp_path, 1, arm='t_on_failure("1"); ', more=more) as call:
        call.answer(1, 503)
        assert list(call.bench.printed()) == ["503"]
        assert call.replies == goes_up


def test_a_6xx_takes_the_other_branches_back_and_goes_up_when_they_have_ended(tmp_path: Path) -> None:
    with forked(tmp_path, 1, 2) as call:
        call.answer(1, 180)
        assert call.answer(2, 603) == [f"ACK {uri(2)} SIP/2.0", f"CANCEL {uri(1)} SIP/2.0"]
        assert call.answer(1, 487) == [f"ACK {uri(1)} SIP/2.0", "SIP/2.0 603 Reason"]


def test_after_a_6xx_no_further_branch_is_sent(tmp_path: Path) -> None:
    route = f't_on_branch("1"); {branches(1, 2)} t_relay();'
    more = "branch_route[1] { if ($T_branch_idx == 2) sleep(1); }"
    with Bench(tmp_path, route, more=more, modules=("sl", "tm", "cfgutils")) as bench:
        _, invite = bench.receive(request("INVITE"))
        bench.receive(answer(invite, 603))
        assert {sent.start for sent in bench.run_for(2)} == {"SIP/2.0 603 Reason"}


def test_of_another_request_no_provisional_reply_goes_up(tmp_path: Path) -> None:
    """RFC 4320 4.1."""
    with forked(tmp_path, 1, method="MESSAGE") as call:
        assert call.answer(1, 183) == []
        assert call.answer(1, 200) == ["SIP/2.0 200 Reason"]


def test_challenges_of_all_branches_go_up_together(tmp_path: Path) -> None:
    with forked(tmp_path, 1, 2, 3) as call:
        call.answer(1, 401, 'WWW-Authenticate: Digest realm="one", nonce="1"')
        call.answer(2, 407, 'Proxy-Authenticate: Digest realm="two", nonce="2"')
        call.answer(3, 486)
        assert call.last_reply.start == "SIP/2.0 401 Reason"
        assert call.last_reply.all("WWW-Authenticate") == ['Digest realm="one", nonce="1"']
        assert call.last_reply.all("Proxy-Authenticate") == ['Digest realm="two", nonce="2"']


def test_the_silence_of_one_phone_does_not_hold_up_the_others_answer(tmp_path: Path) -> None:
    with forked(tmp_path, 1, 2, more='modparam("tm", "fr_timer", 5)') as call:
        call.answer(1, 486)
        assert call.replies == []
        call.bench.run_for(6)
        assert call.replies == ["408"]  # the lowest


def test_a_message_that_nobody_answered_absorbs_its_repetitions(tmp_path: Path) -> None:
    """Who sent it hears nothing (RFC 4320 4.2), and may repeat it for 64*T1."""
    with forked(tmp_path, 1, method="MESSAGE", more='modparam("tm", "fr_timer", 5)') as call:
        call.bench.run_for(6)
        assert call.bench.receive(request("MESSAGE", "sip:bob@example.com")) == []
        call.bench.run_for(40)
        assert call.bench.server.transactions.servers_in_use == 0


# --- CANCEL -------------------------------------------------------------------------------------------------------


def test_a_cancel_takes_all_branches_back(tmp_path: Path) -> None:
    with forked(tmp_path, 1, 2) as call:
        call.answer(1, 180)
        call.answer(2, 183)
        assert call.cancel() == [
            "SIP/2.0 200 canceling",
            f"CANCEL {uri(1)} SIP/2.0",
            f"CANCEL {uri(2)} SIP/2.0",
        ]
        call.answer(1, 404)
        assert call.replies == ["180", "183", "200"]
        call.answer(2, 487)
        assert call.replies[-1] == "487"


def test_a_cancelled_call_is_not_forwarded_again(tmp_path: Path) -> None:
    more = f'failure_route[1] {{ append_branch("{uri(3)}"); xlog("$retcode"); $var(c) = t_relay(); xlog("$var(c)"); }}'
    with forked(tmp_path, 1, more=more, arm='t_on_failure("1");') as call:
        call.answer(1, 180)
        call.cancel()
        call.answer(1, 487)
        assert list(call.bench.printed()) == ["1", "-3"]
        assert call.sent_to(3) == []
        assert call.replies[-1] == "487"


# --- failure routes -------------------------------------------------------------------------------------------------


def failing(tmp_path: Path, body: str, *phones: int, method: str = "INVITE", more: str = "") -> Call:
    """A request whose failure_route does this."""
    more += f"failure_route[1] {{ {body} }}"
    return forked(tmp_path, *phones, more=more, method=method, arm='t_on_failure("1");')


@pytest.mark.parametrize("body", ['append_branch("{0}"); t_relay();', '$ru = "{0}"; t_relay();'])
def test_a_failure_route_forwards_elsewhere(tmp_path: Path, body: str) -> None:
    with failing(tmp_path, body.format(uri(3)), 1, 2) as call:
        call.answer(1, 486)
        assert call.sent_to(3) == []
        assert call.answer(2, 404) == [f"ACK {uri(2)} SIP/2.0", f"INVITE {uri(3)} SIP/2.0"]
        assert call.answer(3, 200) == ["SIP/2.0 200 Reason"]
        assert call.replies == ["200"]


def test_a_failure_route_runs_once_unless_it_arms_itself_again(tmp_path: Path) -> None:
    body = f'xlog("$T_reply_code"); append_branch("{uri(2)}"); t_relay();'
    with failing(tmp_path, body, 1) as call:
        call.answer(1, 486)
        call.answer(2, 480)
        assert list(call.bench.printed()) == ["486"]
        assert call.replies == ["480"]


def test_serial_forking_goes_on_until_one_answers(tmp_path: Path) -> None:
    body = f"""
        if ($ru == "{uri(1)}") append_branch("{uri(2)}"); else append_branch("{uri(3)}");
        t_on_failure("1"); t_relay();"""
    with failing(tmp_path, body, 1) as call:
        call.answer(1, 486)
        call.answer(2, 480)
        call.answer(3, 200)
        assert call.replies == ["200"]


def test_what_was_serialized_is_tried_by_q(tmp_path: Path) -> None:
    more = 'failure_route[1] { if (next_branches()) { t_on_failure("1"); t_relay(); } }'
    route = f"""
        $ru = "{uri(1)}"; append_branch("{uri(2)}", "0.5"); append_branch("{uri(3)}", "0.9");
        serialize_branches("0"); next_branches(); t_on_failure("1"); t_relay();"""
    with Call(tmp_path, route, more=more) as call:
        assert [len(call.sent_to(phone)) for phone in (1, 2, 3)] == [0, 0, 1]
        call.answer(3, 486)
        assert [len(call.sent_to(phone)) for phone in (1, 2, 3)] == [0, 1, 1]
        call.answer(2, 486)
        call.answer(1, 486)
        assert call.replies == ["486"]


def test_a_failure_route_may_answer_itself(tmp_path: Path) -> None:
    with failing(tmp_path, 't_reply("480", "Try later");', 1) as call:
        call.answer(1, 486)
        assert call.last_reply.start == "SIP/2.0 480 Try later"
        assert call.replies == ["480"]


def test_a_failure_route_that_does_nothing_changes_nothing(tmp_path: Path) -> None:
    with failing(tmp_path, 'xlog("here");', 1) as call:
        call.answer(1, 486)
        assert call.last_reply.start == "SIP/2.0 486 Reason"


def test_a_failure_route_that_fails_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with failing(
        tmp_path, 'append_branch("sip:a@unknown.invalid"); $var(c) = t_relay(); xlog("$var(c)");', 1
    ) as call:
        call.answer(1, 486)
        assert list(call.bench.printed()) == ["-4"]
        assert call.replies == ["486"]


def test_forwarding_to_where_it_has_failed_needs_a_branch(tmp_path: Path) -> None:
    with failing(tmp_path, '$var(c) = t_relay(); xlog("$var(c)");', 1) as call:
        call.answer(1, 486)
        assert list(call.bench.printed()) == ["-3"]
        assert call.replies == ["486"]


def test_a_failure_route_sees_the_silence_of_another_request_and_its_408_goes_up(tmp_path: Path) -> None:
    with failing(tmp_path, 'xlog("$T_reply_code");', 1, method="MESSAGE") as call:
        call.bench.run_for(31)
        assert list(call.bench.printed()) == ["408"]
        assert call.replies == ["408"]


def test_what_the_failure_route_sees(tmp_path: Path) -> None:
    body = """
        xlog("$ru|$du|$T_reply_code|$avp(s:x)");
        if (isflagset(3)) xlog("flag"); if (isbflagset(0, 4)) xlog("branch flag");
        if (t_check_status("48[0-9]")) xlog("48x"); if (t_check_status("5..")) xlog("5xx");"""
    more = f"failure_route[1] {{ {body} }}"
    arm = '$du = "sip:192.0.2.11"; $avp(s:x) = "kept"; setflag(3); setbflag(0, 4); t_on_failure("1");'
    with forked(tmp_path, 1, more=more, arm=arm) as call:
        call.answer(1, 486)
        assert list(call.bench.printed()) == [f"{uri(1)}|<null>|486|kept", "flag", "branch flag", "48x"]


def test_flags_of_a_failure_route_are_those_of_the_transaction(tmp_path: Path) -> None:
    body = f'setflag(3); t_on_failure("2"); append_branch("{uri(2)}"); t_relay();'
    with failing(tmp_path, body, 1, more='failure_route[2] { xlog("$mf"); }') as call:
        call.answer(1, 486)
        call.answer(2, 486)
        assert list(call.bench.printed()) == ["8"]


def test_the_path_to_a_phone_is_not_the_way_to_elsewhere(tmp_path: Path) -> None:
    with failing(tmp_path, f'$ru = "{uri(3)}"; t_relay();', 1) as call:
        (branch,) = (found.owner for found in call.bench.server.transactions._servers.transactions.values())
        branch.state.path = "<sip:edge.example;lr>"  # as lookup() leaves it
        call.answer(1, 486)
        assert call.sent_to(3)[0].all("Route") == []


def test_headers_of_the_request_route_are_part_of_later_branches(tmp_path: Path) -> None:
    arm = 'append_hf("X-First: 1\\r\\n"); t_on_failure("1");'
    more = f"""
        branch_route[1] {{ append_hf("X-Branch: $T_branch_idx\\r\\n"); }}
        failure_route[1] {{ append_branch("{uri(2)}"); append_hf("X-Second: 2\\r\\n"); t_relay(); }}"""
    with forked(tmp_path, 1, more=more, arm=f'{arm} t_on_branch("1");') as call:
        call.answer(1, 486)
        first, second = call.sent_to(1)[0], call.sent_to(2)[0]
        assert [first.get(name) for name in ("X-First", "X-Branch", "X-Second")] == ["1", "1", ""]
        assert [second.get(name) for name in ("X-First", "X-Branch", "X-Second")] == ["1", "2", "2"]


# --- asking ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "told"),
    [(486, ["all -1", "branch -1", "last -1"]), (0, ["all 1", "branch 1", "last 1"])],
)
def test_t_local_replied_in_a_failure_route(tmp_path: Path, status: int, told: list[str]) -> None:
    body = "".join(
        f'$var(c) = t_local_replied("{which}"); xlog("{which} $var(c)");'
        for which in ("all", "branch", "last")
    )
    with failing(tmp_path, body, 1) as call:
        if status:
            call.answer(1, status)
        call.bench.run_for(31)
        assert list(call.bench.printed()) == told


def test_t_local_replied_last_elsewhere(tmp_path: Path) -> None:
    more = 'onreply_route[1] { $var(c) = t_local_replied("last"); xlog("$var(c)"); }'
    with forked(tmp_path, 1, more=more, arm='t_on_reply("1");') as call:
        call.answer(1, 180)
        call.answer(1, 200)
        assert list(call.bench.printed()) == ["1", "-1"]  # the 100 was ours, the 180 was not


def test_t_was_cancelled(tmp_path: Path) -> None:
    with failing(tmp_path, '$var(c) = t_was_cancelled(); xlog("$var(c)");', 1) as call:
        call.answer(1, 180)
        call.cancel()
        call.answer(1, 487)
        assert list(call.bench.printed()) == ["1"]


def test_the_answer_of_the_script_takes_the_branches_back(tmp_path: Path) -> None:
    route = f'{branches(1)} t_relay(); t_reply("404", "No");'
    with Call(tmp_path, route) as call:
        assert call.replies == ["404"]
        assert call.answer(1, 180) == [f"CANCEL {uri(1)} SIP/2.0"]


def test_what_t_replicate_sends_stays_without_an_echo(tmp_path: Path) -> None:
    with Call(tmp_path, f't_replicate("{uri(1)}");', method="REGISTER") as call:
        (copy,) = call.sent_to(1)
        assert copy.start == "REGISTER sip:bob@example.com SIP/2.0"
        call.answer(1, 200)
        assert call.replies == []
    with Call(tmp_path, f't_replicate("{uri(1)}");') as call:
        call.bench.run_for(40)
        assert [sent for sent in call.bench.sent if sent.to.startswith("udp:192.0.2.1:")] == []


@pytest.mark.parametrize("status", [200, 404, 0])
@pytest.mark.parametrize("method", ["REGISTER", "INVITE"])
def test_a_copy_keeps_no_transaction_for_ever(tmp_path: Path, method: str, status: int) -> None:
    with Call(tmp_path, f't_replicate("{uri(1)}");', method=method) as call:
        if status:
            call.answer(1, status)
        call.bench.run_for(100)
        assert call.bench.server.transactions.servers_in_use == 0
        assert call.replies == []


@pytest.mark.parametrize("status", [200, 0])
def test_the_script_may_answer_after_the_copy_was(tmp_path: Path, status: int) -> None:
    with Bench(
        tmp_path,
        f't_replicate("{uri(1)}"); sleep(9); t_reply("200", "OK");',
        more='modparam("tm", "fr_timer", 5)',
        modules=("sl", "tm", "cfgutils"),
    ) as bench:
        (copy,) = bench.receive(request("REGISTER"))
        if status:
            bench.receive(answer(copy, status))
        assert bench.run_for(10)[-1].start == "SIP/2.0 200 OK"


def test_nothing_is_kept_in_the_end(tmp_path: Path) -> None:
    with forked(tmp_path, 1, 2) as call:
        call.answer(1, 180)
        call.answer(1, 200)
        call.bench.run_for(200)
        assert call.bench.server.transactions.servers_in_use == 0
        assert call.bench.server.transactions.clients_in_use == 0


@pytest.mark.parametrize("method", ["INVITE", "MESSAGE"])
def test_a_reply_that_lost_the_vias_below_ours_goes_nowhere(tmp_path: Path, method: str) -> None:
    with forked(tmp_path, 1, 2, method=method) as call:
        for phone, status in ((1, 180), (1, 200), (2, 500)):
            data = answer(call.sent_to(phone)[-1], status)
            head, _, rest = data.partition(b"Via: SIP/2.0/UDP 192.0.2.1:5066")
            call.bench.receive(head + rest.partition(b"\r\n")[2])
        assert call.replies == ["502"]


def succeeded(call: Call) -> None:
    call.answer(1, 180)
    call.answer(2, 200)
    call.answer(1, 487)


def failed(call: Call) -> None:
    call.answer(1, 486)
    call.answer(2, 404)


def cancelled(call: Call) -> None:
    call.answer(1, 180)
    call.cancel()
    call.answer(1, 487)


def forgotten(call: Call) -> None:
    """Nobody answers."""


FORWARDS = f'failure_route[1] {{ append_branch("{uri(3)}"); t_relay(); }}'


@pytest.mark.parametrize("method", ["INVITE", "MESSAGE"])
@pytest.mark.parametrize("end", [succeeded, failed, cancelled, forgotten])
@pytest.mark.parametrize("arm", ["", 't_on_failure("1"); '], ids=["plain", "failure route"])
def test_nothing_is_left_to_the_garbage_collector(
    tmp_path: Path, method: str, end: Callable[[Call], None], arm: str
) -> None:
    with forked(tmp_path, 1, 2, method=method, arm=arm, more=FORWARDS) as call:

        def live() -> None:
            end(call)
            call.bench.run_for(400)

        def again() -> None:
            call.bench.receive(request(method, "sip:bob@example.com"))
            live()

        live()  # what is made once, and kept
        assert not left_by(again)
