from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from openpy.engine.socketids import SocketId
from openpy.modules.nathelper.pings import ZEROES, Pings, Rules
from openpy.sip.message import parse_message
from tests.engine.kit import Bench, Sent
from tests.modules.usrloc.kit import contact

NAT, SIP = 1 << 6, 1 << 8
BY_SIP = Rules(0, SIP, sender="sip:pinger@example.com")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Bench(tmp_path) as given:
        given.server.hosts["phone.example"] = ("192.0.2.70", "192.0.2.71")
        yield given


def sent(bench: Bench, rules: Rules, uri: str = "sip:bob@192.0.2.7:5062", **fields: Any) -> list[Sent]:
    before = len(bench.sent)
    Pings(bench.server, rules).send(contact(uri, **fields))
    return bench.sent[before:]


@pytest.mark.parametrize(
    ("uri", "received", "to"),
    [
        ("sip:bob@192.0.2.7:5062", "", "udp:192.0.2.7:5062"),
        ("sip:bob@192.0.2.7", "", "udp:192.0.2.7:5060"),
        ("sip:bob@10.0.0.7:5062", "sip:203.0.113.9:40000", "udp:203.0.113.9:40000"),
        ("sip:bob@phone.example", "", "udp:192.0.2.70:5060"),
        ("sip:bob@phone.example:5070", "", "udp:192.0.2.70:5070"),
        ("sip:bob@[2001:db8::7]", "", "udp:2001:db8::7:5060"),
    ],
)
def test_where_zeroes_go(bench: Bench, uri: str, received: str, to: str) -> None:
    (ping,) = sent(bench, Rules(), uri, received=received)
    assert (ping.to, ping.data) == (to, ZEROES)


@pytest.mark.parametrize(
    ("uri", "fields"),
    [
        ("sip:bob@192.0.2.7;transport=tcp", {}),
        ("sips:bob@192.0.2.7", {}),
        ("sip:bob@x.invalid;transport=ws", {}),
        ("tel:+1", {}),
        ("nonsense", {}),
        ("sip:bob@nowhere.example", {}),
        ("sip:bob@silent.example", {}),
        ("sip:bob@10.0.0.7", {"received": "sip:203.0.113.9:4;transport=TCP"}),
        ("sip:bob@10.0.0.7", {"path": "<sip:192.0.2.2;lr>"}),
        ("sip:bob@10.0.0.7", {"path": "<nonsense", "branch_flags": SIP}),
        ("sip:b\nb@192.0.2.7", {"received": "sip:192.0.2.7", "branch_flags": SIP}),
    ],
)
def test_who_is_not_pinged(bench: Bench, uri: str, fields: dict[str, Any]) -> None:
    assert sent(bench, BY_SIP, uri, **fields) == []
    assert not bench.log


def test_only_those_behind_a_nat(bench: Bench) -> None:
    assert sent(bench, Rules(NAT)) == []
    assert sent(bench, Rules(NAT), branch_flags=SIP) == []
    assert len(sent(bench, Rules(NAT), branch_flags=NAT | SIP)) == 1


def test_by_sip(bench: Bench) -> None:
    (ping,) = sent(bench, BY_SIP, received="sip:203.0.113.9:40000", branch_flags=SIP | NAT)
    assert ping.to == "udp:203.0.113.9:40000"
    assert ping.start == "OPTIONS sip:bob@192.0.2.7:5062 SIP/2.0"
    assert ping.get("From").startswith("<sip:pinger@example.com>;tag=")
    assert ping.get("To") == "<sip:bob@192.0.2.7:5062>"
    assert ping.get("CSeq") == "1 OPTIONS"
    assert ping.get("Call-ID").endswith("@127.0.0.1")
    assert ping.get("Content-Length") == "0"
    assert ping.all("Route") == []
    branch = parse_message(ping.data).via.branch
    assert branch.startswith(bench.server.transactions.unwatched_prefix)
    (other,) = sent(bench, BY_SIP, branch_flags=SIP)
    assert parse_message(other.data).via.branch != branch
    assert other.get("Call-ID") != ping.get("Call-ID")


def test_by_sip_along_the_path(bench: Bench) -> None:
    path = "<sip:192.0.2.2:5070;lr>,<sip:192.0.2.3;lr>"
    (ping,) = sent(bench, BY_SIP, branch_flags=SIP, path=path, received="sip:203.0.113.9")
    assert ping.to == "udp:192.0.2.2:5070"
    assert ping.all("Route") == ["<sip:192.0.2.2:5070;lr>", "<sip:192.0.2.3;lr>"]


def test_another_method(bench: Bench) -> None:
    (ping,) = sent(bench, BY_SIP._replace(method="INFO"), branch_flags=SIP)
    assert ping.start.startswith("INFO ")
    assert ping.get("CSeq") == "1 INFO"


FORCED, OTHER = SocketId("udp", "192.0.2.200", 5080), SocketId(None, "192.0.2.201", None)


@pytest.mark.parametrize(
    ("socket", "rules", "local"),
    [
        ("", Rules(), ("127.0.0.1", 5060)),
        ("udp:192.0.2.100:5070", Rules(), ("192.0.2.100", 5070)),
        ("tcp:192.0.2.100:5070", Rules(), ("127.0.0.1", 5060)),
        ("not a socket:x", Rules(), ("127.0.0.1", 5060)),
        ("udp:192.0.2.100:5070", Rules(socket=FORCED, other_socket=OTHER), ("192.0.2.200", 5080)),
        ("udp:192.0.2.100:5070", Rules(other_socket=OTHER), ("192.0.2.100", 5070)),
        ("", Rules(other_socket=OTHER), ("192.0.2.201", 5060)),
    ],
)
def test_what_they_leave_by(bench: Bench, socket: str, rules: Rules, local: tuple[str, int]) -> None:
    (ping,) = sent(bench, rules, socket=socket)
    assert (ping.flow.local_host, ping.flow.local_port) == local


def test_their_uri_is_one_of_requests(bench: Bench) -> None:
    uri = "sip:bob@192.0.2.7:5062;method=INVITE;x=y?Subject=z"
    (ping,) = sent(bench, BY_SIP, uri, branch_flags=SIP)
    assert ping.start == "OPTIONS sip:bob@192.0.2.7:5062;x=y SIP/2.0"
    assert ping.get("To") == "<sip:bob@192.0.2.7:5062;x=y>"
