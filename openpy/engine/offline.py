"""A server without sockets, in virtual time: what a script would do with a message, and nothing comes of it.

Rules:
1. Nothing leaves: what is sent is kept, whatever the transport. Nothing is looked up in the DNS.
2. Every database is replaced by an empty SQLite one in a folder of the caller's.
3. What another server would have to answer is not made up: it is missing, and `remarks` says so.
4. The clock stands still but for what `settle` lets pass. Chance is always the same.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from socket import AddressFamily, socket
from typing import Any, cast

from openpy.db.database import Database
from openpy.db.url import parse_url
from openpy.engine.clock import Clock
from openpy.engine.config import CoreConfig
from openpy.engine.garbage import Collector
from openpy.engine.log import Log, Sink
from openpy.engine.machine import Machine
from openpy.engine.module import ModuleError
from openpy.engine.modulefinder import find_module
from openpy.engine.server import Server
from openpy.engine.waiting import Wait
from openpy.script.syntax import SocketId
from openpy.transaction.flow import Flow

AFTERWARDS = 0.4
"""Seconds of virtual time in which what is sent is still an effect of the message, and nothing is repeated yet."""

PATIENCE = 60.0
"""Seconds of virtual time that a route may wait for something."""

TURN = 0.002
"""Seconds of real time that threads get before virtual time goes on."""

THREADS_AT_WORK = 0.3
"""Seconds of real time in which a thread answers, unless it waits for something that never comes."""

STEP = 0.1


class VirtualClock(Clock):
    """Stands still until it is set. The wall clock begins with the real one."""

    __slots__ = ("_since", "now")

    def __init__(self) -> None:
        self.now = 100.0
        self._since = time.time() - self.now

    def monotonic(self) -> float:
        """Virtual seconds."""
        return self.now

    def wall(self) -> float:
        """Unix time in seconds."""
        return self._since + self.now


@dataclass
class KeptFlow:
    """A way to a peer that keeps what is sent in `sent`, with the way that it went."""

    sent: list[tuple[KeptFlow, bytes]]
    transport: str
    host: str
    port: int
    local_host: str
    local_port: int

    @property
    def reliable(self) -> bool:
        """Whether the transport retransmits by itself."""
        return self.transport != "udp"

    def send(self, data: bytes) -> None:
        """Keep a message."""
        self.sent.append((self, data))


class OfflineServer(Server):
    """A server whose databases are in `folder`, and whose log goes to `sink`.

    Life: `load` -> `bind` -> `begin` -> messages to `dispatcher.receive`, each followed by `settle` -> `finish`.
    """

    def __init__(self, folder: Path, sink: Sink, clock: VirtualClock | None = None) -> None:
        self.virtual_clock = clock or VirtualClock()
        numbers = count(1)
        machine = Machine(
            random=random.Random(0),
            token=lambda: f"{next(numbers):016x}",
            datagrams=_no_socket,
            collector=_IdleCollector(),
        )
        super().__init__(CoreConfig(), clock=self.virtual_clock, log=Log(sink=sink), machine=machine)
        self.sent: list[tuple[KeptFlow, bytes]] = []
        self.remarks: list[str] = []
        self._folder = folder
        self._switch_interval = sys.getswitchinterval()

    # --- life -----------------------------------------------------------------------------------------------------

    def bind(self) -> None:
        """Be where the script listens, or on 127.0.0.1, without a socket there."""
        if not self.config.listen:
            self.config.listen.append(SocketId("udp", "127.0.0.1", None))
            self.remarks.append("the script names no address to listen on: it runs as if on 127.0.0.1")
        self.config.values["disable_tcp"] = 1
        super().bind()

    async def begin(self) -> None:
        """Start the modules, but for those that take commands from outside; raises ModuleError."""
        self.runtime.start(asyncio.get_running_loop())
        for name, module in self.modules.items():
            if name.startswith("mi_"):
                self.remarks.append(f"{name} was not started")
                continue
            await module.start()
            self._started.append(module)
        while any(module.loading for module in self.modules.values()):
            await asyncio.sleep(TURN)

    async def finish(self) -> None:
        """Close everything; nothing is waited for."""
        for module in reversed(self._started):
            await module.stop()
        for database in self.databases.values():
            await asyncio.to_thread(database.close)
        await asyncio.sleep(0)
        self.names.stop()
        self.sockets.close()
        self.runtime.stop()
        sys.setswitchinterval(self._switch_interval)

    async def settle(self, is_done: Callable[[], bool]) -> bool:
        """Let a message have its effects; False if `is_done` does not come true however long one waits."""
        self._burst_ended()
        began = time.monotonic()
        until = self.virtual_clock.now + PATIENCE
        while not is_done() and self.virtual_clock.now < until:
            await asyncio.sleep(TURN)
            if time.monotonic() - began > THREADS_AT_WORK:
                self._pass(STEP)
        for _ in range(round(AFTERWARDS / STEP)):
            await asyncio.sleep(TURN)
            self._pass(STEP)
        return is_done()

    def _pass(self, seconds: float) -> None:
        self.virtual_clock.now += seconds
        self.wheel.advance(self.virtual_clock.now)
        self._burst_ended()

    # --- what there would be outside --------------------------------------------------------------------------------

    def peer(self, transport: str, host: str, port: int) -> KeptFlow:
        """The way to a peer."""
        first = self.sockets.endpoints[0]
        return KeptFlow(self.sent, transport, host.strip("[]"), port, first.host, first.port)

    def flow(self, transport: str, host: str, port: int, local: tuple[str, int] | None = None) -> Flow | None:
        """A way that keeps what is sent; a connection is first opened."""
        return self.peer(transport, host, port) if transport == "udp" else None

    def connect(self, transport: str, host: str, port: int) -> Wait[Flow | None]:
        """As if the connection had been opened at once."""
        wait: Wait[Flow | None] = Wait()
        self.remarks.append(f"no connection was opened to {transport}:{host}:{port}")
        wait.resolve(self.peer(transport, host, port))
        return wait

    def resolve(self, host: str) -> Wait[tuple[str, ...]]:
        """An address is its own; a name has none."""
        wait = super().resolve(host) if _is_address(host) else Wait[tuple[str, ...]]()
        if not wait.done:
            self.remarks.append(f"{host} was not looked up: for the script it has no address")
            wait.resolve(())
        return wait

    def database(self, url: str) -> Database:
        """An empty database in place of the one at a URL; raises ModuleError."""
        if url not in self.databases:
            try:
                shown = str(parse_url(url))
            except ValueError as error:
                raise ModuleError(str(error)) from None
            dialect = vars(find_module("sqlite"))["dialect"]
            file = self._folder / f"{len(self.databases)}.sqlite"
            self.databases[url] = Database(
                parse_url(f"sqlite:///{file}"), dialect, self.runtime.post, self.machine.threads
            )
            self.remarks.append(f"an empty temporary database was used in place of {shown}")
        return self.databases[url]


def _is_address(host: str) -> bool:
    bare = host.strip("[]")
    return ":" in bare or all(part.isdigit() for part in bare.split("."))


class _IdleCollector(Collector):
    """Leaves Python's garbage collector as it is: the process is short, or somebody else's."""

    __slots__ = ()

    def start(self) -> None:
        """Nothing to do."""

    def turn(self, now: float) -> None:
        """Nothing to do."""

    def stop(self) -> None:
        """Nothing to do."""


class _NoSocket:
    """What a server uses of a datagram socket, with nothing behind it."""

    _address = ("", 0)

    def bind(self, address: tuple[str, int]) -> None:
        self._address = address

    def getsockname(self) -> tuple[str, int]:
        return self._address

    def setblocking(self, flag: bool) -> None:
        pass

    def setsockopt(self, *_: Any) -> None:
        pass

    def close(self) -> None:
        pass


def _no_socket(family: AddressFamily) -> socket:
    return cast(socket, _NoSocket())
