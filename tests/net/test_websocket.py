from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection as Accepted
from wsproto.events import BytesMessage, CloseConnection, Event, Ping, Pong, Request, TextMessage

from openpy.net.layer import ANYBODY, Bounds, Callee
from openpy.net.websocket import LARGEST_HANDSHAKE, WebSocketLayer, WebSocketRules, WebSocketStack

MESSAGE = b"OPTIONS sip:a SIP/2.0\r\nCall-ID: \xc3\xa4\r\n\r\n"
KEY = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"


def layer(bounds: Bounds | None = None, **rules: Any) -> WebSocketLayer:
    return WebSocketLayer(bounds or Bounds(), WebSocketRules(**rules))


def asking(
    target: str = "/", subprotocols: list[str] | None = None, *origin: bytes
) -> tuple[WSConnection, bytes]:
    """A client, and its request."""
    client = WSConnection(ConnectionType.CLIENT)
    request = Request(
        host="sip.example",
        target=target,
        subprotocols=["sip"] if subprotocols is None else subprotocols,
        extra_headers=[(b"Origin", value) for value in origin],
    )
    return client, client.send(request)


class Pair:
    """A client and our end of its connection, which is open."""

    def __init__(self, bounds: Bounds | None = None) -> None:
        self.ours = layer(bounds)
        self.client, request = asking()
        assert self.ours.feed(request) == []
        (accepted,) = self.heard()
        assert isinstance(accepted, Accepted)

    def send(self, *events: Event) -> list[bytes]:
        return self.ours.feed(b"".join(self.client.send(event) for event in events))

    def heard(self, data: bytes = b"") -> list[Event]:
        self.client.receive_data(data or self.ours.answers())
        return list(self.client.events())


def test_a_message_in_each_frame_both_ways() -> None:
    pair = Pair()
    assert pair.ours.is_up
    assert pair.send(TextMessage(MESSAGE.decode()), BytesMessage(MESSAGE + b"\xff")) == [
        MESSAGE,
        MESSAGE + b"\xff",
    ]
    text, binary = pair.heard(pair.ours.wrap(MESSAGE) + pair.ours.wrap(b"\xff"))
    assert isinstance(text, TextMessage)
    assert text.data.encode() == MESSAGE
    assert isinstance(binary, BytesMessage)
    assert bytes(binary.data) == b"\xff"
    assert (pair.ours.over, pair.ours.error, pair.ours.broken_head, pair.ours.held) == ("", None, b"", 0)
    assert pair.ours.proves(Callee("a.example"))


def test_a_message_in_many_frames_and_pieces() -> None:
    pair = Pair()
    parts = [TextMessage("OPTIONS ", message_finished=False), TextMessage("sip:a", message_finished=False)]
    assert pair.send(*parts) == []
    assert pair.ours.held == 13
    assert pair.send(Ping(b"between")) == []
    wire = pair.client.send(TextMessage(" SIP/2.0\r\n\r\n"))
    assert [message for octet in wire for message in pair.ours.feed(bytes([octet]))] == [
        b"OPTIONS sip:a SIP/2.0\r\n\r\n"
    ]
    assert pair.ours.held == 0


def test_keep_alives() -> None:
    pair = Pair()
    pair.send(Ping(b"you?"))
    assert pair.heard() == [Pong(b"you?")]
    pair.send(TextMessage("\r\n\r\n"))
    (answer,) = pair.heard()
    assert isinstance(answer, TextMessage)
    assert answer.data == "\r\n"
    pair.send(Pong(b""), TextMessage("\r\n"))
    assert pair.ours.answers() == b""
    assert pair.ours.pings == 4


def test_a_message_that_is_too_large_ends_it() -> None:
    pair = Pair(Bounds(message=100))
    assert pair.send(TextMessage("x" * 100)) == [b"x" * 100]
    assert pair.send(*[TextMessage("x" * 20, message_finished=False)] * 6) == []
    (close,) = pair.heard()
    assert isinstance(close, CloseConnection)
    assert (close.code, pair.ours.over, pair.ours.held) == (1009, "the message is too large", 0)


def test_an_announced_size_takes_no_room() -> None:
    pair = Pair(Bounds(message=100))
    assert pair.ours.feed(b"\x82\xff" + b"\x00\x00\x00\x7f\xff\xff\xff\xff" + b"mask" + b"x" * 50) == []
    assert pair.ours.held == 50


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (b"\x81\x02hi", "unmasked"),
        (b"\xf1\x80mask", "Reserved bit"),
        (b"\x80\x80mask", "continuation"),
        (b"\x81\x81mask\x92", "utf"),
    ],
)
def test_what_is_no_frame_ends_it_and_is_told(octets: bytes, why: str) -> None:
    pair = Pair()
    assert pair.ours.feed(octets) == []
    assert why.lower() in pair.ours.over.lower()
    (close,) = pair.heard()
    assert isinstance(close, CloseConnection)
    assert close.code in (1002, 1007)
    assert pair.ours.farewell() == b""


def test_both_may_close() -> None:
    pair = Pair()
    pair.send(CloseConnection(1000))
    assert pair.ours.over == "the peer closed it"
    (close,) = pair.heard()
    assert isinstance(close, CloseConnection)
    assert close.code == 1000
    pair = Pair()
    (close,) = pair.heard(pair.ours.farewell())
    assert isinstance(close, CloseConnection)
    assert close.code == 1001
    assert layer().farewell() == b""


@pytest.mark.parametrize(
    ("target", "origins", "status"),
    [
        ("/ws", [], 101),
        ("/ws?token=1", [b"https://PHONE.example"], 101),
        ("/", [], 404),
        ("/ws", [b"https://evil.example"], 403),
    ],
)
def test_path_and_origin(target: str, origins: list[bytes], status: int) -> None:
    ours = layer(path="/ws", origins=frozenset({"https://phone.example"}))
    ours.feed(asking(target, None, *origins)[1])
    assert ours.answers().startswith(b"HTTP/1.1 %d" % status)
    assert ours.is_up is (status == 101)
    assert bool(ours.over) is (status != 101)


@pytest.mark.parametrize("subprotocols", [[], ["xmpp"]])
def test_without_the_subprotocol_there_is_no_web_socket(subprotocols: list[str]) -> None:
    ours = layer()
    ours.feed(asking("/", subprotocols)[1])
    answer = ours.answers()
    assert answer.startswith(b"HTTP/1.1 400")
    assert answer.endswith(b"\r\n\r\nSIP needs Sec-WebSocket-Protocol: sip (RFC 7118)\n")


def test_sip_among_other_subprotocols() -> None:
    ours = layer()
    ours.feed(asking("/", ["xmpp", "sip"])[1])
    assert b"Sec-WebSocket-Protocol: sip\r\n" in ours.answers()


@pytest.mark.parametrize(
    ("octets", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01", 400),
        (b"OPTIONS sip:a SIP/2.0\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: \xff\r\n\r\n", 400),
        (
            b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 8\r\n" + KEY + b"\r\n",
            426,
        ),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * LARGEST_HANDSHAKE, 431),
    ],
)
def test_what_asks_for_no_web_socket_is_refused(octets: bytes, status: int) -> None:
    ours = layer()
    for at in range(0, len(octets), 4096):
        if not ours.over:
            assert ours.feed(octets[at : at + 4096]) == []
    assert ours.answers().startswith(b"HTTP/1.1 %d" % status)
    assert ours.over
    assert not ours.is_up


def test_a_slow_request_is_counted() -> None:
    ours = layer()
    ours.feed(b"GET / HTTP/1.1\r\nX: ")
    assert ours.held == 19
    assert ours.answers() == b""


@given(st.binary(max_size=300), st.booleans())
def test_no_octets_raise_anything(octets: bytes, opened: bool) -> None:
    ours = Pair(Bounds(message=100)).ours if opened else layer()
    assert len(b"".join(ours.feed(octets))) <= 300
    ours.answers()
    ours.farewell()


def test_clients_are_accepted_and_nobody_is_connected_to() -> None:
    stack = WebSocketStack(Bounds(), WebSocketRules())
    ours = stack.accepted(("192.0.2.1", 80), ("192.0.2.2", 40000))
    ours.feed(asking()[1])
    assert ours.is_up
    assert stack.opened(("192.0.2.2", 40000), ANYBODY) is None
