"""The server: one object that owns everything; there is no module-level state.

Life: `load` (reads and checks, opens nothing) -> `bind` (takes the sockets) -> `start` (modules open what
they need, messages are read) -> `stop` (takes nothing new, finishes what it began, closes). In between a reload lets
it `go_by` another script.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import sys
import traceback
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from hashlib import md5
from pathlib import Path
from typing import Any

from openpy.db.database import Database
from openpy.engine import memory
from openpy.engine.avps import AvpName
from openpy.engine.blacklists import DeadTargets
from openpy.engine.clock import Clock
from openpy.engine.config import CoreConfig
from openpy.engine.corecommands import PRODUCT, CoreCommands
from openpy.engine.databases import database_at
from openpy.engine.dispatch import Dispatcher
from openpy.engine.events import Event, connect_events
from openpy.engine.forward import forward_reply, is_unicast
from openpy.engine.intake import backlogs, count_losses, receiver, tell_handshake
from openpy.engine.latereplies import LateReplies
from openpy.engine.loader import Loaded, load
from openpy.engine.log import LibraryLog, Log
from openpy.engine.machine import Machine
from openpy.engine.mi import Command, Commands, declared_commands
from openpy.engine.module import Module, ModuleError
from openpy.engine.names import Limits, Names
from openpy.engine.programs import Ended, Program
from openpy.engine.reload import Reloader
from openpy.engine.runtime import TICK, Runtime
from openpy.engine.services import ANYBODY, Callee
from openpy.engine.sizeswitch import SizeSwitch
from openpy.engine.socketids import unknown_sockets
from openpy.engine.sockets import Endpoint, Receivers, Sockets, bracketed
from openpy.engine.stalls import Stalls
from openpy.engine.statistics import Statistics
from openpy.engine.trace import Tracer
from openpy.engine.waiting import Wait
from openpy.engine.wiretaps import Wiretaps
from openpy.net.addresses import resolve_host
from openpy.net.services import Service, find_services
from openpy.script.diagnostics import ScriptError
from openpy.script.parser import Definitions
from openpy.script.syntax import TopLevel
from openpy.sip.errors import RemoteError
from openpy.sip.message import Request, Response
from openpy.sip.transports import SIP_PORT
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

    left_out: tuple[str, ...] = ()
    """Modules that are configured and checked, and not started here."""

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
        self.size_switch = SizeSwitch(self.clock.monotonic)
        self.stalls = Stalls(
            count("core", "loop_longest_turn"), count("core", "loop_stalls"), self.clock.monotonic
        )
        self.dispatcher = Dispatcher(self)
        self.tracer = Tracer(self)
        self.runtime = Runtime(
            self.clock,
            self.wheel,
            self.machine.collector,
            lambda: self.messages_received,
            self.hand_over,
        )
        names = self.wheel, self.clock.monotonic, self.runtime.post, self.machine.threads
        self.names: Names[str] = Names(*names, resolve_host)
        self.domains: Names[Service] = Names(*names, _servers_of)
        self.modules: dict[str, Module] = {}
        self.commands = Commands(self.log, self.report)
        self.up_since = self.clock.wall()
        self.avp_aliases: dict[str, AvpName] = {}
        self.loaded: Loaded | None = None
        self.reloader = Reloader(self)
        self.reply_headers = ""
        self.sip_warning = False
        self.tag_prefix = ""
        self.databases: dict[str, Database] = {}
        self.wiretaps = Wiretaps((), self.report)
        self._library_log = LibraryLog(self.log)
        self._sockets: Sockets | None = None
        self._reply_to_via = False
        self._advertised = "", 0
        self.started: list[Module] = []
        self.add_commands(declared_commands(CoreCommands(self), "core"))

    # --- life -----------------------------------------------------------------------------------------------

    def load(self, path: Path, definitions: Definitions = (), further: Sequence[TopLevel] = ()) -> Loaded:
        """Read and check a script, with names that are defined for it (`-A`) and `further` parameters at its end.

        Raises ScriptError, OSError, ModuleError (a command that two modules have), or ValueError for what is no name.
        """
        definitions = tuple(definitions)
        before = self.config.copy()
        loaded = load(path, self, self.config, self.modules, definitions, further)
        self.reloader.remember(path, definitions, further, before, self.config)
        self.log.level = self.config.number("debug")
        for module in self.modules.values():
            self.statistics.add_module(module)
            self.add_commands(module.commands())
        self.go_by(loaded)
        return loaded

    def go_by(self, loaded: Loaded) -> None:
        """Serve what comes from now on by this script; its parameters and modules are in force already."""
        self.loaded = loaded
        self.avp_aliases = loaded.avp_aliases
        number = self.config.number
        self.names.limits = self.domains.limits = Limits(
            number("dns_timeout"), number("dns_cache"), number("dns_queue")
        )
        limits = MessageLimits(number("max_head"), number("max_headers"), number("max_uri"))
        self.dispatcher.use(loaded.program, limits)
        self.tracer.use(loaded)
        for module in self.modules.values():
            connect_events(self, module.name, module, loaded.program)
        connect_events(self, "core", self, loaded.program)
        header = self.config.text("server_header") or f"Server: {PRODUCT}"
        self.reply_headers = f"{header}\r\n" if number("server_signature") else ""
        self.dead_targets = loaded.dead_targets
        self.sip_warning = bool(number("sip_warning"))
        self._reply_to_via = bool(number("reply_to_via"))
        self._advertised = bracketed(self.config.text("advertised_address")), number("advertised_port")

    def renew_tls(self) -> None:
        """Let TLS be done as the script in force says; where it has none, as before."""
        if self.loaded is not None and self.loaded.tls is not None:
            self.sockets.renew_tls(self.loaded.tls)

    def bind(self) -> None:
        """Take the sockets; raises SocketError, or ScriptError where the script forces one that is not among them."""
        taps = [tap for module in self.modules.values() if (tap := module.wiretap()) is not None]
        self.wiretaps = Wiretaps(taps, self.report)
        receive = receiver(self)
        self._sockets = Sockets(
            self.config,
            Receivers(
                receive,
                receive,
                self.dispatcher.broken,
                self.transactions.flow_failed,
                self.hand_over,
                backlogs(self, receive),
                self.clock.monotonic,
                partial(tell_handshake, self.log),
                self.wiretaps.sending,
                LateReplies(self).take,
                self.transactions.waits_on,
            ),
            self.machine.datagrams,
            self.loaded.tls if self.loaded is not None else None,
        )
        try:
            self._sockets.bind()
            if self.loaded is not None:
                self.check_forced_sockets(self.loaded)
        except BaseException:
            self._sockets.close()
            raise
        count_losses(self.statistics, self._sockets)
        self.size_switch.limit = self.config.number("udp_mtu") if self._sockets.listens("tcp") else 0
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
                self.started.append(module)
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
        for module in reversed(self.started):
            await module.drain()
        self.hand_over()
        patience = self.clock.monotonic() + DRAIN_PATIENCE
        while self.clock.monotonic() < patience and self.transactions.unanswered():
            await asyncio.sleep(TICK)
        await self.runtime.end_programs()
        for database in self.databases.values():
            await asyncio.to_thread(database.close)
        await asyncio.sleep(0)  # what the last commit resumed runs before the sockets close
        self.names.stop()
        self.domains.stop()
        self.sockets.stop_reading()
        for module in reversed(self.started):
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
            self.databases[url] = database_at(
                url, self.modules.values(), self.runtime.post, self.machine.threads
            )
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
        return self.sockets.flow(transport, host, port, local, callee)

    def connect(self, transport: str, host: str, port: int, callee: Callee = ANYBODY) -> Wait[Flow | None]:
        """A way to a peer, opened where none is up; None after 2 s without one."""
        wait: Wait[Flow | None] = Wait()

        def done(flow: Flow | None) -> None:
            wait.resolve(flow)
            self.hand_over()

        if transport in ("tcp", "tls"):
            self.wheel.add(CONNECT_PATIENCE, lambda: wait.resolve(None))
            self.sockets.tcp.connect(host.strip("[]"), port, done, transport, callee)
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

    def find_servers(self, domain: str, transport: str = "") -> Wait[tuple[Service, ...]]:
        """The servers of a domain, as NAPTR and SRV records tell; fails with OSError where nobody can tell in time."""
        return self.domains.resolve(f"{transport} {domain}")

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
        host = via.param("maddr") or via.host
        if via.param("rport") is not None or not is_unicast(host):
            return flow
        return self.flow("udp", host, via.port or SIP_PORT, (flow.local_host, flow.local_port)) or flow

    def forward_reply(self, response: Response) -> bool:
        """Send a stray reply on by its Via."""
        if not forward_reply(response, self.is_own_via, self.flow, to_maddr=self._reply_to_via):
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

    def add_commands(self, commands: Iterable[Command]) -> None:
        """Take management commands; raises ModuleError for a name that is there already."""
        for command in commands:
            if not self.commands.add(command):
                raise ModuleError(f"{command.group}: there is a management command {command.name} already")

    def check_forced_sockets(self, loaded: Loaded) -> None:
        """Raises ScriptError where a script forces a socket that there is not."""
        unknown = unknown_sockets(loaded.script, lambda wanted: self.sockets.listening(wanted) is not None)
        if unknown:
            raise ScriptError(unknown)

    def hand_over(self) -> None:
        """Let the databases have what was submitted: a burst of datagrams ends, or what belongs to none."""
        for database in self.databases.values():
            database.writer.flush()

    def _close_idle_connections(self) -> None:
        self.sockets.tcp.close_overdue()
        self.runtime.loop.call_later(1.0, self._close_idle_connections)


def _servers_of(asked: str) -> list[Service]:
    """What a thread finds for `transport domain`."""
    transport, _, domain = asked.partition(" ")
    return find_services(domain, transport)
