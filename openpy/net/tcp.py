"""TCP: listening sockets and connections, each a flow of its own.

Rules:
1. A connection that says nothing whole (no message, no keep-alive) for `lifetime` seconds is closed, so slow and
   silent peers are bounded.
2. At most `limit` connections; one more is closed at once and counted.
3. A peer that does not read loses its connection when more than `SEND_LIMIT` bytes wait for it.
4. When framing is lost the caller hears of it (to answer 400 where it can), and the connection is closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from openpy.sip.errors import RemoteError
from openpy.sip.stream import Framer

MESSAGE_LIMIT = 262144
SEND_LIMIT = 4 << 20


@dataclass(slots=True)
class TcpCounts:
    """What all connections together did."""

    received: int = 0
    sent: int = 0
    refused: int = 0
    dropped: int = 0


class TcpConnection(asyncio.Protocol):
    """One connection, ours or theirs."""

    transport = "tcp"
    reliable = True

    def __init__(self, owner: TcpConnections) -> None:
        self._owner = owner
        self._framer = Framer(MESSAGE_LIMIT)
        self._wire: asyncio.Transport | None = None
        self._pings = 0
        self.last_heard = 0.0
        self.host = ""
        self.port = 0
        self.local_host = ""
        self.local_port = 0

    @property
    def is_open(self) -> bool:
        """Whether it can still carry a message."""
        return self._wire is not None and not self._wire.is_closing()

    def send(self, data: bytes) -> None:
        """Send one message."""
        if self._wire is None or self._wire.is_closing():
            self._owner.counts.dropped += 1
            return
        if self._wire.get_write_buffer_size() > SEND_LIMIT:
            self._owner.counts.dropped += 1
            self._wire.abort()
            return
        self._wire.write(data)
        self._owner.counts.sent += 1

    def close(self) -> None:
        """Close after what waits has been sent."""
        if self._wire is not None:
            self._wire.close()

    # --- what asyncio calls -------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is up."""
        self._wire = cast(asyncio.Transport, transport)
        self.host, self.port = transport.get_extra_info("peername")[:2]
        self.local_host, self.local_port = transport.get_extra_info("sockname")[:2]
        sock = transport.get_extra_info("socket")
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._owner.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._wire = None
        self._owner.closed(self)

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        messages = self._framer.feed(data)
        pings = self._framer.pings - self._pings
        if pings:
            self._pings += pings
            self.send(b"\r\n" * pings)  # RFC 5626 3.5.1
        if pings or messages:
            self._owner.heard(self)
        self._owner.received(self, messages)
        error = self._framer.error
        if error is not None:
            self._owner.broken(self, self._framer.broken_head, error)
            self.close()


class TcpConnections:
    """All listening sockets and connections of TCP. `received(data, flow)` hears each message."""

    def __init__(
        self,
        *,
        received: Callable[[bytes, TcpConnection], None],
        broken: Callable[[bytes, TcpConnection, RemoteError], None],
        lost: Callable[[TcpConnection], None],
        burst_ended: Callable[[], None],
        limit: int = 2048,
        lifetime: float = 120.0,
        connect_timeout: float = 10.0,
    ) -> None:
        self.counts = TcpCounts()
        self._received = received
        self._broken = broken
        self._lost = lost
        self._burst_ended = burst_ended
        self._limit = limit
        self._lifetime = lifetime
        self._connect_timeout = connect_timeout
        self._sockets: list[socket.socket] = []
        self._servers: list[asyncio.Server] = []
        self._connections: dict[tuple[str, int], TcpConnection] = {}
        self._connecting: dict[tuple[str, int], list[Callable[[TcpConnection | None], None]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    def __len__(self) -> int:
        return len(self._connections)

    def bind(self, host: str, port: int) -> int:
        """Take an address and return its port; raises OSError."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, port))
            listener.listen(1024)
            listener.setblocking(False)
        except OSError:
            listener.close()
            raise
        self._sockets.append(listener)
        return int(listener.getsockname()[1])

    async def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to accept."""
        self._loop = loop
        for listener in self._sockets:
            self._servers.append(await loop.create_server(lambda: TcpConnection(self), sock=listener))

    def stop_accepting(self) -> None:
        """Take no new connections."""
        for server in self._servers:
            server.close()
        for listener in self._sockets:
            listener.close()

    def close(self) -> None:
        """Close everything."""
        self.stop_accepting()
        for task in self._tasks:
            task.cancel()
        for connection in list(self._connections.values()):
            connection.close()

    def find(self, host: str, port: int) -> TcpConnection | None:
        """The connection to a peer that is up."""
        connection = self._connections.get((host, port))
        return connection if connection is not None and connection.is_open else None

    def connect(self, host: str, port: int, done: Callable[[TcpConnection | None], None]) -> None:
        """Open a connection to a peer, or share the one that is up or on its way; done(None) where it fails."""
        connection = self.find(host, port)
        if connection is not None:
            done(connection)
            return
        waiting = self._connecting.get((host, port))
        if waiting is not None:
            waiting.append(done)
            return
        self._connecting[host, port] = [done]
        assert self._loop is not None
        task = self._loop.create_task(self._connect(host, port))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def close_idle(self) -> None:
        """Close what has sent nothing whole for the lifetime; to be called now and then."""
        assert self._loop is not None
        oldest = self._loop.time() - self._lifetime
        for connection in list(self._connections.values()):
            if connection.last_heard < oldest:
                connection.close()

    # --- what connections call ------------------------------------------------------------------------------------

    def opened(self, connection: TcpConnection) -> None:
        """A connection is up."""
        if len(self._connections) >= self._limit:
            self.counts.refused += 1
            connection.close()
            return
        self.heard(connection)
        self._connections[connection.host, connection.port] = connection

    def closed(self, connection: TcpConnection) -> None:
        """A connection is gone."""
        if self._connections.get((connection.host, connection.port)) is connection:
            del self._connections[connection.host, connection.port]
            self._lost(connection)

    def heard(self, connection: TcpConnection) -> None:
        """A message or a keep-alive came: the peer is there."""
        assert self._loop is not None
        connection.last_heard = self._loop.time()

    def received(self, connection: TcpConnection, messages: list[bytes]) -> None:
        """Whole messages came."""
        if messages:
            self.counts.received += len(messages)
            for message in messages:
                self._received(message, connection)
        self._burst_ended()

    def broken(self, connection: TcpConnection, head: bytes, error: RemoteError) -> None:
        """Framing is lost."""
        self._broken(head, connection, error)

    async def _connect(self, host: str, port: int) -> None:
        assert self._loop is not None
        connection: TcpConnection | None = None
        try:
            async with asyncio.timeout(self._connect_timeout):
                _, connection = await self._loop.create_connection(lambda: TcpConnection(self), host, port)
        except (OSError, TimeoutError):
            self.counts.dropped += 1
        finally:
            for done in self._connecting.pop((host, port), ()):
                done(connection)
