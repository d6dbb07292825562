"""TCP: listening sockets and connections, each a flow of its own.

Rules:
1. A connection that says nothing whole (no message, no keep-alive) for `lifetime` seconds is closed. A message that
   has begun must be whole after `message_time` seconds, and what is sent must be taken within `send_timeout`.
2. There are at most `connections` places. Where all are taken, somebody gives way to a new peer: of those that never
   sent a whole message the one that was silent longest; where all have spoken the one that was silent longest of the
   address that has the most places, if these are more than the new one's address has. Else the new one is closed at
   once. So neither silent peers nor those of a few addresses keep others out. It is the same where descriptors run out.
3. A turn of the loop serves `BURST` messages or a few more, then it is the turn of others. If more comes than that,
   the addresses take turns: `PIECE` octets are read of one connection of each.
4. What all connections hold together is bounded, each way: who has held it longest goes first.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass, field

from openpy.net.connection import Bounds, TcpConnection, TcpCounts
from openpy.net.held import Held
from openpy.net.turns import Turns
from openpy.sip.errors import RemoteError

BURST = 64
READ = 32768
PIECE = 2048
ACCEPTED = 64  # connections in one turn of the loop
PAUSE = 0.1  # seconds without a free descriptor until the next look
ALIASES = 4  # further ports of its peer that one connection serves for
KERNEL_BUFFER = (
    65536  # octets that the system keeps unsent; by itself it would keep megabytes for a deaf peer
)
BACKLOG = 65535  # connections that wait to be accepted, or what the system allows


@dataclass(frozen=True, slots=True)
class TcpLimits:
    """Numbers of connections, times in seconds, octets."""

    connections: int = 2048
    source_connections: int = 0
    """Of one address; 0: no limit."""
    lifetime: float = 120.0
    connect_timeout: float = 10.0
    message_time: float = 10.0
    send_timeout: float = 10.0
    held: int = 64 << 20
    """Octets that all connections together hold, each way."""
    bounds: Bounds = field(default_factory=Bounds)


class TcpConnections:
    """All listening sockets and connections of TCP. `received(data, flow)` hears each message."""

    def __init__(
        self,
        *,
        received: Callable[[bytes, TcpConnection], None],
        broken: Callable[[bytes, TcpConnection, RemoteError], None],
        lost: Callable[[TcpConnection], None],
        burst_ended: Callable[[], None],
        limits: TcpLimits | None = None,
    ) -> None:
        self.counts = TcpCounts()
        self._received = received
        self._broken = broken
        self._lost = lost
        self._burst_ended = burst_ended
        self._limits = limits or TcpLimits()
        self.bounds = self._limits.bounds
        self._listeners: list[socket.socket] = []
        self._silent: dict[TcpConnection, None] = {}
        """Those that never sent a whole message."""
        self._places: dict[str, dict[TcpConnection, None]] = {}
        """All, by address; as above, who was silent longest comes first."""
        self._taken = 0
        self._by_peer: dict[tuple[str, int], TcpConnection] = {}
        self._aliases: dict[TcpConnection, list[int]] = {}
        """Further ports of its peer that a connection serves for."""
        self._unread: Held[TcpConnection] = Held(self._limits.held)
        self._unsent: Held[TcpConnection] = Held(self._limits.held)
        self._turns: Turns[TcpConnection] = Turns()
        self._left = BURST
        self._turn: asyncio.Handle | None = None
        self._connecting: dict[tuple[str, int], list[Callable[[TcpConnection | None], None]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    def __len__(self) -> int:
        return self._taken

    def bind(self, host: str, port: int) -> int:
        """Take an address and return its port; raises OSError."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, port))
            listener.listen(BACKLOG)
            listener.setblocking(False)
        except OSError:
            listener.close()
            raise
        self._listeners.append(listener)
        return int(listener.getsockname()[1])

    async def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to accept."""
        self._loop = loop
        for listener in self._listeners:
            loop.add_reader(listener, self._accept, listener)

    def stop_accepting(self) -> None:
        """Take no new connections."""
        for listener in self._listeners:
            if self._loop is not None:
                self._loop.remove_reader(listener)
            listener.close()
        self._listeners.clear()

    def close(self) -> None:
        """Close everything."""
        self.stop_accepting()
        if self._turn is not None:
            self._turn.cancel()
        for task in self._tasks:
            task.cancel()
        for connection in [connection for line in self._places.values() for connection in line]:
            connection.close()

    def find(self, host: str, port: int) -> TcpConnection | None:
        """The connection to a peer that is up."""
        connection = self._by_peer.get((host, port))
        return connection if connection is not None and connection.is_open else None

    def add_alias(self, flow: object, port: int) -> bool:
        """Let a connection serve for another port of its peer; False if it is gone, or another one serves for that.

        The port is one of the same address, so nobody takes over what is another host's (RFC 5923 is about this).
        """
        if not isinstance(flow, TcpConnection) or not flow.is_open:
            return False
        found = self.find(flow.host, port)
        if found is not None:
            return found is flow
        aliases = self._aliases.setdefault(flow, [])
        if len(aliases) >= ALIASES:
            return False
        aliases.append(port)
        self._by_peer[flow.host, port] = flow
        return True

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
        if not self._has_place(host):
            self.counts.refused += 1
            done(None)
            return
        self._connecting[host, port] = [done]
        assert self._loop is not None
        task = self._loop.create_task(self._connect(host, port))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def close_overdue(self) -> None:
        """Close what has exceeded its time; to be called now and then."""
        assert self._loop is not None
        now = self._loop.time()
        self._give_up(self._unread.since_before(now - self._limits.message_time))
        self._give_up(self._unsent.since_before(now - self._limits.send_timeout))
        oldest = now - self._limits.lifetime
        idle = [each for line in self._places.values() for each in line if each.last_heard < oldest]
        for connection in idle:
            connection.close()

    # --- places ---------------------------------------------------------------------------------------------------

    def _accept(self, listener: socket.socket) -> None:
        for _ in range(ACCEPTED):
            try:
                sock, address = listener.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError:  # no descriptor or no memory is left
                self._make_room(listener)
                return
            if self._has_place(address[0]):
                connection = self._open(sock)
                if connection is not None:
                    self._silent[connection] = None
            else:
                self.counts.refused += 1
                sock.close()

    def _has_place(self, host: str) -> bool:
        """Whether there is room for one more of an address, made where it can be."""
        most = self._limits.source_connections
        if most and len(self._places.get(host, ())) >= most:
            return False
        return self._taken + len(self._connecting) < self._limits.connections or self._give_way(host)

    def _give_way(self, host: str = "") -> bool:
        """Close one for a new one of an address (rule 2); False where nobody has to."""
        line = self._silent
        if not line:
            line = max(self._places.values(), key=len, default=line)
            if len(line) <= max(len(self._places.get(host, ())), 1):
                return False
        self._give_up([next(iter(line))])
        return True

    def _make_room(self, listener: socket.socket) -> None:
        """The next turn accepts again if a descriptor became free, else it is looked again after a pause."""
        assert self._loop is not None
        if not self._give_way():
            self._loop.remove_reader(listener)
            self._loop.call_later(PAUSE, self._resume, listener)

    def _resume(self, listener: socket.socket) -> None:
        if self._loop is not None and listener in self._listeners:
            self._loop.add_reader(listener, self._accept, listener)

    def _open(self, sock: socket.socket) -> TcpConnection | None:
        assert self._loop is not None
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BUFFER)
            connection = TcpConnection(self, self._loop, sock)
        except OSError:  # it is gone already
            sock.close()
            return None
        self._places.setdefault(connection.host, {})[connection] = None
        self._taken += 1
        self._by_peer[connection.host, connection.port] = connection
        return connection

    def _give_up(self, connections: list[TcpConnection]) -> None:
        for connection in connections:
            self.counts.given_up += 1
            self._forget(connection)
            connection.abort()

    def _forget(self, connection: TcpConnection) -> None:
        """It holds nothing any more, and its place is free."""
        self._unread.drop(connection)
        self._unsent.drop(connection)
        self._silent.pop(connection, None)
        if self._has(connection):
            del self._places[connection.host][connection]
            self._taken -= 1
            if not self._places[connection.host]:
                del self._places[connection.host]

    def _has(self, connection: TcpConnection) -> bool:
        """Whether a connection has a place."""
        return connection in self._places.get(connection.host, ())

    # --- turns ----------------------------------------------------------------------------------------------------

    def readable(self, connection: TcpConnection) -> None:
        """Something came: it is read now, or when it is its turn."""
        if self._turn is None:
            assert self._loop is not None
            self._turn = self._loop.call_soon(self._begin_turn)
        if self._left > 0 and not self._turns:
            self._left -= connection.read(READ) + 1
        else:
            connection.pause()
            self._turns.put(connection.host, connection)

    def _begin_turn(self) -> None:
        """Serve who waits since the last turn, as far as it goes."""
        assert self._loop is not None
        self._turn = None
        self._left = BURST
        while self._turns and self._left > 0:
            connection = self._turns.take()
            self._left -= connection.read(PIECE) + 1
            connection.go_on()
        if self._turns:
            self._turn = self._loop.call_soon(self._begin_turn)

    # --- what connections call ------------------------------------------------------------------------------------

    def heard(self, connection: TcpConnection, messages: int) -> None:
        """So many messages, or a keep-alive, came: the peer is there."""
        assert self._loop is not None
        connection.last_heard = self._loop.time()
        if self._has(connection):
            line = self._places[connection.host]
            del line[connection]
            line[connection] = None
            if self._silent and connection in self._silent:
                del self._silent[connection]
                if not messages:
                    self._silent[connection] = None

    def holds_unread(self, connection: TcpConnection, octets: int, *, begins: bool) -> None:
        """What a connection has of a message that is not whole."""
        self._hold(self._unread, connection, octets, begins)

    def holds_unsent(self, connection: TcpConnection, octets: int) -> None:
        """What the peer of a connection does not take."""
        self._hold(self._unsent, connection, octets, False)

    def _hold(self, held: Held[TcpConnection], connection: TcpConnection, octets: int, begins: bool) -> None:
        assert self._loop is not None
        if self._has(connection):
            self._give_up(held.put(connection, octets, self._loop.time(), begins=begins))

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

    def closed(self, connection: TcpConnection) -> None:
        """A connection is gone."""
        self._forget(connection)
        for port in (connection.port, *self._aliases.pop(connection, ())):
            if self._by_peer.get((connection.host, port)) is connection:
                del self._by_peer[connection.host, port]
        self._lost(connection)

    async def _connect(self, host: str, port: int) -> None:
        assert self._loop is not None
        connection: TcpConnection | None = None
        sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            async with asyncio.timeout(self._limits.connect_timeout):
                await self._loop.sock_connect(sock, (host, port))
            connection = self._open(sock)
        except (OSError, TimeoutError):
            self.counts.dropped += 1
        finally:
            if connection is None:
                sock.close()
            for done in self._connecting.pop((host, port), ()):
                done(connection)
