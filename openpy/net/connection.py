"""One TCP connection: a flow that cuts what it reads into messages, and keeps what its peer does not take yet.

Rules:
1. The owner says when it reads, and how much: a peer who sends much does not keep others waiting.
2. What the peer does not take waits: at most `Bounds.send_buffer` octets and the message that passes them; who
   leaves more unread loses the connection.
3. When framing is lost the owner hears of it (to answer 400 where it can), and nothing more is sent. What still
   arrives is read and dropped, for as long as a message may take: a close would take the answer away with it.
4. The owner hears the end of a connection once, in a later turn of the loop: nobody loses a connection while he
   sends on it.
"""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass
from typing import Protocol

from openpy.sip.errors import RemoteError
from openpy.sip.stream import Framer


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one connection may hold, in octets."""

    message: int = 262_144
    head: int = 65_535
    send_buffer: int = 4 << 20


@dataclass(slots=True)
class TcpCounts:
    """What all connections together did."""

    received: int = 0
    sent: int = 0
    refused: int = 0
    dropped: int = 0
    given_up: int = 0
    """Connections closed for what they held: a message that did not end, answers unread, a place that others need."""


class Owner(Protocol):
    """Who keeps the connections."""

    counts: TcpCounts
    bounds: Bounds

    def readable(self, connection: TcpConnection) -> None:
        """Something came, or the end: to be answered by `read`, now or after a `pause`."""
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

    def closed(self, connection: TcpConnection) -> None:
        """The connection is gone."""
        ...


class TcpConnection:
    """One connection, ours or theirs. `last_heard` is when a whole message or a keep-alive came, of the loop's time."""

    __slots__ = (
        "_closing",
        "_ended",
        "_framer",
        "_loop",
        "_owner",
        "_pings",
        "_socket",
        "_unsent",
        "host",
        "last_heard",
        "local_host",
        "local_port",
        "port",
    )

    transport = "tcp"
    reliable = True

    def __init__(self, owner: Owner, loop: asyncio.AbstractEventLoop, sock: socket.socket) -> None:
        """Begin to read from a socket that is connected; raises OSError if its peer is gone already."""
        self._owner = owner
        self._loop = loop
        self._framer = Framer(owner.bounds.message, owner.bounds.head)
        self._socket: socket.socket | None = sock
        self._pings = 0
        self._unsent = bytearray()
        self._closing = False
        self._ended = False
        self.last_heard = loop.time()
        self.host, self.port = sock.getpeername()[:2]
        self.local_host, self.local_port = sock.getsockname()[:2]
        self.go_on()

    @property
    def is_open(self) -> bool:
        """Whether it can still carry a message."""
        return self._socket is not None and not self._closing

    def send(self, data: bytes) -> None:
        """Send one message, now or as soon as the peer takes it."""
        if self._socket is None or self._closing:
            self._owner.counts.dropped += 1
            return
        sent = 0
        if len(self._unsent) > self._owner.bounds.send_buffer:
            self._lose()
            return
        if not self._unsent:
            try:
                sent = self._socket.send(data)
            except BlockingIOError:
                pass
            except OSError:
                self._lose()
                return
        self._owner.counts.sent += 1
        if sent < len(data):
            if not self._unsent:
                self._loop.add_writer(self._socket, self._writable)
            self._unsent += memoryview(data)[sent:]
            self._owner.holds_unsent(self, len(self._unsent))

    def close(self) -> None:
        """Close after what waits has been sent."""
        if self._socket is not None and not self._closing:
            self._closing = self._ended = True
            self._loop.remove_reader(self._socket)
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
        try:
            data = self._socket.recv(most)
        except BlockingIOError:
            return 0
        except OSError:
            data = b""
        if not data:
            self._end()
        elif self._framer.error is None:
            return self._take(data)
        return 0

    def _take(self, data: bytes) -> int:
        framer = self._framer
        held = framer.held
        messages = framer.feed(data)
        pings = framer.pings - self._pings
        if pings:
            self._pings += pings
            self.send(b"\r\n" * pings)  # RFC 5626 3.5.1
        if pings or messages:
            self._owner.heard(self, len(messages))
        if held or framer.held:
            self._owner.holds_unread(self, framer.held, begins=bool(messages))
        self._owner.received(self, messages)
        if framer.error is not None:
            self._owner.broken(self, framer.broken_head, framer.error)
            self._say_no_more()
        return len(messages)

    def _say_no_more(self) -> None:
        if self._socket is None or self._unsent:
            self.close()
            return
        self._closing = True
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except OSError:  # it is gone already
            self.abort()

    def _end(self) -> None:
        """The peer sends nothing more."""
        if self._closing:
            self.abort()
        else:
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
