"""The server as a process: it is started, killed, stopped for a while and told to end, many lives long.

Rules:
1. Each life is a real `Server` on ports of this world. What happens in it happens by `at`.
2. A killed process does nothing any more, and its sockets and what waits in them are gone.
3. In a process that stands still (SIGSTOP) time passes and nothing else; datagrams wait in its sockets.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from openpy.db.database import Database
from openpy.db.dialect import Dialect
from openpy.db.url import DatabaseUrl
from openpy.engine.config import CoreConfig
from openpy.engine.log import ERROR, NOTICE, Log
from openpy.engine.machine import Machine
from openpy.engine.server import LIBRARIES, Server
from openpy.modules.presence.agent import PresenceAgent
from openpy.modules.presence.module import Presence
from openpy.script.syntax import SocketId
from openpy.testing.clock import NoCollector, WorldClock
from openpy.testing.loop import VirtualLoop
from openpy.testing.network import Address, Network
from openpy.testing.threads import VirtualThreads
from openpy.testing.world import World
from tests.simulation.database import URL

ADDRESS: Address = ("192.0.2.100", 5060)

SCRIPT = f"""
loadmodule "sqlite.so"
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "presence.so"
loadmodule "presence_xml.so"
disable_tcp=yes
modparam("presence", "db_url", "{URL}")
modparam("presence", "clean_period", 20)
modparam("presence_xml", "force_active", 1)
route {{
    if (method == "PUBLISH" || method == "SUBSCRIBE") {{
        if (!t_newtran()) {{ sl_reply_error(); exit; }}
        if (method == "PUBLISH") {{ handle_publish(); }} else {{ handle_subscribe(); }}
        t_release();
        exit;
    }}
    sl_send_reply("200", "OK");
}}
"""


AGAIN = 0.2
"""Seconds from an end in good order, or a start that failed, to the next life."""


class Reachable(Protocol):
    """A database that a server can be given."""

    @property
    def url(self) -> DatabaseUrl: ...
    @property
    def dialect(self) -> Dialect: ...


class Process:
    """The lives of one server. `life` counts them; `server` is that of the life that goes on, if one does."""

    def __init__(self, world: World, network: Network, database: Reachable, script: Path) -> None:
        self.world = world
        self.life = 0
        self.server: Server | None = None
        self.stands_still = False
        self.serving = False
        """Whether the modules have started and messages are read."""
        self.since = 0.0
        """When it began to run, or went on."""
        self.on_end: Callable[[], None] = lambda: None
        """Called when a life ends, whichever way."""
        self._network = network
        self._database = database
        self._script = script
        self._waiting: list[Callable[[], None]] = []
        self._own_handlers: list[logging.Handler] = []
        self._loop: VirtualLoop | None = None

    @property
    def agent(self) -> PresenceAgent | None:
        """What it knows of presence, once the rows are loaded."""
        presence = None if self.server is None else self.server.module("presence")
        return presence._agent if isinstance(presence, Presence) else None

    # --- life ---------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Begin a life, if there is none."""
        if self.server is not None:
            return
        world = self.world
        self.life += 1
        self.since = world.now
        world.say("server", f"life {self.life} begins")
        loop = self._loop = VirtualLoop(self)
        threads = VirtualThreads(self, loop)
        machine = Machine(
            random=world.chance(f"server {self.life}"),
            token=_tokens(world, self.life),
            threads=threads,
            datagrams=lambda _: self._network.socket(loop.arrived),
            collector=NoCollector(),
        )
        config = CoreConfig(listen=[SocketId("udp", *ADDRESS)])
        server = self.server = Server(
            config, clock=WorldClock(world), log=Log(NOTICE, self._logged), machine=machine
        )
        server.load(self._script)
        database = self._database
        server.databases[URL] = Database(database.url, database.dialect, server.runtime.post, threads)
        server.bind()
        before = list(logging.getLogger(LIBRARIES).handlers)
        task = loop.create_task(server.start())
        task.add_done_callback(lambda task: self._started(task, before))

    def kill(self) -> None:
        """End at once (SIGKILL)."""
        if self.server is not None:
            self.world.say("server", "killed")
            self._end()

    def terminate(self) -> None:
        """End in good order (SIGTERM)."""
        if self.server is not None and self._loop is not None and self.serving:
            self.world.say("server", "told to end")
            self.serving = False
            self._loop.create_task(self.server.stop()).add_done_callback(self._stopped)

    def stand_still(self, seconds: float) -> None:
        """Do nothing for a while (SIGSTOP, SIGCONT)."""
        if self.server is not None and not self.stands_still:
            self.world.say("server", f"stands still for {seconds:.1f} s")
            self.stands_still = True
            life = self.life
            self.world.at(seconds, lambda: self._go_on(life))

    def at(self, delay: float, action: Callable[[], None]) -> None:
        """Let something happen in this life, if it lasts so long."""
        life = self.life
        self.world.at(delay, lambda: self._do(life, action))

    def _do(self, life: int, action: Callable[[], None]) -> None:
        if life == self.life and self.server is not None:
            if self.stands_still:
                self._waiting.append(action)
            else:
                action()

    def _go_on(self, life: int) -> None:
        if life == self.life and self.stands_still:
            self.world.say("server", "goes on")
            self.stands_still = False
            self.since = self.world.now
            waiting, self._waiting = self._waiting, []
            for action in waiting:
                self.at(0.0, action)

    def _started(self, task: asyncio.Task[None], before: list[logging.Handler]) -> None:
        handlers = logging.getLogger(LIBRARIES).handlers
        self._own_handlers = [handler for handler in handlers if handler not in before]
        error = task.exception()
        if error is None:
            self.serving = True
            return
        self.world.say("server", f"did not start: {error}")
        self._end()
        self.world.at(AGAIN, self.begin)

    def _stopped(self, task: asyncio.Task[None]) -> None:
        error = task.exception()
        if error is not None:
            self.world.breach(f"the stop failed: {error!r}")
        self.world.say("server", "has ended")
        self._end()
        self.world.at(AGAIN, self.begin)

    def _end(self) -> None:
        self.on_end()
        if self._loop is not None:
            self._loop.over = True
        self.server = self._loop = None
        self.serving = self.stands_still = False
        self._waiting.clear()
        self._network.detach(ADDRESS)
        for handler in self._own_handlers:
            logging.getLogger(LIBRARIES).removeHandler(handler)
        self._own_handlers = []

    def _logged(self, level: int, line: str) -> None:
        text = line.split("] ", 1)[1]
        if level <= ERROR:
            self.world.breach(f"the server logged an error: {text}")
        else:
            self.world.say("server", text)


def _tokens(world: World, life: int) -> Callable[[], str]:
    chance = world.chance(f"tokens {life}")
    return lambda: f"{chance.getrandbits(64):016x}"
