"""WebSocket as a layer: the opening handshake, frames, and one SIP message in each message (RFC 6455, RFC 7118).

Rules:
1. Whoever does not ask for the subprotocol `sip`, or asks for another path, or is a page of an origin that is not
   allowed, gets an HTTP error that says so, and the end.
2. A message is kept as its frames come, and is as large as on other connections at most. Compression is not offered.
3. A ping is answered, and so is a message of line ends (RFC 7118 section 6): both are keep-alives, as a pong is.
4. Here we are the server: a client of WebSocket cannot be connected to, so nobody is (RFC 7118 section 5). A client is
   in websocketclient.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from wsproto import ConnectionType, WSConnection
from wsproto.connection import ConnectionState
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    Pong,
    RejectConnection,
    RejectData,
    Request,
    TextMessage,
)
from wsproto.frame_protocol import CloseReason
from wsproto.utilities import LocalProtocolError, RemoteProtocolError

from openpy.net.layer import Bounds, Callee, Layer
from openpy.sip.errors import RemoteError

SUBPROTOCOL = "sip"
FRAME_READ = 4096
"""Octets that are taken at once: there may be a frame in every six of them."""
LARGEST_HANDSHAKE = 8192
"""Octets of the request for a WebSocket."""


@dataclass(frozen=True, slots=True)
class WebSocketRules:
    """Who is let in: `path` "" is any, and so are no `origins`. An Origin is only what browsers send of themselves."""

    path: str = ""
    origins: frozenset[str] = frozenset()


class WebSocketLayer:
    """One connection of a client."""

    __slots__ = (
        "_answers",
        "_bounds",
        "_messages",
        "_partial",
        "_received",
        "_rules",
        "_ws",
        "over",
        "pings",
    )

    error: RemoteError | None = None
    broken_head = b""
    largest_read = FRAME_READ

    def __init__(self, bounds: Bounds, rules: WebSocketRules) -> None:
        self._bounds = bounds
        self._rules = rules
        self._ws = WSConnection(ConnectionType.SERVER)
        self._answers = bytearray()
        self._messages: list[bytes] = []
        self._partial = bytearray()
        self._received = 0
        self.pings = 0
        self.over = ""

    @property
    def is_up(self) -> bool:
        """Whether the opening handshake is over."""
        return self._ws.state is ConnectionState.OPEN

    @property
    def held(self) -> int:
        """Of the request for a WebSocket, or of a message that is not whole."""
        return self._received + len(self._partial)

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that `data` completes."""
        opens = self._ws.state is ConnectionState.CONNECTING
        if opens:
            self._received += len(data)
        try:
            self._ws.receive_data(data)
            for event in self._ws.events():
                self._take(event)
                if self.over:
                    break
        except RemoteProtocolError as problem:
            hint = problem.event_hint if isinstance(problem.event_hint, RejectConnection) else None
            self._refuse(hint.status_code if hint else 400, str(problem), hint)
        except (LocalProtocolError, ValueError):  # ValueError: what is no text where there has to be one
            self._refuse(400, "The request cannot be read")
        if self._ws.state is not ConnectionState.CONNECTING:
            self._received = 0
        elif self._received > LARGEST_HANDSHAKE:
            self._refuse(431, "Request Header Fields Too Large")
        messages, self._messages = self._messages, []
        return messages

    def wrap(self, message: bytes) -> bytes:
        """A message in a frame: as text where it is one."""
        try:
            return self._sent(TextMessage(message.decode()))
        except UnicodeDecodeError:
            return self._sent(BytesMessage(message))

    def answers(self) -> bytes:
        """What is to be sent now."""
        answers = bytes(self._answers)
        self._answers.clear()
        return answers

    def farewell(self) -> bytes:
        """That we close."""
        if self._ws.state is ConnectionState.OPEN:
            return self._sent(CloseConnection(CloseReason.GOING_AWAY))
        return b""

    def proves(self, callee: Callee) -> bool:
        """Nobody proves anything here; a client is found by its connection."""
        return True

    # --- events -----------------------------------------------------------------------------------------------

    def _take(self, event: Event) -> None:
        match event:
            case TextMessage() | BytesMessage():
                data = event.data
                self._partial += data.encode() if isinstance(data, str) else data
                if len(self._partial) > self._bounds.message:
                    self._close(CloseReason.MESSAGE_TOO_BIG, "the message is too large")
                elif event.message_finished:
                    self._whole(bytes(self._partial))
                    self._partial.clear()
            case Ping():
                self.pings += 1
                self._answers += self._sent(event.response())
            case Pong():
                self.pings += 1
            case CloseConnection():
                if self._ws.state is ConnectionState.REMOTE_CLOSING:
                    self._answers += self._sent(event.response())
                    self.over = "the peer closed it"
                else:
                    self._close(event.code, event.reason or "")
            case Request():
                self._open(event)

    def _whole(self, message: bytes) -> None:
        if message.strip(b"\r\n"):
            self._messages.append(message)
            return
        self.pings += 1
        if message.count(b"\n") > 1:
            self._answers += self._sent(TextMessage("\r\n"))

    def _close(self, code: int, reason: str) -> None:
        self.over = reason
        if self._ws.state is ConnectionState.OPEN:
            self._answers += self._sent(CloseConnection(code, reason))
        self._partial.clear()

    def _sent(self, event: Event) -> bytes:
        return self._ws.send(event)

    # --- the opening handshake ----------------------------------------------------------------------------------

    def _open(self, request: Request) -> None:
        path = request.target.partition("?")[0]
        origin = next((value for name, value in request.extra_headers if name.lower() == b"origin"), b"")
        if SUBPROTOCOL not in request.subprotocols:
            self._refuse(400, "SIP needs Sec-WebSocket-Protocol: sip (RFC 7118)")
        elif self._rules.path and path != self._rules.path:
            self._refuse(404, "There is no WebSocket at this path")
        elif self._rules.origins and origin and origin.decode("latin-1").lower() not in self._rules.origins:
            self._refuse(403, "Pages of this origin are not allowed")
        else:
            self._answers += self._sent(AcceptConnection(subprotocol=SUBPROTOCOL))

    def _refuse(self, status: int, why: str, hint: RejectConnection | None = None) -> None:
        """End the handshake with an HTTP error, or what came of it already."""
        if self.over:
            return
        self.over = why
        if self._ws.state is not ConnectionState.CONNECTING:
            return
        headers = [
            *(hint.headers if hint else ()),
            (b"content-type", b"text/plain"),
            (b"connection", b"close"),
        ]
        text = f"{why}\n".encode()
        headers.append((b"content-length", b"%d" % len(text)))
        try:
            self._answers += self._sent(RejectConnection(status_code=status, headers=headers, has_body=True))
            self._answers += self._sent(RejectData(data=text))
        except (LocalProtocolError, RemoteProtocolError):  # it was no HTTP: nothing is understood there
            self._answers += (
                b"HTTP/1.1 %d Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n" % status
            )


class WebSocketStack:
    """WebSocket, over TCP or over TLS."""

    def __init__(self, bounds: Bounds, rules: WebSocketRules) -> None:
        self._bounds = bounds
        self._rules = rules

    def accepted(self, local: tuple[str, int], peer: tuple[str, int]) -> Layer:
        """That of a client."""
        return WebSocketLayer(self._bounds, self._rules)

    def opened(self, peer: tuple[str, int], callee: Callee) -> Layer | None:
        """None: rule 4."""
        return None
