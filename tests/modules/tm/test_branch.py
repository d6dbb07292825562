"""One branch: its timers, and the addresses that it tries."""

from __future__ import annotations

from pathlib import Path

import pytest

from openpy.engine.blacklists import Target
from tests.engine.kit import Bench, KeptFlow, Sent, answer, request

NAMED = "sip:bob@gw.example"
FIRST, SECOND = "udp:192.0.2.21:5060", "udp:192.0.2.22:5060"
CANCELS = "t_relay();"


def bench(tmp_path: Path, *, more: str = "") -> Bench:
    found = Bench(tmp_path, CANCELS, more=more)
    found.server.hosts["gw.example"] = ("192.0.2.21", "192.0.2.22")
    return found


def invites(bench: Bench, to: str) -> list[Sent]:
    return [
        sent
        for sent in bench.sent
        if sent.to == to and not sent.start.startswith(("SIP/2.0", "ACK", "CANCEL"))
    ]


def replies(bench: Bench) -> list[str]:
    found = [sent.start for sent in bench.sent if sent.to == "udp:192.0.2.1:5066"]
    return [start for start in dict.fromkeys(found) if not start.startswith("SIP/2.0 100")]


# --- time -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("restart", "statuses", "given_up"),
    [
        (1, (180, 183), 18),
        (0, (100, 180), 18),
        (0, (180, 180), 10),
        (0, (183, 180), 10),
        (0, (180, 183), 18),
    ],
)
def test_restart_fr_on_each_reply(
    tmp_path: Path, restart: int, statuses: tuple[int, int], given_up: int
) -> None:
    more = f'modparam("tm", "fr_inv_timer", 10) modparam("tm", "restart_fr_on_each_reply", {restart})'
    with bench(tmp_path, more=more) as given:
        given.receive(request("INVITE", "sip:bob@192.0.2.21"))
        (invite,) = invites(given, FIRST)
        given.receive(answer(invite, statuses[0]))
        given.run_for(8)
        given.receive(answer(invite, statuses[1]))
        given.run_for(given_up - 8.5)
        assert "SIP/2.0 408 Request Timeout" not in replies(given)
        given.run_for(1)
        assert "SIP/2.0 408 Request Timeout" in replies(given)


@pytest.mark.parametrize(("name", "status", "seconds"), [("fr_timer", 0, 4), ("fr_inv_timer", 180, 6)])
def test_the_timers_of_one_transaction(tmp_path: Path, name: str, status: int, seconds: int) -> None:
    more = f'modparam("tm", "{name}_avp", "$avp(s:timer)")'
    with Bench(tmp_path, f"$avp(s:timer) = {seconds}; t_relay();", more=more) as given:
        given.receive(request("INVITE", "sip:bob@192.0.2.21"))
        if status:
            given.receive(answer(invites(given, FIRST)[0], status))
        given.run_for(seconds - 0.5)
        assert "SIP/2.0 408 Request Timeout" not in replies(given)
        given.run_for(1)
        assert "SIP/2.0 408 Request Timeout" in replies(given)


# --- further addresses (RFC 3263 4.3) ------------------------------------------------------------------------------


def test_after_silence_the_next_address_is_tried(tmp_path: Path) -> None:
    with bench(tmp_path, more='modparam("tm", "fr_timer", 5)') as given:
        given.receive(request("INVITE", NAMED))
        given.run_for(5.5)
        (again,) = {sent.data: sent for sent in invites(given, SECOND)}.values()
        assert again.all("Via")[0] != invites(given, FIRST)[0].all("Via")[0]
        given.receive(answer(again, 200))
        assert replies(given) == ["SIP/2.0 200 Reason"]


def test_after_a_503_the_next_address_is_tried(tmp_path: Path) -> None:
    with bench(tmp_path) as given:
        given.receive(request("INVITE", NAMED))
        ack, again = given.receive(answer(invites(given, FIRST)[0], 503))
        assert (ack.to, again.to) == (FIRST, SECOND)
        given.receive(answer(again, 503, "Both"))
        assert replies(given) == ["SIP/2.0 500 Server Internal Error"]


def test_after_any_other_reply_no_further_address_is_tried(tmp_path: Path) -> None:
    with bench(tmp_path, more='modparam("tm", "fr_timer", 5) modparam("tm", "fr_inv_timer", 5)') as given:
        given.receive(request("INVITE", NAMED))
        given.receive(answer(invites(given, FIRST)[0], 180))
        given.run_for(6)
        assert invites(given, SECOND) == []
        assert replies(given)[-1] == "SIP/2.0 408 Request Timeout"


def test_what_was_cancelled_tries_no_further_address(tmp_path: Path) -> None:
    with bench(tmp_path, more='modparam("tm", "fr_timer", 5)') as given:
        given.receive(request("INVITE", NAMED))
        given.receive(request("CANCEL", NAMED))
        given.run_for(20)
        assert invites(given, SECOND) == []
        assert replies(given) == ["SIP/2.0 200 canceling", "SIP/2.0 487 Request Terminated"]


@pytest.mark.parametrize(
    ("call", "more"), [('t_relay("0x04");', ""), ("t_relay();", "disable_dns_failover=yes")]
)
def test_without_failover_only_the_first_address_is_tried(tmp_path: Path, call: str, more: str) -> None:
    with Bench(tmp_path, call, more=more) as given:
        given.server.hosts["gw.example"] = ("192.0.2.21", "192.0.2.22")
        given.receive(request("INVITE", NAMED))
        given.receive(answer(invites(given, FIRST)[0], 503))
        assert (invites(given, SECOND), replies(given)) == ([], ["SIP/2.0 500 Server Internal Error"])


def test_after_a_503_and_silence_the_third_address_is_tried(tmp_path: Path) -> None:
    with bench(tmp_path, more='modparam("tm", "fr_timer", 5)') as given:
        given.server.hosts["gw.example"] += ("192.0.2.23",)
        given.receive(request("INVITE", NAMED))
        given.receive(answer(invites(given, FIRST)[0], 503))
        given.run_for(5.5)
        assert invites(given, "udp:192.0.2.23:5060")
        assert replies(given) == []


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_503_of_one_address_is_no_answer_of_the_next(tmp_path: Path, transport: str) -> None:
    """So a CANCEL has nothing to wait for, even while the connection is made."""
    uri = f"{NAMED};transport={transport}"
    with bench(tmp_path) as given:
        given.receive(request("INVITE", uri))
        if transport == "tcp":
            flow, wait = given.server.connecting[0]
            wait.resolve(flow)
        given.receive(answer(invites(given, f"{transport}:192.0.2.21:5060")[0], 503))
        given.receive(request("CANCEL", uri))
        assert replies(given) == ["SIP/2.0 200 canceling", "SIP/2.0 487 Request Terminated"]


@pytest.mark.parametrize("comes_up", [True, False])
def test_a_branch_that_was_cancelled_while_it_connects_is_no_failure(tmp_path: Path, comes_up: bool) -> None:
    uri = "sip:bob@192.0.2.21;transport=tcp"
    with bench(tmp_path) as given:
        given.receive(request("INVITE", uri))
        given.receive(request("CANCEL", uri))
        ((flow, wait),) = given.server.connecting
        wait.resolve(flow if comes_up else None)
        assert replies(given) == ["SIP/2.0 200 canceling", "SIP/2.0 487 Request Terminated"]
        assert given.log == []


@pytest.mark.parametrize("comes_up", [True, False])
def test_after_a_lost_connection_the_next_address_is_tried(tmp_path: Path, comes_up: bool) -> None:
    with bench(tmp_path) as given:
        given.receive(request("INVITE", NAMED + ";transport=tcp"))
        (flow, wait), *_ = given.server.connecting
        wait.resolve(flow)
        given.server.transactions.flow_failed(flow)
        (_, again) = given.server.connecting
        again[1].resolve(again[0] if comes_up else None)
        assert len(invites(given, "tcp:192.0.2.22:5060")) == comes_up
        assert replies(given) == ([] if comes_up else ["SIP/2.0 500 Server Internal Error"])


def test_a_connection_lost_after_the_answer_changes_nothing(tmp_path: Path) -> None:
    with bench(tmp_path) as given:
        given.receive(request("INVITE", "sip:bob@192.0.2.21;transport=tcp"))
        ((flow, wait),) = given.server.connecting
        wait.resolve(flow)
        given.receive(answer(invites(given, "tcp:192.0.2.21:5060")[0], 200))
        given.server.transactions.flow_failed(flow)
        assert replies(given) == ["SIP/2.0 200 Reason"]


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_who_does_not_answer_counts_as_dead_where_a_name_led_there(tmp_path: Path, transport: str) -> None:
    with bench(tmp_path, more='disable_dns_blacklist=no\nmodparam("tm", "fr_timer", 5)') as given:
        dead, target = given.server.dead_targets, Target(transport, "192.0.2.21", 5060)
        assert dead is not None
        given.receive(request("MESSAGE", f"{NAMED};transport={transport}"))
        if transport == "tcp":
            flow, wait = given.server.connecting[0]
            wait.resolve(flow)
            assert isinstance(flow, KeptFlow)
            given.server.transactions.flow_failed(flow)
        given.run_for(6)
        assert dead.forbids(target)


def test_who_answers_late_is_not_dead(tmp_path: Path) -> None:
    with bench(tmp_path, more='disable_dns_blacklist=no\nmodparam("tm", "fr_timer", 5)') as given:
        dead = given.server.dead_targets
        assert dead is not None
        given.receive(request("MESSAGE", NAMED))
        given.receive(answer(invites(given, FIRST)[0], 100))
        given.run_for(6)
        assert not dead.forbids(Target("udp", "192.0.2.21", 5060))
