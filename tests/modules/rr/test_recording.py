from __future__ import annotations

from pathlib import Path

import pytest

from openpy.engine.run import Run
from openpy.modules.rr.recording import (
    RecordRoute,
    add_params,
    is_safe,
    params_text,
    record,
    recorded,
)
from openpy.sip.message import parse_message
from openpy.sip.uri import parse_uri
from tests.engine.kit import Bench, KeptFlow, request


def written(
    tmp_path: Path, record: RecordRoute, by: str = "udp", *, local_port: int = 5060, uri: str = "sip:a@b"
) -> str:
    with Bench(tmp_path) as bench:
        run = Run(bench.server, parse_message(request(uri=uri)), bench.phone())
        flow = KeptFlow([], by, "192.0.2.9", 5060, "127.0.0.1", local_port)
        return record(run, flow)


def test_one_where_it_leaves_as_it_came(tmp_path: Path) -> None:
    assert written(tmp_path, RecordRoute()) == "Record-Route: <sip:127.0.0.1;lr>\r\n"


def test_what_stands_in_it(tmp_path: Path) -> None:
    record = RecordRoute("bob", lr=";lr=on", params=";ftag=a;x=1")
    assert written(tmp_path, record) == "Record-Route: <sip:bob@127.0.0.1;lr=on;ftag=a;x=1>\r\n"
    assert (
        written(tmp_path, RecordRoute("bob", "gw.example:5080"))
        == "Record-Route: <sip:bob@gw.example:5080;lr>\r\n"
    )


def test_two_where_it_leaves_by_another_transport(tmp_path: Path) -> None:
    assert written(tmp_path, RecordRoute(), "tcp") == (
        "Record-Route: <sip:127.0.0.1;transport=tcp;r2=on;lr>\r\nRecord-Route: <sip:127.0.0.1;r2=on;lr>\r\n"
    )


@pytest.mark.parametrize(
    ("by", "port", "uri", "above"),
    [
        ("tls", 5061, "sip:a@b", "sip:127.0.0.1;transport=tls"),
        ("tls", 5071, "sip:a@b", "sip:127.0.0.1:5071;transport=tls"),
        ("tls", 5061, "SIPS:a@b", "sips:127.0.0.1;transport=tls"),
        ("ws", 80, "sip:a@b", "sip:127.0.0.1;transport=ws"),
        ("ws", 5080, "sips:a@b", "sip:127.0.0.1:5080;transport=ws"),
        ("wss", 443, "sip:a@b", "sip:127.0.0.1;transport=ws"),
        ("wss", 8443, "sips:a@b", "sips:127.0.0.1:8443;transport=ws"),
    ],
)
def test_transports_are_named_as_uris_name_them(
    tmp_path: Path, by: str, port: int, uri: str, above: str
) -> None:
    lines = written(tmp_path, RecordRoute(), by, local_port=port, uri=uri)
    assert lines == (f"Record-Route: <{above};r2=on;lr>\r\nRecord-Route: <sip:127.0.0.1;r2=on;lr>\r\n")


def test_two_where_it_leaves_by_another_socket(tmp_path: Path) -> None:
    assert written(tmp_path, RecordRoute(), local_port=5062) == (
        "Record-Route: <sip:127.0.0.1:5062;r2=on;lr>\r\nRecord-Route: <sip:127.0.0.1;r2=on;lr>\r\n"
    )
    assert (
        written(tmp_path, RecordRoute(pairs=False), local_port=5062) == "Record-Route: <sip:127.0.0.1;lr>\r\n"
    )


def test_parameters_as_text() -> None:
    assert params_text(parse_uri("sip:a@b;lr;ftag=x;r2=on?h=1")) == ";lr;ftag=x;r2=on"
    assert params_text(parse_uri("sip:a@b")) == ""


@pytest.mark.parametrize(
    ("text", "safe"), [(";a=1", True), (";a=>", False), (";a= b", False), ("a\r\nb", False), ('"', False)]
)
def test_what_can_stand_in_a_header(text: str, safe: bool) -> None:
    assert is_safe(text) is safe


RULES = {"full_lr": False, "from_tag": True, "username": True, "pairs": True}


def test_a_request_is_recorded_once(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        run = Run(bench.server, parse_message(request("INVITE", "sip:bob@b.example")), bench.phone())
        assert recorded(run) is None
        assert add_params(run, ";early=1") == 1
        assert add_params(run, ";x" * 300) == -1
        assert record(run, "", ";y z", **RULES) == -1
        assert record(run, "", ";more", **RULES) == 1
        assert record(run, "", "", **RULES) == -1
        assert add_params(run, ";late=2") == 1
        (route,) = run.state.late_headers
        assert route is recorded(run)
        assert (route.user, route.lr, route.params) == ("bob", ";lr", ";ftag=a1;early=1;more;late=2")


def test_what_cannot_be_read_is_not_recorded(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        run = Run(bench.server, parse_message(request("INVITE", "sip:")), bench.phone())
        assert record(run, "", "", **RULES) == -1
        assert run.state.late_headers == ()
