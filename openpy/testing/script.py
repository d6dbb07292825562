"""A script under test: a whole server in virtual time, into which a test puts messages.

Rules:
1. Time passes only when the test lets it: `run_for`, and a moment (`MOMENT`) with each message that is handed in, in
   which rows are committed and replies come.
2. Two runs do exactly the same: there is no chance, no thread, and nothing of the machine's but one folder.
3. The code that runs is the server's own, from the datagram in to the datagram out.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from functools import partial
from pathlib import Path
from typing import Any, Self

from openpy.engine.loader import Loaded
from openpy.engine.mi import Node, Reply
from openpy.engine.pseudovars import PSEUDO_VARIABLES
from openpy.engine.run import Run
from openpy.engine.uritransformations import URI_TRANSFORMATIONS
from openpy.script.compiler import CompiledRoute
from openpy.script.environment import Environment
from openpy.script.syntax import (
    CoreParameter,
    ModuleParameter,
    Number,
    Position,
    RouteKind,
    String,
    TopLevel,
)
from openpy.script.transformations import TRANSFORMATIONS
from openpy.sip.message import Request, Response, parse_message
from openpy.testing.exchange import Exchange, Peer, Sent, peer_of, written
from openpy.testing.messages import Header, Headers, named, reply, request
from openpy.testing.network import Address, Network, Weather
from openpy.testing.record import LogLine, Record, RecordedLog, short
from openpy.testing.routes import Left, label, observe
from openpy.testing.server import Stream, VirtualServer
from openpy.testing.spies import Returns, Spy, listen
from openpy.testing.world import World

MOMENT = 0.05
"""Seconds that pass when a message is handed in."""

PHONE = "udp:192.0.2.1:5060"
"""Where messages come from, unless a test says otherwise."""

OVERRIDES = Position("(set by the test)", 1, 1, 1, 1)

KEEP_ALIVE = b"\0\r\n"
"""What no message consists of."""

Setting = str | int


class Script:
    """A script that was loaded, and the world around it. A context manager: at its end the server stops.

    `source` is the path of a script, or its text. `modparams` are set as if they stood at its end,
    `{"presence": {"max_expires": 60}}`, and so are core parameters, `{"debug": 4}`. `hosts` are the addresses of
    names. `folder` takes the databases and a script that is given as text; without one it is made, and removed.

    Raises ScriptError with all that is wrong in the script, OSError for the file, ModuleError, DatabaseError.
    """

    def __init__(
        self,
        source: str | Path,
        *,
        modparams: Mapping[str, Mapping[str, Setting]] | None = None,
        core: Mapping[str, Setting] | None = None,
        hosts: Mapping[str, str | Sequence[str]] | None = None,
        folder: Path | None = None,
    ) -> None:
        self.answers: dict[str, int] = {"NOTIFY": 200}
        """What peers answer by themselves: method -> status. Further ones may be put here, and these taken away."""
        self.sent: list[Sent] = []
        """All that was sent, in order."""
        self._stack = ExitStack()
        if folder is None:
            folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="openpy-")))
        self.path = _file(source, folder)
        self._world = World(0)
        self._network = Network(self._world)
        self._network.weather = Weather(delay=0.0)
        self._network.watch = self._watched
        self._record = Record(lambda: self.now)
        self._exchanges: list[Exchange] = []
        self._spies: list[tuple[Spy, Returns | None]] = []
        self._seen: set[tuple[bytes, Peer]] = set()
        self._number = 0
        self._begun = self._world.now
        self.server = VirtualServer(
            self._world, self._network, folder, RecordedLog(self._record), hosts or {}, self._streamed
        )
        try:
            self.server.load(self.path, further=_overrides(modparams or {}, core or {}))
            assert self.server.loaded is not None
            self._observe(self.server.loaded)
            self.server.gone_by = self._observe
            self.server.begin()
        except BaseException:
            self._stack.close()
            raise
        self._stack.callback(self.server.end)
        self._begun = self._world.now
        self._environment = Environment(
            pseudo_variables={
                **PSEUDO_VARIABLES,
                **{
                    spec.name: spec
                    for module in self.server.modules.values()
                    for spec in module.pseudo_variables()
                },
            },
            transformations={**TRANSFORMATIONS, **URI_TRANSFORMATIONS},
        )

    def close(self) -> None:
        """Stop the server."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Script {self.path.name}>"

    def __str__(self) -> str:
        """What happened so far, a line each: messages, log lines, routes, calls that a spy heard."""
        return str(self._record)

    # --- putting messages in --------------------------------------------------------------------------------------

    def send(
        self,
        method: str | bytes,
        uri: str = "",
        headers: Headers | None = None,
        body: bytes | str | None = None,
        *,
        source: str = PHONE,
        within: Exchange | None = None,
        **fields: Header,
    ) -> Exchange:
        """Hand in a request, made of a few words (see `testing.messages`), or any bytes; let a moment pass.

        `fields` are headers too: `Sender="sip:alice@example.com"`. With `within` it belongs to the dialog of an earlier
        request, whose last reply says where it goes. Raises RemoteError for bytes that are no message at all.
        """
        peer = peer_of(source)
        if isinstance(method, bytes):
            return self._hand_in(method, peer)
        given = {**named(headers or {}), **named(fields)}
        if within is not None:
            target, dialog = within.within(method)
            uri, given = uri or target, {**dialog, **given}
        self._number += 1
        return self._hand_in(request(method, uri, given, body, source=peer, number=self._number), peer)

    def run_for(self, seconds: float) -> list[Sent]:
        """Let time pass; what was sent meanwhile."""
        before = len(self.sent)
        self.server.advance(seconds)
        return self.sent[before:]

    @property
    def now(self) -> float:
        """Seconds since the start."""
        return self._world.now - self._begun

    def requests(self, method: str = "") -> list[Sent]:
        """The requests that were sent, of one method or of any, without retransmissions."""
        return [
            item
            for item in self.sent
            if isinstance(item.message, Request) and not item.again and method in ("", item.method)
        ]

    # --- listening to functions ---------------------------------------------------------------------------------

    def spy(self, function: str) -> Spy:
        """The calls of a script function from now on; it does what it does. Raises LookupError if no route calls it."""
        return self._listen(function, None)

    def stub(self, function: str, returns: Returns = 1) -> Spy:
        """The same, but it only returns a code, or what `returns(run, *arguments)` gives."""
        return self._listen(function, returns)

    # --- looking --------------------------------------------------------------------------------------------------

    @property
    def log(self) -> list[LogLine]:
        """The log so far; the script's parameter `debug` says how much is logged, as in a server."""
        return self._record.log

    @property
    def printed(self) -> list[str]:
        """What the script itself logged (`log`, `xlog`), and was warned of."""
        return [line.text for line in self.log if line.origin == "script"]

    def rows(self, table: str, **columns: object) -> list[dict[str, Any]]:
        """The rows of a table with these values, in the order of `id`. Raises LookupError if there is no table."""
        for file in self.server.files.values():
            with closing(sqlite3.connect(file)) as connection:
                connection.row_factory = sqlite3.Row
                names = [row["name"] for row in connection.execute(f'PRAGMA table_info("{table}")')]
                if names:
                    where = "".join(f' AND "{name}" = ?' for name in columns)
                    order = " ORDER BY id" * ("id" in names)
                    sql = f'SELECT * FROM "{table}" WHERE 1 = 1{where}{order}'
                    return [dict(row) for row in connection.execute(sql, tuple(columns.values()))]
        raise LookupError(f'no database of this script has a table "{table}"')

    def sql(self, statement: str, *values: object) -> list[dict[str, Any]]:
        """Execute a statement on the first database that the script opened, and commit; the rows that it gives."""
        (file, *_) = self.server.files.values()
        with closing(sqlite3.connect(file)) as connection, connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(statement, values)]

    def statistic(self, name: str) -> int:
        """A statistic: `core:rcv_requests`, `tm:received_replies`. Raises LookupError."""
        for group, own, value in self.server.statistics:
            if name == f"{group}:{own}":
                return value
        raise LookupError(f"there is no statistic {name}")

    def mi(self, command: str, *values: str | int) -> Reply | None:
        """Give a management command, and let a moment pass; None: it has failed. Raises LookupError."""
        found = self.server.commands.find(command)
        if found is None:
            raise LookupError(f"there is no management command {command}")
        answer = self.server.commands.run(found, [Node(value=str(value)) for value in values])
        self.run_for(MOMENT)
        assert answer.done, f"{command} has not answered"
        return answer.value

    # --- the wire -----------------------------------------------------------------------------------------------------

    def _hand_in(self, data: bytes, source: Peer) -> Exchange:
        exchange = Exchange(data, source, self._environment)
        self._exchanges.append(exchange)
        exchange.sent = self._deliver(data, source)
        return exchange

    def _deliver(self, data: bytes, source: Peer) -> list[Sent]:
        """Let a message arrive, and a moment pass; what was sent meanwhile."""
        self._arrive(data, source)
        return self.run_for(MOMENT)

    def _arrive(self, data: bytes, source: Peer) -> None:
        transport, host, port = source
        self._record.came(short(parse_message(data)), written(source))
        if transport == "tcp":
            stream = self.server.stream((host, port))
            self._world.at(0.0, partial(self.server.receive, data, stream))
        else:
            udp = next((udp for udp in self.server.sockets.udp if (":" in udp.host) == (":" in host)), None)
            assert udp is not None, f"the script does not listen on an address that {host} could reach"
            self._network.send(data, (host, port), (udp.host, udp.port))

    def _watched(self, what: str, data: bytes, source: Address, target: Address) -> None:
        if what == "sent":
            self._left(data, ("udp", *target))

    def _streamed(self, stream: Stream, data: bytes) -> None:
        self._left(data, (stream.transport, stream.host, stream.port))

    def _left(self, data: bytes, peer: Peer) -> None:
        """The server sent something: a message, or what only keeps a way open."""
        if not data.strip(KEEP_ALIVE):
            self._record.went("keep-alive", written(peer))
            return
        message = parse_message(data)
        again = (data, peer) in self._seen
        self._seen.add((data, peer))
        sent = Sent(data, peer, self.now, again, message, self._answered)
        self._record.went(short(message) + " again" * again, sent.target)
        self.sent.append(sent)
        any(exchange.takes(sent) for exchange in reversed(self._exchanges))
        status = self.answers.get(sent.method) if isinstance(message, Request) else None
        if status is not None:
            self._world.at(0.0, partial(self._answer, message, status, peer))

    def _answer(self, message: Request | Response, status: int, peer: Peer) -> None:
        """A peer answers by itself."""
        if isinstance(message, Request):
            self._arrive(reply(message, status), peer)

    def _answered(self, sent: Sent, data: bytes) -> list[Sent]:
        return self._deliver(data, sent.peer)

    # --- the compiled code ------------------------------------------------------------------------------------------

    def _listen(self, function: str, returns: Returns | None) -> Spy:
        assert self.server.loaded is not None
        program, note = self.server.loaded.program, self._record.noted
        spy = listen(program, self.server.modules, function, note, returns)
        self._spies.append((spy, returns))
        return spy

    def _observe(self, loaded: Loaded) -> None:
        """Hear of each route that is entered, and of the calls that one has listened to before a reload."""
        program = loaded.program
        observe(program, self._entered)
        for spy, returns in self._spies:
            with suppress(LookupError):  # no route calls it any more
                listen(program, loaded.modules, spy.name, self._record.noted, returns, spy)
        self.server.dispatcher.use(program, self.server.dispatcher.limits)

    def _entered(self, route: CompiledRoute, run: Run) -> Left:
        name, raw = label(route), run.message.raw
        self._record.noted(name)
        exchange = next((item for item in reversed(self._exchanges) if item.message.raw == raw), None)
        if exchange is None:
            return lambda result: None
        exchange.routes.append(name)
        exchange.run = exchange.run or run
        is_main = route.kind is RouteKind.REQUEST and route.name == "0"
        return exchange.routed if is_main else lambda result: None


def _file(source: str | Path, folder: Path) -> Path:
    """The file of a script that is given by its path, or as text."""
    if isinstance(source, str) and ("\n" in source or "{" in source):
        path = folder / "script.text"
        path.write_text(source)
        return path
    return Path(source)


def _overrides(modparams: Mapping[str, Mapping[str, Setting]], core: Mapping[str, Setting]) -> list[TopLevel]:
    """Parameters as they would stand in the script."""
    statements: list[TopLevel] = []
    for name, value in core.items():
        statements.append(CoreParameter(name, _value(value), position=OVERRIDES))
    for module, parameters in modparams.items():
        for name, value in parameters.items():
            names = String(module, position=OVERRIDES), String(name, position=OVERRIDES)
            statements.append(ModuleParameter(*names, _value(value), position=OVERRIDES))
    return statements


def _value(value: Setting) -> String | Number:
    return Number(value, position=OVERRIDES) if isinstance(value, int) else String(value, position=OVERRIDES)
