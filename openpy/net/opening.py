"""Connections of ours, from the wish for one until messages can pass, or it fails.

Rules:
1. Whoever wants the same one shares it; each is told once.
2. It is told when the handshake is over, not before.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Mapping
from typing import NamedTuple

from openpy.net.connection import TcpConnection
from openpy.net.layer import Callee, Layer, Stack

Done = Callable[[TcpConnection | None], None]
Place = Callable[[socket.socket, Layer, str], TcpConnection | None]


class Wanted(NamedTuple):
    """A connection that somebody waits for."""

    transport: str
    host: str
    port: int
    callee: Callee


class Opening:
    """Those on their way. `place(socket, layer, transport)` makes a connection of a socket that is connected."""

    def __init__(
        self, stacks: Mapping[str, Stack], place: Place, failed: Callable[[], None], patience: float
    ) -> None:
        """`failed` hears of each that no connection was made to within `patience` seconds."""
        self._stacks = stacks
        self._place = place
        self._failed = failed
        self._patience = patience
        self._waiting: dict[Wanted, list[Done]] = {}
        self._shaking: dict[TcpConnection, Wanted] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        """How many have no place yet."""
        return len(self._waiting) - len(self._shaking)

    def joins(self, wanted: Wanted, done: Done) -> bool:
        """Whether one is on its way already, and `done` hears of it."""
        waiting = self._waiting.get(wanted)
        if waiting is None:
            return False
        waiting.append(done)
        return True

    def begin(self, wanted: Wanted, done: Done, loop: asyncio.AbstractEventLoop) -> None:
        """Open one."""
        self._waiting[wanted] = [done]
        task = loop.create_task(self._open(wanted, loop))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def ended(self, connection: TcpConnection, result: TcpConnection | None) -> None:
        """A connection is up, or never will be; it need not be one of these."""
        wanted = self._shaking.pop(connection, None)
        if wanted is not None:
            self._tell(wanted, result)

    def cancel(self) -> None:
        """Open no more."""
        for task in self._tasks:
            task.cancel()

    async def _open(self, wanted: Wanted, loop: asyncio.AbstractEventLoop) -> None:
        host = wanted.host
        connection: TcpConnection | None = None
        sock: socket.socket | None = None
        try:
            sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
            sock.setblocking(False)
            async with asyncio.timeout(self._patience):
                await loop.sock_connect(sock, (host, wanted.port))
            layer = self._stacks[wanted.transport].opened((host, wanted.port), wanted.callee)
            if layer is not None:
                connection = self._place(sock, layer, wanted.transport)
        except (OSError, TimeoutError):
            self._failed()
        finally:
            if connection is None:
                if sock is not None:
                    sock.close()
                self._tell(wanted, None)
        if connection is not None:
            self._shaking[connection] = wanted
            connection.begin()

    def _tell(self, wanted: Wanted, result: TcpConnection | None) -> None:
        for done in self._waiting.pop(wanted, ()):
            done(result)
