from __future__ import annotations

from pathlib import Path

import pytest

from openpy.engine.blacklists import Target
from openpy.engine.forward import request_to_send
from openpy.engine.module import Count
from openpy.engine.run import Run
from openpy.modules.tm.counts import ReplyCounts
from openpy.modules.tm.relay import Relay
from openpy.sip.message import Request, parse_message
from tests.engine.kit import Bench, KeptFlow, Sent, answer, request

NEXT = "sip:bob@192.0.2.9"


class Relayed:
    """One request on its way from the phone to the next hop."""

    def __init__(self, bench: Bench, method: str = "INVITE", transport: str = "udp") -> None:
        message = parse_message(request(method, NEXT))
        assert isinstance(message, Request)
        message.source = ("192.0.2.1", 5066)
        self.bench = bench
        self.run = Run(bench.server, message, bench.phone())
        self.counts = ReplyCounts(Count(), Count(), Count(), [Count() for _ in range(5)])
        self.relay = Relay(bench.server, self.run, patience=8, answer_patience=20, counts=self.counts)
        self.flow = KeptFlow(bench.sent, transport, "192.0.2.9", 5060)

    def send(self) -> Sent:
        branch = self.bench.server.transactions.next_branch()
        self.relay.send(request_to_send(self.run, self.flow, branch), branch, self.flow)
        return self.bench.sent[-1]

    def replies(self) -> list[str]:
        return [sent.start for sent in self.bench.sent if sent.flow is not self.flow]


def test_replies_go_up_less_our_via(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        relayed = Relayed(bench)
        sent = relayed.send()
        for status in (100, 183, 200):
            bench.receive(answer(sent, status))
        assert relayed.replies() == ["SIP/2.0 183 Reason", "SIP/2.0 200 Reason"]
        assert bench.sent[-1].all("Via") == ["SIP/2.0/UDP 192.0.2.1:5066;branch=z9hG4bKtest"]


def test_a_lost_connection_becomes_a_503(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        relayed = Relayed(bench, transport="tcp")
        sent = relayed.send()
        assert sent.get("Via").startswith("SIP/2.0/TCP 127.0.0.1:5060;")
        bench.server.transactions.flow_failed(relayed.flow)
        assert relayed.replies() == ["SIP/2.0 503 Service Unavailable"]
        assert bench.sent[-1].get("Server").startswith("openpy")


def test_a_connection_lost_after_the_answer_changes_nothing(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        relayed = Relayed(bench, transport="tcp")
        bench.receive(answer(relayed.send(), 200))
        bench.server.transactions.flow_failed(relayed.flow)
        assert relayed.replies() == ["SIP/2.0 200 Reason"]


def test_silence_becomes_a_408_after_the_patience(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        relayed = Relayed(bench, "OPTIONS")
        relayed.send()
        bench.run_for(7.5)
        assert relayed.replies() == []
        bench.run_for(1)
        assert relayed.replies() == ["SIP/2.0 408 Request Timeout"]


def test_each_provisional_reply_to_an_invite_renews_the_patience(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        relayed = Relayed(bench)
        sent = relayed.send()
        bench.receive(answer(sent, 100))
        bench.run_for(15)
        bench.receive(answer(sent, 180))
        bench.run_for(15)
        assert relayed.replies() == ["SIP/2.0 180 Reason"]
        bench.run_for(6)
        assert relayed.replies()[1] == "SIP/2.0 408 Request Timeout"
        assert [s.start for s in bench.sent if s.start.startswith("CANCEL")][:1] == [f"CANCEL {NEXT} SIP/2.0"]


def test_a_provisional_reply_to_another_request_does_not(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        relayed = Relayed(bench, "OPTIONS")
        bench.receive(answer(relayed.send(), 180))
        bench.run_for(8.5)
        assert relayed.replies()[-1] == "SIP/2.0 408 Request Timeout"


@pytest.mark.parametrize("before", [True, False])
def test_cancelling_before_or_after_it_was_sent(tmp_path: Path, before: bool) -> None:
    with Bench(tmp_path) as bench:
        relayed = Relayed(bench)
        if before:
            relayed.relay.cancel()
        sent = relayed.send()
        if not before:
            relayed.relay.cancel()
        bench.receive(answer(sent, 180))
        assert f"CANCEL {NEXT} SIP/2.0" in [s.start for s in bench.sent]


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_who_does_not_answer_counts_as_dead_where_a_name_led_there(tmp_path: Path, transport: str) -> None:
    with Bench(tmp_path, more="disable_dns_blacklist=no") as bench:
        dead, target = bench.server.dead_targets, Target(transport, "192.0.2.9", 5060)
        assert dead is not None
        dead.found_by_name(target)
        relayed = Relayed(bench, "MESSAGE", transport)
        relayed.send()
        assert not dead.forbids(target)
        if transport == "udp":
            bench.run_for(9)
        else:
            bench.server.transactions.flow_failed(relayed.flow)
        assert dead.forbids(target)
