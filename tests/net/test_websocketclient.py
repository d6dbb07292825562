from __future__ import annotations

import pytest
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, Ping, RejectConnection, TextMessage

from openpy.net.layer import ANYBODY, Bounds, Callee
from openpy.net.websocket import WebSocketLayer, WebSocketRules
from openpy.net.websocketclient import WebSocketClientLayer, WebSocketClientStack

MESSAGE = b"OPTIONS sip:a SIP/2.0\r\nCall-ID: \xc3\xa4\r\n\r\n"
BOUNDS = Bounds()


def calling() -> tuple[WebSocketClientLayer, bytes]:
    """A client, and what it asks for."""
    layer = WebSocketClientLayer(BOUNDS, "a.example:80", "/sip")
    return layer, layer.answers()


def pair() -> tuple[WebSocketClientLayer, WebSocketLayer]:
    """A client and a server whose handshake is over."""
    client, asked = calling()
    server = WebSocketLayer(BOUNDS, WebSocketRules("/sip"))
    states = [client.is_up]
    assert server.feed(asked) == []
    assert client.feed(server.answers()) == []
    states.append(client.is_up)
    assert states == [False, True]
    return client, server


def test_messages_both_ways() -> None:
    client, server = pair()
    for message in (MESSAGE, b"\xff binary"):
        assert server.feed(client.wrap(message)) == [message]
        assert client.feed(server.wrap(message)) == [message]
    assert (client.over, client.error, client.held) == ("", None, 0)


def test_what_comes_behind_the_answer_at_once() -> None:
    client, asked = calling()
    server = WSConnection(ConnectionType.SERVER)
    server.receive_data(asked)
    list(server.events())
    data = server.send(AcceptConnection(subprotocol="sip")) + server.send(TextMessage("hello"))
    assert client.feed(data) == [b"hello"]


def test_keep_alives_and_the_end() -> None:
    client, server = pair()
    remote = WSConnection(ConnectionType.SERVER)
    fresh, asked = calling()
    remote.receive_data(asked)
    list(remote.events())
    fresh.feed(remote.send(AcceptConnection(subprotocol="sip")) + remote.send(Ping(b"x")))
    assert fresh.pings == 1
    remote.receive_data(fresh.answers())
    assert [type(event).__name__ for event in remote.events()] == ["Pong"]
    fresh.feed(remote.send(CloseConnection(1001)))
    assert fresh.over == "the peer closed it"
    assert server.feed(client.farewell()) == []
    assert server.over == "the peer closed it"


def test_a_server_that_does_not_grant_sip_is_left() -> None:
    client, asked = calling()
    server = WSConnection(ConnectionType.SERVER)
    server.receive_data(asked)
    list(server.events())
    client.feed(server.send(AcceptConnection()))
    assert client.over == "the server does not speak SIP by WebSocket"
    assert not client.is_up


def test_a_refusal_is_told() -> None:
    client, asked = calling()
    server = WSConnection(ConnectionType.SERVER)
    server.receive_data(asked)
    list(server.events())
    client.feed(server.send(RejectConnection(status_code=403)))
    assert client.over == "the server has no WebSocket there: HTTP 403"


@pytest.mark.parametrize(
    "data",
    [b"SIP/2.0 400 Bad Request\r\n\r\n", b"\x15\x03\x03\x00\x02\x02\x28\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n"],
)
def test_what_is_no_web_server(data: bytes) -> None:
    client, _ = calling()
    client.feed(data)
    assert client.over
    assert not client.is_up
    assert client.answers() == b""


@pytest.mark.parametrize(
    ("peer", "callee", "host"),
    [
        (("192.0.2.1", 8080), ANYBODY, b"192.0.2.1:8080"),
        (("192.0.2.1", 80), Callee("a.example"), b"a.example:80"),
        (("2001:db8::1", 80), ANYBODY, b"[2001:db8::1]:80"),
    ],
)
def test_whom_it_asks(peer: tuple[str, int], callee: Callee, host: bytes) -> None:
    layer = WebSocketClientStack(BOUNDS, "/x").opened(peer, callee)
    assert layer is not None
    assert layer.answers().startswith(b"GET /x HTTP/1.1\r\nHost: " + host + b"\r\n")
    assert layer.held == 0
