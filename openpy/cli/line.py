"""A way to a server over TCP, or what runs over it, that outlives its connections.

Rules:
1. Of two connections only the newer one counts: requests go out on it, and our address is its own.
2. A connection counts when its handshakes are over, and that has its time. `why` says what went wrong with the last.
3. A connection that is lost is told once (`lost`), then opened again until that succeeds (`restored`). What is
   sent in between is dropped: whoever sent it hears of a timeout.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

from openpy.net.connection import TcpConnection
from openpy.net.layer import ANYBODY, Callee, PlainStack, Stack
from openpy.net.tcp import TcpConnections, TcpLimits

FIRST_PAUSE, LONGEST_PAUSE = 0.25, 4.0  # seconds between attempts
HANDSHAKE = 10.0  # seconds for TLS and WebSocket
LOOK = 1.0  # seconds between looks at what is late


class TcpLine:
    """A flow to `host`, an address, by a transport that `stack` makes the layers of; `callee` is who must be there.

    `received` hears each message with the connection that it came on.
    """

    reliable = True

    def __init__(
        self,
        host: str,
        port: int,
        *,
        transport: str = "tcp",
        stack: Stack | None = None,
        callee: Callee = ANYBODY,
        received: Callable[[bytes, TcpConnection], None],
        lost: Callable[[], None],
        restored: Callable[[], None],
    ) -> None:
        self.transport = transport
        self.host = host
        self.port = port
        self.why = ""
        self._callee = callee
        self.local_host = ""
        self.local_port = 0
        self._lost = lost
        self._restored = restored
        self._connection: TcpConnection | None = None
        self._reopening: asyncio.Task[None] | None = None
        limits = TcpLimits(lifetime=math.inf, handshake_time=HANDSHAKE)
        self._connections = TcpConnections(
            received=received,
            broken=lambda head, connection, error: connection.abort(),  # and it is opened again
            lost=self._connection_lost,
            burst_ended=lambda: None,
            limits=limits,
            stacks={transport: stack or PlainStack(limits.bounds)},
            failed=self._handshake_failed,
        )

    @property
    def is_open(self) -> bool:
        """Whether there is a connection."""
        return self._connection is not None

    async def open(self) -> bool:
        """Connect; False if that fails."""
        loop = asyncio.get_running_loop()
        await self._connections.start(loop)
        return await self._connect()

    def send(self, data: bytes) -> None:
        """Send one message, if there is a connection."""
        if self._connection is not None:
            self._connection.send(data)

    def close(self) -> None:
        """Close for good."""
        if self._reopening is not None:
            self._reopening.cancel()
        self._connection = None
        self._connections.close()

    async def _connect(self) -> bool:
        connected: asyncio.Future[TcpConnection | None] = asyncio.get_running_loop().create_future()
        self.why = ""
        self._connections.connect(self.host, self.port, connected.set_result, self.transport, self._callee)
        while not connected.done():
            await asyncio.wait([connected], timeout=LOOK)
            self._connections.close_overdue()
        connection = connected.result()
        if connection is None:
            return False
        self._connection = connection
        self.local_host, self.local_port = connection.local_host, connection.local_port
        return True

    def _handshake_failed(self, connection: TcpConnection, why: str) -> None:
        self.why = why

    def _connection_lost(self, connection: TcpConnection) -> None:
        if connection is not self._connection:
            return
        self._connection = None
        self._lost()
        self._reopening = asyncio.get_running_loop().create_task(self._reopen())

    async def _reopen(self) -> None:
        pause = FIRST_PAUSE
        await asyncio.sleep(pause)
        while not await self._connect():
            pause = min(2 * pause, LONGEST_PAUSE)
            await asyncio.sleep(pause)
        self._restored()
