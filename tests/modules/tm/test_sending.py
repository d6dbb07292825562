"""From the destination set to branches."""

from __future__ import annotations

from pathlib import Path

import pytest

from openpy.engine.run import Run
from openpy.engine.state import Branch
from openpy.modules.tm.sending import targets_of
from openpy.sip.message import parse_message
from tests.engine.kit import Bench, answer, request
from tests.modules.tm.forking import Call, branches, uri


def starts(call: Call) -> list[str]:
    return [sent.start for phone in (1, 2, 3) for sent in call.sent_to(phone)]


def test_a_branch_route_sees_and_changes_each_branch(tmp_path: Path) -> None:
    more = """branch_route[1] {
        xlog("$T_branch_idx $ru $avp(s:x)"); $rU = "branch"; append_hf("X-Branch: $T_branch_idx\\r\\n");
    }"""
    route = f'$avp(s:x) = "seen"; {branches(1, 2)} t_on_branch("1"); t_relay(); xlog("$ru $T_branch_idx");'
    with Call(tmp_path, route, more=more) as call:
        printed = list(call.bench.printed())
        assert printed == [f"1 {uri(1)} seen", f"2 {uri(2)} seen", f"{uri(1)} 0"]
        assert starts(call) == [f"INVITE sip:branch@192.0.2.1{phone} SIP/2.0" for phone in (1, 2)]
        assert [call.sent_to(phone)[0].get("X-Branch") for phone in (1, 2)] == ["1", "2"]


def test_flags_of_a_branch_route_are_those_of_the_transaction(tmp_path: Path) -> None:
    more = 'branch_route[1] { setflag(3); } onreply_route[1] { xlog("$mf"); }'
    with Call(tmp_path, f't_on_branch("1"); t_on_reply("1"); {branches(1)} t_relay();', more=more) as call:
        call.answer(1, 180)
        assert list(call.bench.printed()) == ["8"]


def test_drop_in_a_branch_route_leaves_the_branch_out(tmp_path: Path) -> None:
    more = f'branch_route[1] {{ if ($ru == "{uri(1)}") drop; }}'
    with Call(tmp_path, f'{branches(1, 2)} t_on_branch("1"); t_relay();', more=more) as call:
        assert starts(call) == [f"INVITE {uri(2)} SIP/2.0"]
        call.answer(2, 486)
        assert call.replies == ["486"]


def test_without_a_branch_left_there_is_no_destination(tmp_path: Path) -> None:
    route = f'{branches(1, 2)} t_on_branch("1"); t_relay();'
    with Call(tmp_path, route, more="branch_route[1] { drop; }") as call:
        assert call.last_reply.start == "SIP/2.0 500 Server error occurred (19/TM)"


def test_a_branch_route_that_was_disarmed_does_not_run(tmp_path: Path) -> None:
    route = f'{branches(1)} t_on_branch("1"); t_on_branch("0"); t_relay();'
    with Call(tmp_path, route, more="branch_route[1] { drop; }") as call:
        assert starts(call) == [f"INVITE {uri(1)} SIP/2.0"]


def test_each_branch_has_its_next_hop_and_flags(tmp_path: Path) -> None:
    route = f"""
        $ru = "sip:a@example.com"; $du = "{uri(1)}"; setbflag(0, 1); append_branch();
        $ru = "sip:b@example.com"; $du = "{uri(2)}"; setbflag(0, 2);
        t_on_branch("1"); t_relay();"""
    more = 'branch_route[1] { if (isbflagset(0, 1)) xlog("$ru 1"); if (isbflagset(0, 2)) xlog("$ru 2"); }'
    with Call(tmp_path, route, more=more) as call:
        assert starts(call) == ["INVITE sip:a@example.com SIP/2.0", "INVITE sip:b@example.com SIP/2.0"]
        assert list(call.bench.printed()) == ["sip:b@example.com 2", "sip:a@example.com 1"]


def test_each_branch_has_its_path(tmp_path: Path) -> None:
    with Call(tmp_path, "t_relay();") as call:
        run = Run(call.bench.server, parse_message(request("INVITE")), call.bench.phone())
        run.state.uri, run.state.path = uri(1), "<sip:p1;lr>"
        run.state.branches.append(Branch(uri(2), path="<sip:p2;lr>"))
        assert [target.path for target in targets_of(run)] == ["<sip:p1;lr>", "<sip:p2;lr>"]


def test_a_destination_takes_all_branches(tmp_path: Path) -> None:
    with Call(tmp_path, f'{branches(1, 2)} t_relay("udp:192.0.2.13:5060");') as call:
        assert starts(call) == [f"INVITE {uri(1)} SIP/2.0", f"INVITE {uri(2)} SIP/2.0"]
        assert len(call.sent_to(3)) == 2


def test_what_can_be_sent_is_sent(tmp_path: Path) -> None:
    route = f'$ru = "sip:a@unknown.invalid"; append_branch("{uri(2)}"); $var(c) = t_relay(); xlog("$var(c)");'
    with Call(tmp_path, route) as call:
        assert list(call.bench.printed()) == ["1"]
        assert starts(call) == [f"INVITE {uri(2)} SIP/2.0"]
        call.answer(2, 404)
        assert call.replies == ["404"]


@pytest.mark.parametrize("rounds", [1, 2])
def test_there_are_twelve_branches_in_the_life_of_a_transaction(tmp_path: Path, rounds: int) -> None:
    fork = "".join(f'append_branch("sip:{number}@192.0.2.12"); ' for number in range(11))
    more = f'failure_route[1] {{ {fork} $var(c) = t_relay(); xlog("$var(c)"); }}'
    with Call(
        tmp_path, f'{branches(1)} {fork if rounds == 1 else ""} t_on_failure("1"); t_relay();', more=more
    ) as call:
        first = len(call.sent_to(1)) + len(call.sent_to(2))
        assert first == (12 if rounds == 1 else 1)
        for sent in [*call.sent_to(1), *call.sent_to(2)]:
            call.bench.receive(answer(sent, 486))
        assert list(call.bench.printed()) == (["-3"] if rounds == 1 else ["1"])
        assert len(call.sent_to(1)) + len(call.sent_to(2)) == 12


def test_no_branch_waits_for_the_connection_of_another(tmp_path: Path) -> None:
    tcp = ";transport=tcp"
    route = f'$ru = "{uri(1)}{tcp}"; append_branch("{uri(2)}{tcp}"); append_branch("{uri(3)}"); t_relay(); xlog("on");'
    with Call(tmp_path, route) as call:
        assert len(call.sent_to(3)) == 1
        (_, first), (flow, second) = call.bench.server.connecting
        second.resolve(flow)
        assert call.bench.sent[-1].to == "tcp:192.0.2.12:5060"
        assert call.answer(3, 486) == [f"ACK {uri(3)} SIP/2.0"]
        assert list(call.bench.printed()) == []
        first.resolve(None)
        assert list(call.bench.printed()) == ["on"]


def test_relaying_twice_adds_branches(tmp_path: Path) -> None:
    with Call(tmp_path, f'{branches(1)} t_relay(); $ru = "{uri(2)}"; t_relay();') as call:
        assert starts(call) == [f"INVITE {uri(1)} SIP/2.0", f"INVITE {uri(2)} SIP/2.0"]
        call.answer(1, 486)
        assert call.replies == []
        call.answer(2, 486)
        assert call.replies == ["486"]


def test_each_target_gets_it_once(tmp_path: Path) -> None:
    one, two = "sip:bob@192.0.2.11", "sip:bob@192.0.2.12"
    route = f'$ru = "{one}"; append_branch("{two}"); append_branch("{one}"); t_relay();'
    with Bench(tmp_path, route) as bench:
        sent = bench.receive(request("INVITE"))
        assert [each.start.split()[1] for each in sent[1:]] == [one, two]


def test_the_same_uri_by_another_way_is_another_target(tmp_path: Path) -> None:
    uri = "sip:bob@192.0.2.11"
    route = f'$ru = "{uri}"; $du = "sip:192.0.2.21"; append_branch(); $du = "sip:192.0.2.22"; t_relay();'
    with Bench(tmp_path, route) as bench:
        sent = bench.receive(request("INVITE"))
        assert {each.to for each in sent[1:]} == {"udp:192.0.2.21:5060", "udp:192.0.2.22:5060"}


def test_a_further_address_gets_what_the_first_got(tmp_path: Path) -> None:
    """Whatever the route has done to the request since."""
    route = (
        f'$ru = "sip:bob@gw.example"; t_relay(); $ru = "{uri(3)}"; append_hf("X: later\\r\\n"); t_relay();'
    )
    with Bench(tmp_path, route) as bench:
        bench.server.hosts["gw.example"] = ("192.0.2.21", "192.0.2.22")
        _, first, _ = bench.receive(request("INVITE"))
        _, again = bench.receive(answer(first, 503))
        assert (again.to, again.start) == ("udp:192.0.2.22:5060", "INVITE sip:bob@gw.example SIP/2.0")
        assert again.all("X") == []
