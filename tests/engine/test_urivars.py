from __future__ import annotations

from pathlib import Path

import pytest

from openpy.engine.run import Run
from openpy.engine.urivars import host_of, number_of, parsed, port_of, transport_number, transport_of, user_of
from openpy.script.values import Value
from openpy.sip.message import parse_message
from openpy.sip.uri import parse_uri
from tests.engine.kit import Bench, request


@pytest.mark.parametrize(
    ("text", "user", "host", "port", "transport"),
    [
        ("sip:bob@h.example:5070;transport=tcp", "bob", "h.example", "5070", "tcp"),
        ("sips:h.example", None, "h.example", "5060", "UDP"),
        ("tel:+1555;ext=7", "+1555", None, "5060", "UDP"),
        ("urn:service:sos", None, None, "5060", "UDP"),
    ],
)
def test_the_parts_of_a_uri(text: str, user: Value, host: Value, port: str, transport: str) -> None:
    uri = parse_uri(text)
    assert (user_of(uri), host_of(uri), port_of(uri), transport_of(uri)) == (user, host, port, transport)


def test_what_cannot_be_read_is_a_parse_error(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        run = Run(bench.server, parse_message(request()), bench.phone())
        uri = parsed(run, "sip:a@b")
        assert uri is not None
        assert (uri.user, parsed(run, ""), run.error_class) == ("a", None, 0)
        assert parsed(run, "none", "dst uri") is None
        assert run.mistake is not None
        assert (run.error_class, run.mistake.info) == (1, "error parsing dst uri")


def test_nothing_has_no_parts() -> None:
    assert [part(None) for part in (user_of, host_of, port_of, transport_of)] == [None] * 4


def test_numbers() -> None:
    assert (number_of(7), number_of(7).number) == ("7", 7)
    assert [transport_number(name) for name in ("udp", "tcp", "tls", "sctp", "ws", "wss", "x")] == [
        1,
        2,
        3,
        4,
        5,
        6,
        0,
    ]
