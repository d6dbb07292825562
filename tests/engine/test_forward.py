from __future__ import annotations

import pytest

from openpy.engine.forward import forward_reply, is_unicast, without_top_via
from openpy.sip.message import Response, parse_message
from openpy.transaction.flow import Flow
from tests.engine.kit import KeptFlow, Sent

OURS = "SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKours"


def reply(*vias: str) -> Response:
    lines = ["SIP/2.0 200 OK", *(f"Via: {via}" for via in vias), "Call-ID: x", "Content-Length: 0"]
    message = parse_message("\r\n".join(lines).encode() + b"\r\n\r\n")
    assert isinstance(message, Response)
    return message


def forwarded(*vias: str, transports: tuple[str, ...] = ("udp", "tcp")) -> list[Sent]:
    sent: list[Sent] = []

    def flow_to(transport: str, host: str, port: int) -> Flow | None:
        return KeptFlow(sent, transport, host, port) if transport in transports else None

    done = forward_reply(reply(*vias), lambda host, port: (host, port) == ("127.0.0.1", 5060), flow_to)
    assert done is bool(sent)
    return sent


@pytest.mark.parametrize(
    ("below", "target"),
    [
        ("SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1", "udp:192.0.2.7:5060"),
        ("SIP/2.0/UDP 192.0.2.7:5070;branch=z9hG4bK1", "udp:192.0.2.7:5070"),
        ("SIP/2.0/UDP phone.invalid:5070;branch=z9hG4bK1;received=192.0.2.8", "udp:192.0.2.8:5070"),
        ("SIP/2.0/UDP 10.0.0.1:5070;rport=9;received=192.0.2.8;branch=z9hG4bK1", "udp:192.0.2.8:9"),
        ("SIP/2.0/UDP 192.0.2.7;rport=99999;branch=z9hG4bK1", "udp:192.0.2.7:5060"),
        ("SIP/2.0/TCP 192.0.2.7;branch=z9hG4bK1", "tcp:192.0.2.7:5060"),
        ("SIP/2.0/UDP [2001:db8::7];branch=z9hG4bK1", "udp:[2001:db8::7]:5060"),
    ],
)
def test_a_reply_goes_where_the_second_via_says(below: str, target: str) -> None:
    (sent,) = forwarded(OURS, below)
    assert sent.to == target
    assert sent.all("Via") == [below]


@pytest.mark.parametrize(
    "vias",
    [
        (OURS,),
        ("SIP/2.0/UDP 127.0.0.1:5099;branch=z9hG4bKx", "SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1"),
        (OURS, "SIP/2.0/UDP phone.invalid;branch=z9hG4bK1"),
        (OURS, "SIP/2.0/UDP 224.0.0.1;branch=z9hG4bK1"),
        (OURS, "SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK1"),
        (OURS, "SIP/2.0/UDP 0.0.0.0;branch=z9hG4bK1"),
        (OURS, "SIP/2.0/UDP 192.0.2.7:99999;branch=z9hG4bK1"),
        (OURS, "SIP/2.0/SCTP 192.0.2.7;branch=z9hG4bK1"),
        (OURS, "nonsense"),
        (),
    ],
)
def test_what_is_not_ours_or_leads_nowhere_is_not_forwarded(vias: tuple[str, ...]) -> None:
    assert forwarded(*vias) == []


def test_vias_on_one_line_lose_only_the_first() -> None:
    data = without_top_via(reply(f"{OURS}, SIP/2.0/UDP b.example;branch=z9hG4bK1", "SIP/2.0/UDP c.example"))
    assert data.count(b"Via:") == 2
    assert b"ours" not in data
    assert data.index(b"b.example") < data.index(b"c.example")


@pytest.mark.parametrize(
    ("host", "expected"),
    [("192.0.2.1", True), ("[2001:db8::1]", True), ("ff02::1", False), ("::", False), ("name", False)],
)
def test_unicast_addresses(host: str, expected: bool) -> None:
    assert is_unicast(host) is expected
