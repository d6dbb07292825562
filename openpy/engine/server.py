"""The server: one object that owns everything; there is no module-level state.

Life: `load` (reads and checks, opens nothing) -> `bind` (takes the sockets) -> `start` (modules open what
they need, messages are read) -> `stop` (takes nothing new, finishes what it began, closes).
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import sys
import traceback
from collections.abc import Callable, Iterable, Sequence
from hashlib import md5
from pathlib import Path
from typing import Any

from openpy.db.database import Database
from openpy.db.url import parse_url
from openpy.engine import memory
from openpy.engine.blacklists import DeadTargets
from openpy.engine.budgets import SourceBudget
from openpy.engine.clock import Clock
from openpy.engine.config import CoreConfig
from openpy.engine.corecommands import PRODUCT, CoreCommands
from openpy.engine.dispatch import Dispatcher
from openpy.engine.events import Event, connect_events
from openpy.engine.forward import forward_reply, is_unicast
from openpy.engine.loader import Loaded, load
from openpy.engine.log import LibraryLog, Log
from openpy.engine.machine import Machine
from openpy.engine.mi import Command, Commands, declared_commands
from openpy.engine.module import Module, ModuleError
from openpy.engine.names import Limits, Names
from openpy.engine.overload import Backlog, Overload, OverloadCounts
from openpy.engine.programs import Ended, Program
from openpy.engine.runtime import TICK, Runtime
from openpy.engine.socketids import unknown_sockets
from openpy.engine.sockets import Endpoint, Receivers, Sockets, bracketed
from openpy.engine.stalls import Stalls
from openpy.engine.statistics import Statistics
from openpy.engine.tcpaliases import accepting_aliases
from openpy.engine.trace import Tracer
from openpy.engine.variables import AvpName
from openpy.engine.waiting import Wait
from openpy.script.diagnostics import ScriptError
from openpy.script.parser import Definitions
from openpy.script.syntax import TopLevel
from openpy.sip.errors import RemoteError
from openpy.sip.message import Request, Response
from openpy.sip.validity import Limits as MessageLimits
from openpy.transaction.flow import Flow
from openpy.transaction.layer import Layer
from openpy.transaction.timers import TimerValues
from openpy.transaction.wheel import Wheel

DRAIN_PATIENCE = 5.0  # seconds for what has begun to get its answer at a stop
LIBRARIES = "openpy.db"  # what speaks through Python's logging
LOAD_PATIENCE = (
    1.0  # seconds that the first message waits for what modules load; more is loaded beside the messages
)
LOAD_STEP = 0.005  # seconds between two looks whether they have
CONNECT_PATIENCE = 2.0  # seconds until what waits for a connection goes on without it


class Server:
    """A server; implements `engine.services.Services`."""

    worker_one_init = Event("The server has started, and reads messages from now on")

    def __init__(
        self,
        config: CoreConfig | None = None,
        *,
        clock: Clock | None = None,
        log: Log | None = None,
        machine: Machine | None = None,
        allow_exec: bool = False,
    ) -> None:
        self.config = config or CoreConfig()
        self.clock = clock or Clock()
        self.log = log or Log()
        self.machine = machine or Machine()
        self.allow_exec = allow_exec
        self.random = self.machine.random
        self.token = self.machine.token
        self.wheel = Wheel(self.clock.monotonic(), on_error=self.report)
        self.transactions = Layer(self.wheel, TimerValues(), self.token)
        self.statistics = Statistics()
        self.statistics.gauge("core", "live_objects", sys.getallocatedblocks)
        self.statistics.gauge("core", "cyclic_garbage", lambda: self.machine.collector.found)
        for name, read in memory.gauges():
            self.statistics.gauge("shmem", name, read)
        count = self.statistics.counter
        self.log_dropped = count("core", "log_dropped")
        self.forwarded_requests = count("core", "fwd_requests")
        self.forwarded_replies = count("core", "fwd_replies")
        self.dead_targets: DeadTargets | None = None
        self.stalls = Stalls(
            count("core", "loop_longest_turn"), count("core", "loop_stalls"), self.clock.monotonic
        )
        self.dispatcher = Dispatcher(self)
        self.tracer = Tracer(self)
        self.runtime = Runtime(self.clock, self.wheel, self.machine.collector, lambda: self.messages_received)
        self.names = Names(self.wheel, self.clock.monotonic, self.runtime.post, self.machine.threads)
        self.modules: dict[str, Module] = {}
        self.commands = Commands(self.log, self.report)
        self.up_since = self.clock.wall()
        self.avp_aliases: dict[str, AvpName] = {}
        self.loaded: Loaded | None = None
        self.reply_headers = ""
        self.sip_warning = False
        self.tag_prefix = ""
        self.databases: dict[str, Database] = {}
        self._library_log = LibraryLog(self.log)
        self._sockets: Sockets | None = None
        self._reply_to_via = False
        self._advertised = "", 0
        self._started: list[Module] = []
        self._add_commands(declared_commands(CoreCommands(self), "core"))

    # --- life -----------------------------------------------------------------------------------------------

    def load(self, path: Path, definitions: Definitions = (), further: Sequence[TopLevel] = ()) -> Loaded:
        """Read and check a script, with names that are defined for it (`-A`) and `further` parameters at its end.

        Raises ScriptError, OSError, ModuleError (a command that two modules have), or ValueError for what is no name.
        """
        loaded = load(path, self, self.config, self.modules, definitions, further)
        self.loaded = loaded
        self.avp_aliases = loaded.avp_aliases
        self.log.level = self.config.number("debug")
        number = self.config.number
        self.names.limits = Limits(number("dns_timeout"), number("dns_cache"), number("dns_queue"))
        limits = MessageLimits(number("max_head"), number("max_headers"), number("max_uri"))
        self.dispatcher.use(loaded.program, limits)
        self.tracer.use(loaded)
        for module in self.modules.values():
            self.statistics.add_module(module)
            self._add_commands(module.commands())
            connect_events(self, module.name, module, loaded.program)
        connect_events(self, "core", self, loaded.program)
        if self.config.number("server_signature"):
            self.reply_headers = (self.config.text("server_header") or f"Server: {PRODUCT}") + "\r\n"
        self.dead_targets = loaded.dead_targets
        self.sip_warning = bool(self.config.number("sip_warning"))
        self._reply_to_via = bool(number("reply_to_via"))
        self._advertised = bracketed(self.config.text("advertised_address")), number("advertised_port")
        return loaded

    def bind(self) -> None:
        """Take the sockets; raises SocketError, or ScriptError where the script forces one that is not among them."""
        receive = self._receiver()
        self._sockets = Sockets(
            self.config,
            Receivers(
                receive,
                receive,
                self.dispatcher.broken,
                self.transactions.flow_failed,
                self._burst_ended,
                self._backlogs(receive),
                self.clock.monotonic,
            ),
            self.machine.datagrams,
        )
        try:
            self._sockets.bind()
            self._check_forced_sockets(self._sockets)
        except BaseException:
            self._sockets.close()
            raise
        self._count_losses(self._sockets)
        first = self._sockets.endpoints[0] if self._sockets.endpoints else ""
        self.tag_prefix = md5(f"openpy stateless {first}".encode(), usedforsecurity=False).hexdigest()

    async def start(self) -> None:
        """Start the modules, then read; raises ModuleError, and then everything is closed.

        Modules that have much to load go on with it while messages are read already.
        """
        loop = asyncio.get_running_loop()
        self.runtime.start(loop)
        logging.getLogger(LIBRARIES).addHandler(self._library_log)
        try:
            for module in self.modules.values():
                await module.start()
                self._started.append(module)
        except BaseException:
            await self.stop()
            raise
        patience = self.clock.monotonic() + LOAD_PATIENCE
        while self.clock.monotonic() < patience and any(module.loading for module in self.modules.values()):
            await asyncio.sleep(LOAD_STEP)
        await self.sockets.start(loop)
        self.stalls.begin()
        if self.worker_one_init is not None:
            self.worker_one_init()
        loop.call_later(1.0, self._close_idle_connections)

    async def stop(self) -> None:
        """Take nothing new, finish what was begun, close everything."""
        self.dispatcher.draining = True
        for module in reversed(self._started):
            await module.drain()
        self._burst_ended()
        patience = self.clock.monotonic() + DRAIN_PATIENCE
        while self.clock.monotonic() < patience and self.transactions.unanswered():
            await asyncio.sleep(TICK)
        await self.runtime.end_programs()
        for database in self.databases.values():
            await asyncio.to_thread(database.close)
        await asyncio.sleep(0)  # what the last commit resumed runs before the sockets close
        self.names.stop()
        self.sockets.stop_reading()
        for module in reversed(self._started):
            await module.stop()
        self.sockets.close()
        self.runtime.stop()
        logging.getLogger(LIBRARIES).removeHandler(self._library_log)

    @property
    def sockets(self) -> Sockets:
        """The sockets; there are some after `bind`."""
        assert self._sockets is not None
        return self._sockets

    @property
    def messages_received(self) -> int:
        """How many messages came so far: `$mi`."""
        return self.dispatcher.received_requests.value + self.dispatcher.received_replies.value

    # --- services for modules -------------------------------------------------------------------------------

    def module(self, name: str) -> Module | None:
        """The loaded module of that name."""
        return self.modules.get(name)

    def database(self, url: str) -> Database:
        """The database at a URL; raises ModuleError."""
        if url not in self.databases:
            try:
                parsed = parse_url(url)
            except ValueError as error:
                raise ModuleError(str(error)) from None
            for module in self.modules.values():
                dialect = getattr(module, "dialect", None)
                if dialect is not None and parsed.scheme in dialect.schemes:
                    self.databases[url] = Database(parsed, dialect, self.runtime.post, self.machine.threads)
                    break
            else:
                raise ModuleError(
                    f"no database module for {parsed.scheme}: is loaded",
                    f'add: loadmodule "{parsed.scheme}.so"',
                )
        return self.databases[url]

    def flow(self, transport: str, host: str, port: int, local: tuple[str, int] | None = None) -> Flow | None:
        """A way to a peer that is there already."""
        return self.sockets.flow(transport, host, port, local)

    def connect(self, transport: str, host: str, port: int) -> Wait[Flow | None]:
        """A way to a peer, opened where none is up; None after 2 s without one."""
        wait: Wait[Flow | None] = Wait()
        if transport == "tcp":
            self.wheel.add(CONNECT_PATIENCE, lambda: wait.resolve(None))
            self.sockets.tcp.connect(host.strip("[]"), port, wait.resolve)
        else:
            wait.resolve(self.flow(transport, host, port))
        return wait

    def resolve(self, host: str) -> Wait[tuple[str, ...]]:
        """The addresses of a host; an address is its own. Fails with OSError where nobody can tell."""
        wait: Wait[tuple[str, ...]] = Wait()
        bare = host.strip("[]")
        try:
            ipaddress.ip_address(bare)
        except ValueError:
            return self.names.resolve(bare)
        wait.resolve((bare,))
        return wait

    def is_myself(self, host: str, port: int) -> bool:
        """Whether host:port is a socket or alias of ours."""
        return self.sockets.is_myself(host, port)

    def advertised(self, flow: Flow) -> tuple[str, int]:
        """Host and port for Via and Contact."""
        host, port = self._advertised
        return host or bracketed(flow.local_host), port or flow.local_port

    def advertised_socket(self, socket: Endpoint) -> tuple[str, int]:
        """The same of what is forced through a socket."""
        host, port = self._advertised
        return host or bracketed(socket.host), port or socket.port

    def run_blocking(self, function: Callable[..., Any], *arguments: Any) -> Wait[Any]:
        """Run a blocking function in a thread."""
        return self.runtime.run_blocking(function, *arguments)

    def run_program(self, program: Program) -> Wait[Ended]:
        """Run a program beside the loop."""
        return self.runtime.run_program(program)

    def soon(self, callback: Callable[[], None]) -> None:
        """Call back in the loop's next round."""
        self.runtime.soon(callback)

    def watch(self, descriptor: int, readable: Callable[[], None]) -> Callable[[], None]:
        """Call back whenever a descriptor has something to read, until the returned function is called."""
        return self.runtime.watch(descriptor, readable)

    # --- for the parts of the engine --------------------------------------------------------------------------

    def reply_flow(self, request: Request, flow: Flow) -> Flow:
        """The way for replies: where the request came from, or with `reply_to_via` what its top Via names.

        A Via that asks for the port (`rport`), and `force_rport`, always mean where the request came from (RFC 3581 4).
        """
        if not self._reply_to_via or flow.reliable or request.wants_rport:
            return flow
        try:
            via = request.via
        except RemoteError:
            return flow
        if via.param("rport") is not None or not is_unicast(via.host):
            return flow
        return self.flow("udp", via.host, via.port or 5060, (flow.local_host, flow.local_port)) or flow

    def forward_reply(self, response: Response) -> bool:
        """Send a stray reply on by its Via."""
        if not forward_reply(response, self.is_own_via, self.flow):
            return False
        self.forwarded_replies.value += 1
        return True

    def is_own_via(self, host: str, port: int) -> bool:
        """Whether a Via of host:port can be ours: one of our sockets, or what `advertised_address` says."""
        return self.is_myself(host, port) or host.lower() == self._advertised[0].lower()

    def report(self, error: BaseException) -> None:
        """Log an error of ours, with its traceback through the script."""
        text = "".join(traceback.format_exception(error))
        self.log.error("core", text)

    def _add_commands(self, commands: Iterable[Command]) -> None:
        for command in commands:
            if not self.commands.add(command):
                raise ModuleError(f"{command.group}: there is a management command {command.name} already")

    def _check_forced_sockets(self, sockets: Sockets) -> None:
        if self.loaded is not None:
            unknown = unknown_sockets(
                self.loaded.script, lambda wanted: sockets.listening(wanted) is not None
            )
            if unknown:
                raise ScriptError(unknown)

    def _count_losses(self, sockets: Sockets) -> None:
        """What the sockets could not take or send, as statistics of the group `net`."""
        gauge, tcp = self.statistics.gauge, sockets.tcp.counts
        gauge("net", "udp_dropped", lambda: sum(udp.counts.dropped for udp in sockets.udp))
        gauge("net", "udp_overflowed", lambda: sum(udp.overflowed for udp in sockets.udp))
        gauge("net", "tcp_dropped", lambda: tcp.dropped)
        gauge("net", "tcp_refused", lambda: tcp.refused)
        gauge("net", "tcp_given_up", lambda: tcp.given_up)
        gauge("net", "tcp_connections", lambda: len(sockets.tcp))

    def _receiver(self) -> Callable[[bytes, Flow], None]:
        """Who hears each message."""
        receive: Callable[[bytes, Flow], None] = self.dispatcher.receive
        rate = self.config.number("source_rate")
        if self.config.number("tcp_accept_aliases"):
            receive = accepting_aliases(receive, lambda flow, port: self.sockets.tcp.add_alias(flow, port))
        if rate <= 0:
            return receive
        dropped = self.statistics.counter("core", "source_dropped")
        return SourceBudget(receive, self.clock.monotonic, dropped, rate=rate).receive

    def _backlogs(self, receive: Callable[[bytes, Flow], None]) -> Callable[[], Backlog] | None:
        """What makes the backlog of each datagram socket; they share one allowance of refusals."""
        delay, refusals = self.config.number("overload_delay"), self.config.number("overload_refusals")
        if delay <= 0:
            return None
        count = self.statistics.counter
        counts = OverloadCounts(count("core", "overload_refused"), count("core", "overload_dropped"))
        overload = Overload(
            self.dispatcher.refuse,
            counts,
            delay=delay / 1000,
            refusals=refusals,
            room=self.config.number("overload_backlog"),
        )
        return lambda: Backlog(overload, receive)

    def _burst_ended(self) -> None:
        for database in self.databases.values():
            database.writer.flush()

    def _close_idle_connections(self) -> None:
        self.sockets.tcp.close_overdue()
        self.runtime.loop.call_later(1.0, self._close_idle_connections)
