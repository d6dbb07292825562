from __future__ import annotations

from pathlib import Path

import pytest

from openpy.engine.socketids import SocketKind, read_socket
from openpy.script.diagnostics import ScriptError
from openpy.script.environment import ArgumentError, Environment
from openpy.script.syntax import SocketId
from tests.engine.kit import Bench, evaluate, request


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.1", SocketId(None, "192.0.2.1", None)),
        ("192.0.2.1:5070", SocketId(None, "192.0.2.1", 5070)),
        ("udp:192.0.2.1", SocketId("udp", "192.0.2.1", None)),
        ("TCP:host.example:5070", SocketId("tcp", "host.example", 5070)),
        ("[2001:db8::1]", SocketId(None, "[2001:db8::1]", None)),
        ("udp:[2001:db8::1]:5070", SocketId("udp", "[2001:db8::1]", 5070)),
        ("2001:db8::1", SocketId(None, "2001:db8::1", None)),
    ],
)
def test_what_names_a_socket(text: str, expected: SocketId) -> None:
    assert read_socket(text) == expected
    assert SocketKind().convert(text, Environment()) == expected


@pytest.mark.parametrize("text", ["", "udp:", "host:", "host:x", "host:70000", "[::1]x", "[::1]:x"])
def test_what_names_none(text: str) -> None:
    with pytest.raises(ArgumentError, match="is no address"):
        read_socket(text)


@pytest.mark.parametrize("written", ["udp:127.0.0.1", '"127.0.0.1"', "127.0.0.1"])
def test_a_socket_that_the_server_listens_on_can_be_forced(tmp_path: Path, written: str) -> None:
    text = evaluate(tmp_path, "$fs", request(), before=f"force_send_socket({written});")
    assert text.startswith("udp:127.0.0.1:")


@pytest.mark.parametrize("written", ["tcp:127.0.0.1", "udp:192.0.2.1:5060", "127.0.0.1:1"])
def test_any_other_stops_the_start_and_names_its_line(tmp_path: Path, written: str) -> None:
    with pytest.raises(ScriptError) as caught:
        Bench(tmp_path, f"if (src_port == 1) {{\n force_send_socket({written}); }}")
    (found,) = caught.value.diagnostics
    assert found.message == f"force_send_socket: the server doesn't listen on {written}"
    assert found.hint == f"add: listen={written}"
    assert found.position.line == 9
