from __future__ import annotations

from pathlib import Path

import pytest

from openpy.engine.module import Count
from openpy.engine.run import Run
from openpy.modules.tm.counts import ReplyCounts
from openpy.modules.tm.relay import (
    E_BAD_ADDRESS,
    E_BAD_URI,
    Destination,
    Relay,
    RelayError,
    destination_of,
    request_to_send,
)
from openpy.sip.message import Request, parse_message
from tests.engine.kit import Bench, KeptFlow, Sent, answer, request

NEXT = "sip:bob@192.0.2.9"


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("sip:192.0.2.9", Destination("udp", "192.0.2.9", 5060)),
        ("sip:bob@192.0.2.9:5070;transport=TCP", Destination("tcp", "192.0.2.9", 5070)),
        ("sip:bob@[2001:DB8::1]", Destination("udp", "2001:db8::1", 5060)),
        ("sip:bob@name.example;maddr=192.0.2.9", Destination("udp", "192.0.2.9", 5060)),
    ],
)
def test_destinations(uri: str, expected: Destination) -> None:
    assert destination_of(uri) == expected


@pytest.mark.parametrize(
    ("uri", "code"),
    [
        ("nonsense", E_BAD_URI),
        ("sips:192.0.2.9", E_BAD_URI),
        ("sip:192.0.2.9;transport=tls", E_BAD_URI),
        ("sip:name.example", E_BAD_ADDRESS),
    ],
)
def test_what_is_no_destination(uri: str, code: int) -> None:
    with pytest.raises(RelayError) as caught:
        destination_of(uri)
    assert caught.value.code == code


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


def test_what_is_sent_carries_all_changes(tmp_path: Path) -> None:
    with Bench(tmp_path, more="advertised_address=proxy.example advertised_port=5099") as bench:
        message = parse_message(
            request(
                "MESSAGE", NEXT, "Max-Forwards: 70", via="SIP/2.0/UDP phone.example;rport;branch=z9hG4bKa"
            )
        )
        assert isinstance(message, Request)
        message.source = ("192.0.2.1", 5066)
        run = Run(bench.server, message, bench.phone())
        run.state.uri = "sip:carol@192.0.2.10"
        run.hops = 9
        run.edits.append_header("X-New: 1\r\n")
        sent = Sent(bench.phone(), request_to_send(run, bench.phone(), "z9hG4bKours"))
        assert sent.start == "MESSAGE sip:carol@192.0.2.10 SIP/2.0"
        assert sent.all("Via") == [
            "SIP/2.0/UDP proxy.example:5099;branch=z9hG4bKours",
            "SIP/2.0/UDP phone.example;rport=5066;received=192.0.2.1;branch=z9hG4bKa",
        ]
        assert (sent.all("Max-Forwards"), sent.get("X-New")) == (["9"], "1")
        again = request_to_send(run, bench.phone(), "z9hG4bKours")
        assert again == sent.data, "the run's own edits are not touched"


def test_a_stream_gets_a_content_length(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        message = parse_message(request("OPTIONS", NEXT).replace(b"Content-Length: 0\r\n", b""))
        assert isinstance(message, Request)
        run = Run(bench.server, message, bench.phone())
        assert b"Content-Length: 0\r\n" in request_to_send(run, bench.phone("tcp"), "z9hG4bKa")
        assert b"Content-Length" not in request_to_send(run, bench.phone("udp"), "z9hG4bKa")
