from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from openpy.engine.forward import (
    forward_reply,
    is_unicast,
    request_to_send,
    stateless_branch,
    without_top_via,
)
from openpy.engine.run import Run
from openpy.sip.message import Request, Response, parse_message
from openpy.transaction.flow import Flow
from tests.engine.kit import Bench, KeptFlow, Sent, request

OURS = "SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKours"


def reply(*vias: str) -> Response:
    lines = ["SIP/2.0 200 OK", *(f"Via: {via}" for via in vias), "Call-ID: x", "Content-Length: 0"]
    message = parse_message("\r\n".join(lines).encode() + b"\r\n\r\n")
    assert isinstance(message, Response)
    return message


def forwarded(*vias: str, transports: tuple[str, ...] = ("udp", "tcp"), to_maddr: bool = False) -> list[Sent]:
    sent: list[Sent] = []

    def flow_to(transport: str, host: str, port: int) -> Flow | None:
        return KeptFlow(sent, transport, host, port) if transport in transports else None

    done = forward_reply(
        reply(*vias), lambda host, port: (host, port) == ("127.0.0.1", 5060), flow_to, to_maddr=to_maddr
    )
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
    ("transport", "maddr", "to_maddr", "targets"),
    [
        ("UDP", "192.0.2.9", False, ["udp:192.0.2.8:5080"]),
        ("UDP", "192.0.2.9", True, ["udp:192.0.2.9:5070"]),
        ("TCP", "192.0.2.9", True, ["tcp:192.0.2.8:5080"]),
        ("UDP", "224.0.0.1", True, []),
        ("UDP", "relay.example", True, []),
    ],
)
def test_where_maddr_counts_it_is_where_a_reply_goes(
    transport: str, maddr: str, to_maddr: bool, targets: list[str]
) -> None:
    below = f"SIP/2.0/{transport} 10.0.0.1:5070;received=192.0.2.8;rport=5080;maddr={maddr};branch=z9hG4bK1"
    assert [sent.to for sent in forwarded(OURS, below, to_maddr=to_maddr)] == targets


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


def test_a_reply_is_ours_by_its_branch_whatever_host_we_advertised() -> None:
    below = "SIP/2.0/UDP 192.0.2.7:5070;branch=z9hG4bK1"
    ours = stateless_branch(parsed(request(via=below)))
    (sent,) = forwarded(f"SIP/2.0/UDP far.example;branch={ours}", below)
    assert sent.to == "udp:192.0.2.7:5070"
    other = "SIP/2.0/UDP 192.0.2.7:5070;branch=z9hG4bK2"
    assert forwarded(f"SIP/2.0/UDP far.example;branch={ours}", other) == []


# --- requests -------------------------------------------------------------------------------------------------

NEXT = "sip:bob@192.0.2.9"


def parsed(data: bytes) -> Request:
    message = parse_message(data)
    assert isinstance(message, Request)
    message.source = ("192.0.2.1", 5066)
    return message


@pytest.mark.parametrize(
    ("change", "is_same"),
    [
        pytest.param({}, True, id="retransmission"),
        pytest.param({"method": "CANCEL"}, True, id="CANCEL"),
        pytest.param({"method": "ACK", "to_tag": "b"}, True, id="ACK"),
        pytest.param({"branch": "z9hG4bKother"}, False, id="another branch"),
        pytest.param({"via": "SIP/2.0/UDP 192.0.2.2:5066;branch=z9hG4bKtest"}, False, id="another sender"),
    ],
)
def test_a_branch_of_rfc_3261_makes_ours(change: dict[str, Any], is_same: bool) -> None:
    first = stateless_branch(parsed(request("INVITE", NEXT)))
    assert first.startswith("z9hG4bK")
    again = stateless_branch(parsed(request(**{"method": "INVITE", "uri": NEXT, **change})))
    assert (again == first) is is_same


@pytest.mark.parametrize(
    ("change", "is_same"),
    [
        pytest.param({}, True, id="retransmission"),
        pytest.param({"method": "CANCEL"}, True, id="CANCEL"),
        pytest.param({"via": "SIP/2.0/UDP 192.0.2.1;branch=2"}, False, id="another Via"),
        pytest.param({"to_tag": "b"}, False, id="another To tag"),
        pytest.param({"cseq": 8}, False, id="another CSeq"),
        pytest.param({"call_id": "x"}, False, id="another Call-ID"),
        pytest.param({"uri": "sip:x@y"}, False, id="another Request-URI"),
    ],
)
def test_without_such_a_branch_the_transaction_makes_ours(change: dict[str, Any], is_same: bool) -> None:
    via = "SIP/2.0/UDP 192.0.2.1;branch=1"
    first = stateless_branch(parsed(request("INVITE", via=via)))
    again = stateless_branch(parsed(request(**{"method": "INVITE", "via": via, **change})))
    assert (again == first) is is_same


def test_what_is_sent_carries_all_changes(tmp_path: Path) -> None:
    with Bench(tmp_path, more="advertised_address=proxy.example advertised_port=5099") as bench:
        via = "SIP/2.0/UDP phone.example;rport;branch=z9hG4bKa"
        message = parsed(request("MESSAGE", NEXT, "Max-Forwards: 70", via=via))
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


def test_a_path_becomes_the_first_route(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        for routes in ((), ("Route: <sip:next;lr>",)):
            run = Run(bench.server, parsed(request("MESSAGE", NEXT, *routes)), bench.phone())
            run.state.path = "<sip:p1;lr>,<sip:p2;lr>"
            sent = Sent(bench.phone(), request_to_send(run, bench.phone(), "z9hG4bKours"))
            assert sent.all("Route") == ["<sip:p1;lr>,<sip:p2;lr>", "<sip:next;lr>"][: 1 + len(routes)]


def test_a_stream_gets_a_content_length(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        message = parsed(request("OPTIONS", NEXT).replace(b"Content-Length: 0\r\n", b""))
        run = Run(bench.server, message, bench.phone())
        assert b"Content-Length: 0\r\n" in request_to_send(run, bench.phone("tcp"), "z9hG4bKa")
        assert b"Content-Length" not in request_to_send(run, bench.phone("udp"), "z9hG4bKa")


def test_a_target_leaves_what_a_request_uri_may_not_have(tmp_path: Path) -> None:
    route = '$ru = "sip:bob@192.0.2.9;method=BYE;lr?Route=%3Csip:evil%3E"; forward(); xlog("$ru");'
    with Bench(tmp_path, route) as bench:
        (sent,) = bench.receive(request())
        assert sent.start == "OPTIONS sip:bob@192.0.2.9;lr SIP/2.0"
        assert list(bench.printed()) == ["sip:bob@192.0.2.9;method=BYE;lr?Route=%3Csip:evil%3E"]
