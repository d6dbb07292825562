from __future__ import annotations

from pathlib import Path

import pytest

from openpy.script.diagnostics import ScriptError
from tests.engine.kit import MODULES, Bench, request

NEXT = "sip:192.0.2.9"
LOADS = (*MODULES, "rr", "path")


@pytest.mark.parametrize(
    ("call", "transport", "path"),
    [
        ("add_path()", "udp", "<sip:127.0.0.1:5060;lr>"),
        ('add_path("edge")', "udp", "<sip:edge@127.0.0.1:5060;lr>"),
        ("add_path_received()", "udp", "<sip:127.0.0.1:5060;lr;received=sip:192.0.2.1:5066>"),
        (
            'add_path_received("edge")',
            "tcp",
            "<sip:edge@127.0.0.1:5060;lr;received=sip:192.0.2.1:5066%3Btransport%3Dtcp>",
        ),
        (
            "add_path_received()",
            "wss",
            "<sip:127.0.0.1:5060;lr;received=sip:192.0.2.1:5066%3Btransport%3Dws>",
        ),
    ],
)
def test_paths(tmp_path: Path, call: str, transport: str, path: str) -> None:
    other = "<sip:192.0.2.77;lr>"
    with Bench(tmp_path, f'{call}; xlog("$retcode"); t_relay();', modules=LOADS) as bench:
        bench.receive(request("REGISTER", NEXT, f"Path: {other}"), bench.phone(transport))
        assert bench.sent[-1].all("Path") == [path, other]
        assert list(bench.printed()) == ["1"]


def test_a_forced_socket_and_an_ipv6_phone(tmp_path: Path) -> None:
    with Bench(tmp_path, "add_path_received(); t_relay();", modules=LOADS) as bench:
        bench.receive(request("REGISTER", NEXT), bench.phone(host="2001:db8::1", port=5061))
        assert "received=sip:[2001:db8::1]:5061>" in bench.sent[-1].get("Path")


def sent_to(folder: Path, received: str, switch: int = 1) -> str:
    more = f'modparam("path", "use_received", {switch})'
    with Bench(folder, "loose_route(); t_relay();", more=more, modules=LOADS) as bench:
        port = bench.server.sockets.endpoints[0].port
        route = f"Route: <sip:127.0.0.1:{port};lr{received}>"
        bench.receive(request("MESSAGE", "sip:bob@192.0.2.50", route))
        return bench.sent[-1].to


@pytest.mark.parametrize(
    ("received", "switch", "to"),
    [
        (";received=sip:192.0.2.60:5080", 1, "udp:192.0.2.60:5080"),
        (";received=sip:192.0.2.60:5080%3Btransport%3Dudp", 1, "udp:192.0.2.60:5080"),
        (";received=sip:192.0.2.60:5080", 0, "udp:192.0.2.50:5060"),
        (";received=nonsense", 1, "udp:192.0.2.50:5060"),
        ("", 1, "udp:192.0.2.50:5060"),
    ],
)
def test_use_received(tmp_path: Path, received: str, switch: int, to: str) -> None:
    assert sent_to(tmp_path, received, switch) == to


def test_use_received_needs_rr(tmp_path: Path) -> None:
    with pytest.raises(ScriptError, match="path needs rr"):
        Bench(tmp_path, more='modparam("path", "use_received", 1)', modules=(*MODULES, "path"))
