"""Who hears every message."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import cast

import pytest

from openpy.engine.config import CoreConfig
from openpy.engine.intake import receiver
from openpy.engine.module import Module
from openpy.engine.server import Server
from openpy.engine.wiretaps import Wiretap, Wiretaps
from openpy.script.syntax import SocketId
from openpy.transaction.flow import Flow
from tests.engine.kit import KeptFlow

FLOW = KeptFlow([])


class Ears(Module):
    """A module that hears everything."""

    name = "ears"

    def wiretap(self) -> Wiretap:
        return self

    @property
    def heard(self) -> list[tuple[str, bytes, str]]:
        found: list[tuple[str, bytes, str]] = self.__dict__.setdefault("kept", [])
        return found

    def came(self, data: bytes, flow: Flow) -> None:
        self.heard.append(("came", data, flow.transport))

    def went(self, data: bytes, flow: Flow) -> None:
        self.heard.append(("went", data, flow.transport))


class Broken:
    def came(self, data: bytes, flow: Flow) -> None:
        raise ValueError("deaf")

    went = came


def test_nobody_listens() -> None:
    def receive(data: bytes, flow: Flow) -> None:
        raise AssertionError

    taps = Wiretaps([], lambda error: None)
    assert taps.receiving(receive) is receive
    assert taps.sending is None


def test_all_hear_before_it_is_taken() -> None:
    order: list[str] = []
    ears = Ears(cast(Server, None))
    taps = Wiretaps([ears, ears], lambda error: None)
    taps.receiving(lambda data, flow: order.append(f"taken after {len(ears.heard)}"))(b"x", FLOW)
    assert order == ["taken after 2"]
    assert taps.sending is not None
    taps.sending(b"y", FLOW)
    assert [what for what, _, _ in ears.heard] == ["came", "came", "went", "went"]


def test_one_that_fails_is_reported_and_keeps_nobody_from_hearing() -> None:
    errors: list[BaseException] = []
    ears = Ears(cast(Server, None))
    taken: list[bytes] = []
    taps = Wiretaps([Broken(), ears], errors.append)
    taps.receiving(lambda data, flow: taken.append(data))(b"x", FLOW)
    assert taps.sending is not None
    taps.sending(b"y", FLOW)
    assert (len(errors), len(ears.heard), taken) == (2, 2, [b"x"])


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_server_gives_them_to_its_sockets(tmp_path: Path, transport: str) -> None:
    config = CoreConfig()
    config.listen.append(SocketId(transport, "127.0.0.1", 0))
    server = Server(config)
    path = tmp_path / "tap.cfg"
    path.write_text("route { drop(); }\n")
    server.load(path)
    ears = server.modules["ears"] = Ears(server)
    server.bind()
    try:
        if transport == "udp":
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
                peer.bind(("127.0.0.1", 0))
                flow = server.flow("udp", *peer.getsockname())
                assert flow is not None
                flow.send(b"hello")
                assert peer.recv(10) == b"hello"
            assert ears.heard == [("went", b"hello", "udp")]
        else:
            assert server.sockets.tcp.sending is not None
            server.sockets.tcp.sending(b"hello", cast("object", FLOW))  # type: ignore[arg-type]
            assert ears.heard == [("went", b"hello", "udp")]
        receiver(server)(b"\r\n\r\n", FLOW)
        assert ears.heard[-1] == ("came", b"\r\n\r\n", "udp")
    finally:
        server.sockets.close()
