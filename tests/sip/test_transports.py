from __future__ import annotations

import pytest

from openpy.sip.transports import default_port, port_of, transport_of, uri_transport
from openpy.sip.uri import parse_uri


@pytest.mark.parametrize(
    ("uri", "transport", "port"),
    [
        ("sip:a.example", "udp", 5060),
        ("sip:a.example;transport=TCP", "tcp", 5060),
        ("sip:a.example:5070;transport=tls", "tls", 5070),
        ("sips:a.example", "tls", 5061),
        ("sips:a.example;transport=tcp", "tls", 5061),
        ("sip:a.example;transport=ws", "ws", 80),
        ("sips:a.example;transport=ws", "wss", 443),
        ("sip:a.example;transport=wss", "wss", 443),
        ("sips:a.example;transport=udp", "", 5060),
        ("sip:a.example;transport=sctp", "sctp", 5060),
    ],
)
def test_what_a_uri_asks_for(uri: str, transport: str, port: int) -> None:
    assert (transport_of(parse_uri(uri)), port_of(parse_uri(uri))) == (transport, port)


def test_ports_that_go_without_saying() -> None:
    ports = [default_port(transport) for transport in ("udp", "tcp", "tls", "ws", "wss")]
    assert ports == [5060, 5060, 5061, 80, 443]


def test_uris_have_one_word_for_web_socket() -> None:
    assert [uri_transport(each) for each in ("udp", "tls", "ws", "wss")] == ["udp", "tls", "ws", "ws"]
