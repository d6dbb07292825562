"""Which connection serves for whom: by transport and address, by further ports, or by a name that leads nowhere.

Rules:
1. A connection serves for its transport only, and for a name only if its peer proved that it is called so.
2. A further port is one of the same address, so nobody takes over what is another host's (RFC 5923 is about this). What
   a connection that is open serves for, no other one takes.
"""

from __future__ import annotations

from openpy.net.connection import TcpConnection
from openpy.net.layer import ANYBODY, Callee

ALIASES = 4  # further ports of its peer, or names, that one connection serves for
NO_PORT = 0  # stands for a peer that is called by its name alone


class Peers:
    """The connections by their peers."""

    def __init__(self) -> None:
        self._by_peer: dict[tuple[str, str, int], tuple[TcpConnection, ...]] = {}
        """Nearly always one; by TLS one for each name that the peer has to prove. The newest is last."""
        self._aliases: dict[TcpConnection, list[tuple[str, int]]] = {}

    def add(self, connection: TcpConnection) -> None:
        """A connection serves for its peer."""
        self._put(connection, connection.host, connection.port)

    def drop(self, connection: TcpConnection) -> None:
        """A connection serves for nobody any more."""
        own = connection.host, connection.port
        for host, port in (own, *self._aliases.pop(connection, ())):
            key = connection.transport, host, port
            left = tuple(each for each in self._by_peer.get(key, ()) if each is not connection)
            if left:
                self._by_peer[key] = left
            else:
                self._by_peer.pop(key, None)

    def find(self, host: str, port: int, transport: str, callee: Callee = ANYBODY) -> TcpConnection | None:
        """The connection to a peer that is open, and is whom a request is for."""
        for connection in reversed(self._by_peer.get((transport, host, port), ())):
            if connection.is_open and connection.proves(callee):
                return connection
        return None

    def find_name(self, name: str, transport: str) -> TcpConnection | None:
        """The connection that serves for a name (`add_name`)."""
        return self.find(name.lower(), NO_PORT, transport)

    def add_alias(self, connection: TcpConnection, port: int) -> bool:
        """Let a connection serve for another port of its peer; False if it is gone, or another one serves for that."""
        return self._add(connection, connection.host, port)

    def add_name(self, connection: TcpConnection, name: str) -> bool:
        """Let a connection serve for a name by which no address can be found; False as with `add_alias`."""
        return self._add(connection, name.lower(), NO_PORT)

    def _add(self, connection: TcpConnection, host: str, port: int) -> bool:
        if not connection.is_open:
            return False
        found = self.find(host, port, connection.transport)
        if found is not None:
            return found is connection
        aliases = self._aliases.setdefault(connection, [])
        if len(aliases) >= ALIASES:
            return False
        aliases.append((host, port))
        self._put(connection, host, port)
        return True

    def _put(self, connection: TcpConnection, host: str, port: int) -> None:
        key = connection.transport, host, port
        self._by_peer[key] = (*self._by_peer.get(key, ()), connection)
