"""One connection, whatever it carries: a flow that gives what it reads to its layer, which cuts messages out of it, and
keeps what its peer does not take yet.

Rules:
1. The owner says when it reads, and how much: a peer who sends much does not keep others waiting.
2. What the peer does not take waits: at most `Bounds.send_buffer` octets and the message that passes them; who
   leaves more unread loses the connection.
3. When framing is lost the owner hears of it (to answer 400 where it can), and nothing more is sent; it is the same
   when the layer is over. What still arrives is read and dropped, for as long as a message may take: a close would take
   the answer away with it.
4. The owner hears the end of a connection once, in a later turn of the loop: nobody loses a connection while he
   sends on it.
5. It is open once its layer is up: before that nothing can be sent, and the owner hears of it once.
6. What is to be sent when it is not open is the owner's, who may know another way.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from openpy.net.layer import Bounds, Callee, Layer
from openpy.sip.errors import RemoteError

HANDSHAKE = 16
"""Messages that a step of a handshake stands for: it is far more work than to read one."""


@dataclass(slots=True)
class TcpCounts:
    """What all connections together did."""

    received: int = 0
    sent: int = 0
    refused: int = 0
    dropped: int = 0
    failed_handshakes: int = 0
    """Connections that ended before a message could pass: of TLS and WebSocket."""
    given_up: int = 0
    """Connections closed for what they held: a message that did not end, answers unread, a place that others need."""


class Owner(Protocol):
    """Who keeps the connections."""

    counts: TcpCounts
    bounds: Bounds
    sending: Callable[[bytes, TcpConnection], None] | None
    """Hears each message that is about to be sent."""

    def readable(self, connection: TcpConnection) -> None:
        """Something came, or the end: to be answered by `read`, now or after a `pause`."""
        ...

    def up(self, connection: TcpConnection) -> None:
        """Messages can pass from now on."""
        ...

    def heard(self, connection: TcpConnection, messages: int) -> None:
        """So many messages, or a keep-alive, came: the peer is there."""
        ...

    def holds_unread(self, connection: TcpConnection, octets: int, *, begins: bool) -> None:
        """It holds so many octets of a message that is not whole, and began just now or before."""
        ...

    def holds_unsent(self, connection: TcpConnection, octets: int) -> None:
        """It holds so many octets that the peer does not take."""
        ...

    def received(self, connection: TcpConnection, messages: list[bytes]) -> None:
        """A turn of reading gave these messages."""
        ...

    def broken(self, connection: TcpConnection, head: bytes, error: RemoteError) -> None:
        """Framing is lost."""
        ...

    def over(self, connection: TcpConnection, why: str) -> None:
        """Its layer is over, and why; where it was not open yet its handshake has failed."""
        ...

    def stranded(self, connection: TcpConnection, data: bytes) -> None:
        """A message was to be sent when it was not open."""
        ...

    def closed(self, connection: TcpConnection) -> None:
        """The connection is gone."""
        ...


class TcpConnection:
    """One connection, ours or theirs.

    `last_used` is when a whole message or keep-alive came, or a message was sent, of the loop's time. Nothing need come
    until `kept_until`. `is_ours` says that we opened it.
    """

    __slots__ = (
        "_closing",
        "_ended",
        "_is_up",
        "_layer",
        "_loop",
        "_owner",
        "_pings",
        "_socket",
        "_unsent",
        "host",
        "is_ours",
        "kept_until",
        "last_used",
        "local_host",
        "local_port",
        "port",
        "transport",
    )

    reliable = True

    def __init__(
        self,
        owner: Owner,
        loop: asyncio.AbstractEventLoop,
        sock: socket.socket,
        layer: Layer,
        transport: str = "tcp",
        *,
        is_ours: bool = False,
    ) -> None:
        """Begin to read from a socket that is connected; raises OSError if its peer is gone already."""
        self._owner = owner
        self._loop = loop
        self._layer = layer
        self._is_up = False
        self.transport = transport
        self.is_ours = is_ours
        self._socket: socket.socket | None = sock
        self._pings = 0
        self._unsent = bytearray()
        self._closing = False
        self._ended = False
        self.last_used = loop.time()
        self.kept_until = 0.0
        self.host, self.port = sock.getpeername()[:2]
        self.local_host, self.local_port = sock.getsockname()[:2]
        self.go_on()

    def begin(self) -> None:
        """Say what the layer has to say first."""
        self._write(self._layer.answers())
        self._look_whether_up()

    @property
    def is_open(self) -> bool:
        """Whether it can still carry a message."""
        return self._is_up and self._layer.is_up and self._socket is not None and not self._closing

    def proves(self, callee: Callee) -> bool:
        """Whether the peer is whom a request is for, as far as its URI demands proof."""
        return self._layer.proves(callee)

    def send(self, data: bytes) -> None:
        """Send one message, now or as soon as the peer takes it."""
        owner = self._owner
        if not self.is_open:
            owner.stranded(self, data)
            return
        if owner.sending is not None:
            owner.sending(data, self)
        if self._write(self._layer.wrap(data)):
            owner.counts.sent += 1
            self.last_used = self._loop.time()

    def _write(self, data: bytes) -> bool:
        """Send octets; False where that loses the connection."""
        if not data:
            return True
        if self._socket is None:
            return False
        sent = 0
        if len(self._unsent) > self._owner.bounds.send_buffer:
            self._lose()
            return False
        if not self._unsent:
            try:
                sent = self._socket.send(data)
            except BlockingIOError:
                pass
            except OSError:
                self._lose()
                return False
        if sent < len(data):
            if not self._unsent:
                self._loop.add_writer(self._socket, self._writable)
            self._unsent += memoryview(data)[sent:]
            self._owner.holds_unsent(self, len(self._unsent))
        return True

    def close(self) -> None:
        """Close after what waits has been sent."""
        if self._socket is not None and not self._closing:
            self._closing = self._ended = True
            self._loop.remove_reader(self._socket)
            self._write(self._layer.farewell())
            if not self._unsent:
                self.abort()

    def abort(self) -> None:
        """Close now; what waits is lost."""
        if self._socket is not None:
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
            self._socket.close()
            self._socket = None
            self._unsent.clear()
            self._loop.call_soon(self._owner.closed, self)

    def _lose(self) -> None:
        self._owner.counts.dropped += 1
        self.abort()

    # --- reading ------------------------------------------------------------------------------------------------

    def pause(self) -> None:
        """Tell no more that something came."""
        if self._socket is not None:
            self._loop.remove_reader(self._socket)

    def go_on(self) -> None:
        """Tell from now on that something came."""
        if self._socket is not None and not self._ended:
            self._loop.add_reader(self._socket, self._owner.readable, self)

    def read(self, most: int) -> int:
        """Read so many octets at most; returns the number of messages in them."""
        if self._socket is None:
            return 0
        layer = self._layer
        try:
            data = self._socket.recv(min(most, layer.largest_read))
        except BlockingIOError:
            return 0
        except OSError:
            data = b""
        if not data:
            self._end()
        elif layer.error is None and not layer.over:
            shakes = 0 if self._is_up else HANDSHAKE
            return self._take(data) + shakes
        return 0

    def _take(self, data: bytes) -> int:
        layer = self._layer
        held = layer.held
        messages = layer.feed(data)
        answers = layer.answers()
        if answers:
            self._write(answers)
        if not self._is_up:
            self._look_whether_up()
        heard = layer.pings != self._pings
        if heard or messages:
            self._pings = layer.pings
            self._owner.heard(self, len(messages))
        if held or layer.held:
            self._owner.holds_unread(self, layer.held, begins=bool(messages))
        self._owner.received(self, messages)
        if layer.over:
            self._owner.over(self, layer.over)
            self._owner.holds_unread(self, max(layer.held, 1), begins=False)  # its end has its time too
            self._say_no_more()
        elif layer.error is not None:
            self._owner.broken(self, layer.broken_head, layer.error)
            self._say_no_more()
        return len(messages)

    def _look_whether_up(self) -> None:
        if self._layer.is_up and self._socket is not None:
            self._is_up = True
            self._owner.up(self)

    def _say_no_more(self) -> None:
        if self._socket is None or self._unsent:
            self.close()
            return
        self._closing = True
        self._write(self._layer.farewell())
        if self._unsent or self._socket is None:
            return
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except OSError:  # it is gone already
            self.abort()

    def _end(self) -> None:
        """The peer sends nothing more."""
        if self._closing:
            self.abort()
        else:
            if not self._is_up:
                self._owner.over(self, "the peer hung up")
            self.close()

    # --- sending ------------------------------------------------------------------------------------------------

    def _writable(self) -> None:
        assert self._socket is not None
        try:
            sent = self._socket.send(self._unsent)
        except BlockingIOError:
            return
        except OSError:
            self._lose()
            return
        del self._unsent[:sent]
        self._owner.holds_unsent(self, len(self._unsent))
        if not self._unsent and self._socket is not None:
            self._loop.remove_writer(self._socket)
            if self._closing:
                self.abort()
