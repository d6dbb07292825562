"""TCP and what runs over it: listening sockets and connections, each a flow of its own.

Rules:
1. A connection on which nothing whole (no message, no keep-alive) came or was sent for `lifetime` seconds is closed,
   unless somebody waits for a reply on it (RFC 3261 18): a phone may ring for longer than that. A message must be whole
   `message_time` seconds after it has begun, and what is sent must be taken within `send_timeout`. A peer that has gone
   without a word, which the system would try to reach for a quarter of an hour, has `LONGEST_TRANSACTION` at least.
2. There are at most `connections` places. Where all are taken, `places` says who gives way to a new peer; where nobody
   has to, the new one is closed at once. It is the same where descriptors run out.
3. A turn of the loop serves `BURST` messages or a few more, then it is the turn of others. If more comes than that,
   the addresses take turns: `PIECE` octets are read of one connection of each.
4. What all connections hold together is bounded, each way: who has held it longest goes first.
5. A connection whose handshake is not over after `handshake_time` seconds is closed; so is one of ours.
6. One of ours stands in messages with the address and port that we listen on, where others could reach us, not with
   those that it came from.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from openpy.net.connection import TcpConnection, TcpCounts
from openpy.net.held import Held
from openpy.net.layer import ANYBODY, Bounds, Callee, Layer, PlainStack, Stack
from openpy.net.opening import Done, Opening, Wanted
from openpy.net.peers import Peers
from openpy.net.places import Places
from openpy.net.turns import Turns
from openpy.sip.errors import RemoteError

BURST = 64
READ = 32768
PIECE = 2048
ACCEPTED = 64  # connections in one turn of the loop
PAUSE = 0.1  # seconds without a free descriptor until the next look
KERNEL_BUFFER = (
    65536  # octets that the system keeps unsent; by itself it would keep megabytes for a deaf peer
)
BACKLOG = 65535  # connections that wait to be accepted, or what the system allows
ANYWHERE = frozenset(("0.0.0.0", "::"))  # all addresses
LONGEST_TRANSACTION = 32.0  # seconds, 64*T1: for an answer from a peer that stays away longer nobody waits
SECURE = frozenset(("tls", "wss"))  # whose peers have `secure_send_timeout`


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
    secure_send_timeout: float = 30.0
    handshake_time: float = 30.0
    held: int = 64 << 20
    """Octets that all connections together hold, each way."""
    bounds: Bounds = field(default_factory=Bounds)


class TcpConnections:
    """All listening sockets and connections. `received(data, flow)` hears each message.

    `stacks` makes the layers of each transport (without it there is TCP alone); `failed` hears of handshakes that
    failed, and why; `sending`, if there is one, of each message that is about to be sent; `stranded(data, flow)` may
    take what the connection for it, which is gone, cannot carry; `in_use` says whether a reply is waited for on one.
    """

    def __init__(
        self,
        *,
        received: Callable[[bytes, TcpConnection], None],
        broken: Callable[[bytes, TcpConnection, RemoteError], None],
        lost: Callable[[TcpConnection], None],
        burst_ended: Callable[[], None],
        limits: TcpLimits | None = None,
        stacks: Mapping[str, Stack] | None = None,
        failed: Callable[[TcpConnection, str], None] = lambda connection, why: None,
        sending: Callable[[bytes, TcpConnection], None] | None = None,
        stranded: Callable[[bytes, TcpConnection], bool] = lambda data, connection: False,
        in_use: Callable[[TcpConnection], bool] = lambda connection: False,
    ) -> None:
        self.counts = TcpCounts()
        self.sending = sending
        self._received = received
        self._broken = broken
        self._lost = lost
        self._burst_ended = burst_ended
        self._limits = limits or TcpLimits()
        self.bounds = self._limits.bounds
        self._stacks: Mapping[str, Stack] = stacks or {"tcp": PlainStack(self.bounds)}
        self._failed = failed
        self._take_stranded = stranded
        self._in_use = in_use
        self._listeners: dict[socket.socket, str] = {}
        self._served: list[tuple[str, str, int]] = []
        """What is listened on: transport, host, port."""
        self._places: Places[TcpConnection] = Places()
        self._peers = Peers()
        self._shaking: dict[TcpConnection, float] = {}
        """Those whose handshake is not over, and until when it has to be."""
        self._unread: Held[TcpConnection] = Held(self._limits.held)
        self._unsent: Held[TcpConnection] = Held(self._limits.held)
        self._turns: Turns[TcpConnection] = Turns()
        self._left = BURST
        self._turn: asyncio.Handle | None = None
        self._opening = Opening(
            self._stacks, self._open_ours, self._count_failed, self._limits.connect_timeout
        )
        self._loop: asyncio.AbstractEventLoop | None = None

    def __len__(self) -> int:
        return self._places.taken

    def bind(self, host: str, port: int, transport: str = "tcp") -> int:
        """Take an address and return its port; raises OSError."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:  # IPv4 is left to another one at the same port
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.bind((host, port))
            listener.listen(BACKLOG)
            listener.setblocking(False)
        except OSError:
            listener.close()
            raise
        self._listeners[listener] = transport
        port = int(listener.getsockname()[1])
        self._served.append((transport, host, port))
        return port

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
        self._opening.cancel()
        for connection in list(self._places):
            connection.close()

    def find(
        self, host: str, port: int, transport: str = "tcp", callee: Callee = ANYBODY
    ) -> TcpConnection | None:
        """The connection to a peer that is open, and is whom a request is for."""
        return self._peers.find(host, port, transport, callee)

    def find_name(self, name: str, transport: str) -> TcpConnection | None:
        """The connection that serves for a name (`add_name`)."""
        return self._peers.find_name(name, transport)

    def add_alias(self, flow: object, port: int) -> bool:
        """Let a connection serve for another port of its peer; False if it is gone, or another one serves for that."""
        return isinstance(flow, TcpConnection) and self._peers.add_alias(flow, port)

    def add_name(self, flow: object, name: str) -> bool:
        """Let a connection serve for a name by which no address can be found; False as with `add_alias`."""
        return isinstance(flow, TcpConnection) and self._peers.add_name(flow, name)

    def connect(
        self, host: str, port: int, done: Done, transport: str = "tcp", callee: Callee = ANYBODY
    ) -> None:
        """Open a connection to a peer, or share the one that is up or on its way; done(None) where it fails."""
        connection = self.find(host, port, transport, callee)
        if connection is not None:
            done(connection)
            return
        wanted = Wanted(transport, host, port, callee)
        if self._opening.joins(wanted, done):
            return
        if transport not in self._stacks:
            done(None)
            return
        if not self._has_place(host):
            self.counts.refused += 1
            done(None)
            return
        if self._loop is None:  # a module that starts has something to send before anything is accepted
            self._loop = asyncio.get_running_loop()
        self._opening.begin(wanted, done, self._loop)

    def keep(self, flow: object, seconds: float) -> None:
        """Let a connection live so long at least, also if it says nothing; what is no connection needs no keeping."""
        if isinstance(flow, TcpConnection):
            assert self._loop is not None
            flow.kept_until = max(flow.kept_until, self._loop.time() + seconds)

    def close_overdue(self) -> None:
        """Close what has exceeded its time; to be called now and then."""
        assert self._loop is not None
        now = self._loop.time()
        self._give_up(self._unread.since_before(now - self._limits.message_time))
        for secure in (False, True):
            late = self._unsent.since_before(now - self._patience(secure))
            self._give_up([each for each in late if (each.transport in SECURE) is secure])
        self._give_up([each for each, until in self._shaking.items() if until < now])
        oldest = now - self._limits.lifetime
        for connection in [x for x in self._places if x.last_used < oldest and x.kept_until < now]:
            if not self._in_use(connection):
                connection.close()

    def _patience(self, secure: bool) -> float:
        """Seconds that a peer has to take what is sent."""
        return self._limits.secure_send_timeout if secure else self._limits.send_timeout

    def _until_gone(self, transport: str) -> int:
        """Milliseconds until a peer counts as gone that acknowledges nothing."""
        seconds = max(self._patience(transport in SECURE), LONGEST_TRANSACTION)
        return min(round(1000 * seconds), 2**31 - 1)

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
                transport = self._listeners[listener]
                layer = self._stacks[transport].accepted(sock.getsockname()[:2], address[:2])
                connection = self._open(sock, layer, transport)
                if connection is not None:
                    self._places.begins_silent(connection)
                    connection.begin()
            else:
                self.counts.refused += 1
                sock.close()

    def _has_place(self, host: str) -> bool:
        """Whether there is room for one more of an address, made where it can be."""
        most = self._limits.source_connections
        if most and self._places.of(host) >= most:
            return False
        return self._places.taken + len(self._opening) < self._limits.connections or self._give_way(host)

    def _give_way(self, host: str = "") -> bool:
        """Close one for a new one of an address (rule 2); False where nobody has to."""
        connection = self._places.who_gives_way(host)
        if connection is None:
            return False
        self._give_up([connection])
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

    def _open(
        self, sock: socket.socket, layer: Layer, transport: str, *, is_ours: bool = False
    ) -> TcpConnection | None:
        assert self._loop is not None
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BUFFER)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, self._until_gone(transport))
            connection = TcpConnection(self, self._loop, sock, layer, transport, is_ours=is_ours)
        except OSError:  # it is gone already
            sock.close()
            return None
        self._places.take(connection)
        self._peers.add(connection)
        if not layer.is_up:
            self._shaking[connection] = self._loop.time() + self._limits.handshake_time
        return connection

    def _give_up(self, connections: list[TcpConnection]) -> None:
        for connection in connections:
            self.counts.given_up += 1
            self.over(connection, "it came to no end")
            self._forget(connection)
            connection.abort()

    def _forget(self, connection: TcpConnection) -> None:
        """It holds nothing any more, and its place is free."""
        self._unread.drop(connection)
        self._unsent.drop(connection)
        self._shaking.pop(connection, None)
        self._places.leave(connection)

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

    def up(self, connection: TcpConnection) -> None:
        """Messages can pass from now on."""
        self._shaking.pop(connection, None)
        self._opening.ended(connection, connection)

    def heard(self, connection: TcpConnection, messages: int) -> None:
        """So many messages, or a keep-alive, came: the peer is there."""
        assert self._loop is not None
        connection.last_used = self._loop.time()
        self._places.heard(connection, messages)

    def holds_unread(self, connection: TcpConnection, octets: int, *, begins: bool) -> None:
        """What a connection has of a message that is not whole."""
        self._hold(self._unread, connection, octets, begins)

    def holds_unsent(self, connection: TcpConnection, octets: int) -> None:
        """What the peer of a connection does not take."""
        self._hold(self._unsent, connection, octets, False)

    def _hold(self, held: Held[TcpConnection], connection: TcpConnection, octets: int, begins: bool) -> None:
        assert self._loop is not None
        if connection in self._places:
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

    def over(self, connection: TcpConnection, why: str) -> None:
        """Its layer is over: a handshake that failed is told."""
        if connection in self._shaking:
            del self._shaking[connection]
            self.counts.failed_handshakes += 1
            self._failed(connection, why)
            self._opening.ended(connection, None)  # whoever waits need not wait until the peer hangs up

    def stranded(self, connection: TcpConnection, data: bytes) -> None:
        """A message has no connection any more."""
        if not self._take_stranded(data, connection):
            self.counts.dropped += 1

    def closed(self, connection: TcpConnection) -> None:
        """A connection is gone."""
        self._forget(connection)
        self._peers.drop(connection)
        self._opening.ended(connection, None)
        self._lost(connection)

    # --- ours -----------------------------------------------------------------------------------------------------

    def _open_ours(self, sock: socket.socket, layer: Layer, transport: str) -> TcpConnection | None:
        connection = self._open(sock, layer, transport, is_ours=True)
        if connection is not None:
            connection.local_host, connection.local_port = self._reached_at(connection)
        return connection

    def _count_failed(self) -> None:
        self.counts.dropped += 1

    def _reached_at(self, connection: TcpConnection) -> tuple[str, int]:
        """The address and port under which others reach us by its transport, or else those of the connection."""
        here = connection.local_host
        same = [
            (host, port)
            for transport, host, port in self._served
            if transport == connection.transport and (":" in host) == (":" in here)
        ]
        exact = [(here, port) for host, port in same if host == here]
        anywhere = [(here, port) for host, port in same if host in ANYWHERE]
        return next(iter((*exact, *anywhere, *same)), (here, connection.local_port))
