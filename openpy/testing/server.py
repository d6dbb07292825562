"""A whole server in a world: its clocks, its threads, its sockets and its databases are the world's.

Rules:
1. Nothing of the machine is touched but one folder, which holds the databases: no socket is opened, no name is looked
   up, no FIFO is made.
2. Whatever database a URL names, it is an SQLite file in that folder, empty at first: a script need not be changed.
3. Timers fire exactly when they are due, not at the next tick.
4. Whoever is reached by TCP is there: a connection comes up at once.
5. No program runs: one that a script starts fails, unless the test stubs the function that starts it.
6. What is not as it would be outside is told in `remarks`, once.
"""

from __future__ import annotations

import errno
import ipaddress
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any

from openpy.db.database import Database
from openpy.db.dialect import PATIENCE, Connection
from openpy.db.url import DatabaseUrl, parse_url
from openpy.engine.config import CoreConfig
from openpy.engine.loader import Loaded
from openpy.engine.log import Log
from openpy.engine.machine import Machine
from openpy.engine.programs import Ended, Program
from openpy.engine.server import LOAD_STEP, Server
from openpy.engine.services import ANYBODY, Callee
from openpy.engine.waiting import Wait
from openpy.modules.sqlite.dialect import SqliteDialect
from openpy.net.services import Service
from openpy.script.parser import Definitions
from openpy.script.syntax import SocketId, TopLevel
from openpy.testing.clock import NoCollector, WorldClock
from openpy.testing.loop import VirtualLoop
from openpy.testing.network import Address, Network
from openpy.testing.threads import VirtualThreads
from openpy.testing.world import World
from openpy.transaction.flow import Flow

HERE: Address = ("127.0.0.1", 5060)
"""Where a server listens whose script does not say where, or names a host that no test has given an address."""

OUTSIDE = ("mi_fifo", "mi_datagram")
"""Modules that only open a way in from the machine: they are configured and checked, and not started."""

PATIENT = 30.0
"""Seconds of virtual time that a start or stop may take."""


class QuickDialect(SqliteDialect):
    """SQLite that does not wait for the disk: these databases need not outlive the machine."""

    def connect(self, url: DatabaseUrl, *, read_only: bool = False, patience: float = PATIENCE) -> Connection:
        """Open the file. Raises Unusable or Unavailable."""
        connection = super().connect(url, read_only=read_only, patience=patience)
        cursor = connection.cursor()
        cursor.execute("PRAGMA synchronous=OFF")
        cursor.close()
        return connection


@dataclass(eq=False)
class Stream:
    """A TCP connection between the server and a peer. `sent(stream, data)` hears what the server sends."""

    host: str
    port: int
    local_host: str
    local_port: int
    sent: Callable[[Stream, bytes], None] = field(repr=False)
    transport: str = "tcp"
    reliable: bool = True

    def send(self, data: bytes) -> None:
        """Send one message."""
        self.sent(self, data)


class VirtualServer(Server):
    """A server in a world. `hosts` are the addresses of names; `streams` are its connections, by peer."""

    left_out = OUTSIDE

    def __init__(
        self,
        world: World,
        network: Network,
        folder: Path,
        log: Log,
        hosts: Mapping[str, str | Sequence[str]],
        sent: Callable[[Stream, bytes], None],
    ) -> None:
        """`folder` takes the databases; `sent(stream, data)` hears what leaves by TCP."""
        self.world = world
        self.hosts = {name.lower(): addresses for name, addresses in hosts.items()}
        self.streams: dict[Address, Stream] = {}
        self.gone_by: Callable[[Loaded], None] = lambda loaded: None
        """Hears of each script that is put in force by a reload, before a message comes to it."""
        self.files: dict[str, Path] = {}
        """The file of each database, by its URL."""
        self.remarks: list[str] = []
        self._folder = folder
        self._sent = sent
        loop = self._loop = VirtualLoop(self)
        numbers = count(1)
        machine = Machine(
            random=world.chance("server"),
            token=lambda: f"{next(numbers):016x}",
            threads=VirtualThreads(self, loop),
            datagrams=lambda _: network.socket(loop.arrived),
            collector=NoCollector(),
        )
        config = CoreConfig(reads_files=False)
        super().__init__(config, clock=WorldClock(world), log=log, machine=machine, allow_exec=True)

    def at(self, delay: float, action: Callable[[], None]) -> None:
        """Let something happen in the server, so many seconds from now."""
        self.world.at(delay, action)

    # --- life -----------------------------------------------------------------------------------------------

    def load(self, path: Path, definitions: Definitions = (), further: Sequence[TopLevel] = ()) -> Loaded:
        """Read and check a script, and make the world its machine. Raises as a server does."""
        loaded = super().load(path, definitions, further)
        for name in self.left_out:
            if self.modules.pop(name, None) is not None:
                self._remark(f"{name} was not started")
        config = self.config
        if not config.listen:
            self._remark(f"the script names no address to listen on: it runs as if on {HERE[0]}")
        addresses = list(map(self._listening, config.listen))
        config.aliases += [
            entry for entry, own in zip(config.listen, addresses, strict=True) if own.host != entry.host
        ]
        config.listen[:] = dict.fromkeys(addresses) or [SocketId("udp", *HERE)]
        return loaded

    def go_by(self, loaded: Loaded) -> None:
        """Serve what comes from now on by this script."""
        super().go_by(loaded)
        self.gone_by(loaded)

    def begin(self) -> None:
        """Bind and start. Raises SocketError, ModuleError, DatabaseError."""
        self.bind()
        self._finish(self.start())
        self.runtime.rest()

    def end(self) -> None:
        """Stop in good order."""
        self._finish(self.stop())
        self._loop.over = True

    def advance(self, seconds: float) -> None:
        """Let time pass (rule 3)."""
        world, wheel = self.world, self.wheel
        end = world.now + seconds
        self._fire()
        while (due := wheel.next_due()) is not None and due <= end:
            world.run_until(max(due, world.now))
            self._fire()
        world.run_until(end)
        self._fire()

    def _fire(self) -> None:
        self.wheel.advance(self.world.now)
        self.hand_over()

    def receive(self, data: bytes, stream: Stream) -> None:
        """A message came by a connection."""
        self.wiretaps.receiving(self.dispatcher.receive)(data, stream)
        self.hand_over()

    # --- services -------------------------------------------------------------------------------------------

    def database(self, url: str) -> Database:
        """A database of this world's own (rule 2). Raises ModuleError, as a server does."""
        if url not in self.databases:
            super().database(url)
            self._remark(f"an empty temporary database was used in place of {parse_url(url)}")
            file = self.files[url] = self._folder / f"database{len(self.files) + 1}.sqlite"
            own = parse_url(f"sqlite:///{file}")
            self.databases[url] = Database(own, QuickDialect(), self.runtime.post, self.machine.threads)
        return self.databases[url]

    def flow(
        self,
        transport: str,
        host: str,
        port: int,
        local: tuple[str, int] | None = None,
        callee: Callee = ANYBODY,
    ) -> Flow | None:
        """A way to a peer that is there already."""
        if transport == "tcp":
            return self.streams.get((host.strip("[]"), port))
        return super().flow(transport, host, port, local, callee)

    def connect(self, transport: str, host: str, port: int, callee: Callee = ANYBODY) -> Wait[Flow | None]:
        """A way to a peer (rule 4)."""
        if transport != "tcp":
            return super().connect(transport, host, port, callee)
        self._remark(f"no connection was opened to {transport}:{host}:{port}")
        wait: Wait[Flow | None] = Wait()
        wait.resolve(self.stream((host.strip("[]"), port)))
        return wait

    def run_program(self, program: Program) -> Wait[Ended]:
        """Refuse to (rule 5)."""
        wait: Wait[Ended] = Wait()
        self._remark(f"{program.command} was not run")
        wait.fail(OSError(errno.EPERM, "no program runs in a test: stub the function that starts it"))
        return wait

    def stream(self, peer: Address) -> Stream:
        """The connection with a peer, made if there is none."""
        if peer not in self.streams:
            udp = self.sockets.udp[0]
            self.streams[peer] = Stream(*peer, udp.host, udp.port, self._streamed)
        return self.streams[peer]

    def _streamed(self, stream: Stream, data: bytes) -> None:
        if self.wiretaps.sending is not None:
            self.wiretaps.sending(data, stream)
        self._sent(stream, data)

    def resolve(self, host: str) -> Wait[tuple[str, ...]]:
        """The addresses of a name, as the test gives them; of any other there is none."""
        wait: Wait[tuple[str, ...]] = Wait()
        bare = host.strip("[]")
        found = (bare,) if _is_address(bare) else self._addresses(bare)
        if not found:
            self._remark(f"{host} was not looked up: for the script it has no address")
        wait.resolve(found)
        return wait

    def find_servers(self, domain: str, transport: str = "") -> Wait[tuple[Service, ...]]:
        """No domain has records of its servers: the test gives the addresses of names."""
        wait: Wait[tuple[Service, ...]] = Wait()
        wait.resolve(())
        return wait

    def _addresses(self, name: str) -> tuple[str, ...]:
        found = self.hosts.get(name.lower(), ())
        return (found,) if isinstance(found, str) else tuple(found)

    def _listening(self, entry: SocketId) -> SocketId:
        """An address of this world for one of `listen`: UDP serves them all."""
        host = (
            entry.host
            if _is_address(entry.host.strip("[]"))
            else next(iter(self._addresses(entry.host)), HERE[0])
        )
        return replace(entry, protocol="udp", host=host, port=entry.port or self.config.number("port"))

    def _remark(self, text: str) -> None:
        if text not in self.remarks:
            self.remarks.append(text)

    def _finish(self, step: Coroutine[Any, Any, None]) -> None:
        """Let time pass until a step of the life is done. Raises what it raises."""
        task = self._loop.create_task(step)
        end = self.world.now + PATIENT
        while not task.done() and self.world.now < end:
            self.advance(LOAD_STEP)
        task.result()


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
