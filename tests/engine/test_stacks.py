from __future__ import annotations

from openpy.engine.config import CoreConfig
from openpy.engine.stacks import stacks_of
from openpy.engine.tlsdomains import TlsContexts
from openpy.net.layer import ANYBODY, Bounds
from openpy.net.websocket import WebSocketLayer
from openpy.script.syntax import SocketId

LOCAL, PEER = ("192.0.2.1", 80), ("192.0.2.2", 40000)


def config(*transports: str, **texts: str) -> CoreConfig:
    made = CoreConfig()
    made.values.update(texts)
    made.listen.extend(SocketId(transport, "192.0.2.1", None) for transport in transports)
    return made


def test_without_tls_and_web_socket_there_is_tcp_alone() -> None:
    assert list(stacks_of(config("udp", "tcp"), None, Bounds())) == ["tcp"]
    assert list(stacks_of(config("ws"), None, Bounds())) == ["tcp", "ws"]
    assert list(stacks_of(config("wss"), TlsContexts(), Bounds())) == ["tcp", "tls", "ws", "wss"]


def test_the_rules_of_web_socket_are_those_of_the_parameters() -> None:
    stacks = stacks_of(
        config("ws", ws_path="/sip", ws_origins="https://A.example  https://b.example"), None, Bounds()
    )
    layer = stacks["ws"].accepted(LOCAL, PEER)
    assert isinstance(layer, WebSocketLayer)
    assert layer._rules.path == "/sip"
    assert layer._rules.origins == {"https://a.example", "https://b.example"}


def test_nobody_is_connected_to_by_web_socket() -> None:
    stacks = stacks_of(config("wss"), TlsContexts(), Bounds())
    assert stacks["ws"].opened(PEER, ANYBODY) is None
    assert stacks["wss"].opened(PEER, ANYBODY) is None
