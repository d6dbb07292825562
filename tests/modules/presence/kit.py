"""Whole dialogues with the presence module in virtual time: a house for one server, without sockets or disk.

The transaction layer, the timer wheel and the module are the real ones. The database is a table in memory
that commits when it is told to (`house.writer.hold = True`), or at once.
"""

from __future__ import annotations

import contextlib
import random
import sqlite3
from collections.abc import Callable, Hashable, Iterator, Sequence
from itertools import count
from types import SimpleNamespace
from typing import Any, cast

from openpy.db.database import Database
from openpy.db.errors import DatabaseError, RowGone, Unavailable
from openpy.db.statements import Delete, GuardedUpdate, Operation, TableSql, Update, Upsert
from openpy.db.tables import Table, columns_of, name_of, named
from openpy.engine.log import Log
from openpy.engine.mi import Commands, Node
from openpy.engine.module import Module
from openpy.engine.programs import Ended, Program
from openpy.engine.run import Overloaded, Run
from openpy.engine.services import ANYBODY, Callee
from openpy.engine.sizeswitch import SizeSwitch
from openpy.engine.statistics import Statistics
from openpy.engine.waiting import Stepper, Wait
from openpy.modules.presence.agent import PresenceAgent
from openpy.modules.presence.module import Presence
from openpy.modules.presence_xml.module import PresenceXml
from openpy.modules.presence_xml.tables import Xcap
from openpy.modules.sqlite.dialect import DIALECT
from openpy.sip.build import reply
from openpy.sip.errors import LocalError
from openpy.sip.message import Request, Response, parse_message
from openpy.transaction.flow import Flow
from openpy.transaction.layer import Layer
from openpy.transaction.server import ServerTransaction
from openpy.transaction.timers import TimerValues
from openpy.transaction.wheel import Wheel

ALICE = "sip:alice@example.org"
PIDF = "application/pidf+xml"
START = 1_700_000_000.0
US = ("192.0.2.1", 5060)
WATCHER = ("192.0.2.7", 5070)


def presence(basic: str = "open", id_: str = "desk", more: str = "", entity: str = ALICE) -> bytes:
    """A presence document with one tuple, and `more` behind it."""
    return (
        f'<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="{entity}"><tuple id="{id_}"><status>'
        f"<basic>{basic}</basic></status></tuple>{more}</presence>"
    ).encode()


RULES = {"db_url": "sqlite:///memory", "integrated_xcap_server": 1}
"""Parameters of presence_xml with rules."""


def ruleset(*rules: str) -> bytes:
    """A rules document. A rule is `watcher handling transformations`; the watcher * is everybody."""
    made = []
    for number, rule in enumerate(rules):
        watcher, handling, *more = rule.split(" ", 2)
        who = "<many/>" if watcher == "*" else f'<one id="{watcher}"/>'
        made.append(
            f'<rule id="r{number}"><conditions><identity>{who}</identity></conditions>'
            f"<actions><p:sub-handling>{handling}</p:sub-handling></actions>"
            f"<transformations>{' '.join(more)}</transformations></rule>"
        )
    return (
        '<ruleset xmlns="urn:ietf:params:xml:ns:common-policy" xmlns:p="urn:ietf:params:xml:ns:pres-rules">'
        f"{''.join(made)}</ruleset>"
    ).encode()


_HOUSES = count(1)
_REQUESTS = count(1)


class Clock:
    """Both clocks, moved by hand."""

    def __init__(self) -> None:
        self.time = 0.0

    def monotonic(self) -> float:
        return self.time

    def wall(self) -> float:
        return START + self.time


class Wire:
    """A flow that keeps what is sent."""

    def __init__(self, house: House, transport: str, host: str, port: int) -> None:
        self.house = house
        self.transport = transport
        self.reliable = transport != "udp"
        self.host, self.port = host, port
        self.local_host, self.local_port = house.us

    def send(self, data: bytes) -> None:
        self.house.sent(self, data)


class Writer:
    """The group-commit writer's contract, with the rows in memory."""

    def __init__(self, database: Memory) -> None:
        self.database = database
        self.queue: list[tuple[Hashable, Sequence[Operation], Callable[[DatabaseError | None], None]]] = []
        self.hold = False
        self.full = False
        self.failing: DatabaseError | None = None
        self.writes_anyway = False  # what fails was written all the same
        self.unforgiven: dict[Hashable, DatabaseError] = {}
        self.commits = 0
        self._busy = False

    def submit(
        self, key: Hashable, operations: Sequence[Operation], done: Callable[[DatabaseError | None], None]
    ) -> None:
        if self.full:
            raise Unavailable("the database queue is full")
        self.queue.append((key, operations, done))

    def flush(self) -> None:
        if not self.hold:
            self.commit()

    def forgive(self, key: Hashable) -> None:
        self.unforgiven.pop(key, None)

    def commit(self, most: int = 1_000_000) -> None:
        """Commit what is queued, or refuse it if the database is failing."""
        if self._busy:
            return
        self._busy = True
        try:
            while self.queue and most > 0:
                most -= 1
                key, operations, done = self.queue.pop(0)
                error = self.unforgiven.get(key) or self.failing or self.database.missing(operations)
                if error is not None:
                    self.unforgiven[key] = error
                    if self.failing is not None and self.writes_anyway:
                        self.database.write(operations)
                else:
                    self.commits += 1
                    self.database.write(operations)
                done(error)
        finally:
            self._busy = False


class Memory:
    """A database in memory."""

    url = "sqlite:///memory"
    dialect = DIALECT

    def __init__(self) -> None:
        self.tables: dict[str, TableSql] = {}
        self.kept: dict[TableSql, dict[int, tuple[Any, ...]]] = {}
        self.ids: dict[TableSql, Iterator[int]] = {}
        self.writer = Writer(self)
        self.reader = SimpleNamespace(query=self.query)
        self.widths: dict[str, int] = {}
        self.ready = True
        self.waiting: list[Callable[[], None]] = []
        self.unreadable: DatabaseError | None = None
        self.slow: list[Callable[[], None]] | None = None  # the answers to queries, where they are held back

    def when_ready(self, callback: Callable[[], None]) -> None:
        self.waiting.append(callback)

    def come(self) -> None:
        """The server that was away is there."""
        self.ready = True
        while self.waiting:
            self.waiting[0]()
            self.waiting.pop(0)

    def open(self) -> None:
        self.writer.queue.clear()

    def use(self, table: type[Table], name: str = "") -> TableSql:
        table = named(table, name)
        found = self.tables.get(name_of(table))
        if found is None:
            widths = {**columns_of(table), **self.widths}
            found = TableSql(DIALECT, name_of(table), list(columns_of(table)), widths)
            self.tables[name_of(table)] = found
            self.kept[found] = {}
            self.ids[found] = count(1)
        return found

    def next_id(self, table: TableSql) -> int:
        return next(self.ids[table])

    def skip_id(self, table: TableSql, id_: int) -> None:
        self.ids[table] = count(max(next(self.ids[table]), id_ + 1))

    def rows(self, table: TableSql) -> Iterator[tuple[Any, ...]]:
        for id_, values in self.kept[table].items():
            yield id_, *values

    def missing(self, operations: Sequence[Operation]) -> DatabaseError | None:
        for operation in operations:
            if isinstance(operation, Update) and not self._has(operation):
                return RowGone("no such row")
        return None

    def _has(self, update: Update) -> bool:
        table = update.sql.table
        row = self.kept[table].get(update.id)
        if row is None or not isinstance(update.sql, GuardedUpdate):
            return row is not None
        return bool(row[table.columns.index(update.sql.guard)] == update.values[-1])

    def write(self, operations: Sequence[Operation]) -> None:
        for operation in operations:
            if isinstance(operation, Upsert):
                self.kept[operation.table][operation.id] = operation.values
            elif isinstance(operation, Delete):
                self.kept[operation.table].pop(operation.id, None)
            else:
                row = list(self.kept[operation.sql.table][operation.id])
                for place, source in operation.sql.in_full_row:
                    row[place] = operation.values[source]
                self.kept[operation.sql.table][operation.id] = tuple(row)

    def query(self, sql: str, parameters: Sequence[Any], done: Callable[..., None]) -> None:
        """Any query about one table."""
        if self.unreadable is not None:
            done([], self.unreadable)
            return
        table = self.tables[sql.partition(" FROM ")[2].split('"')[1]]
        columns = ("id", *table.columns)
        with contextlib.closing(sqlite3.connect(":memory:")) as connection:
            connection.execute(f'CREATE TABLE "{table.name}" ({", ".join(columns)})')
            insert = f'INSERT INTO "{table.name}" VALUES ({", ".join("?" * len(columns))})'
            connection.executemany(insert, self.rows(table))
            rows = connection.execute(sql, parameters).fetchall()
        if self.slow is None:
            done(rows, None)
        else:
            self.slow.append(lambda: done(rows, None))

    def share(self) -> None:
        """The ids are in one memory already."""

    def document(self, body: bytes | None, kind: int = 2, user: str = "alice") -> None:
        """An XCAP server writes a document of a user, or removes it."""
        rows = self.kept[self.use(Xcap)]
        id_ = kind * 1000 + len(user)
        rows.pop(id_, None)
        if body is not None:
            rows[id_] = (user, "example.org", body, kind, "etag", 0, "index", 0)

    def named(self, table: str) -> list[dict[str, Any]]:
        """The rows of a table by column name."""
        sql = self.tables[table]
        return [dict(zip(("id", *sql.columns), row, strict=True)) for row in self.rows(sql)]


class Exchange:
    """A request that was sent, its final reply if there is one, and what the script function returned."""

    def __init__(self, data: bytes) -> None:
        message = parse_message(data)
        assert isinstance(message, Request)
        self.data = data
        self.request = message
        self.replies: list[Response] = []
        self.code: int | None = None

    @property
    def reply(self) -> Response:
        assert len(self.replies) == 1, f"{len(self.replies)} replies to {self.request}"
        return self.replies[0]

    @property
    def status(self) -> int:
        return self.reply.status

    def __getitem__(self, name: str) -> str:
        value = self.reply.get(name)
        assert value is not None, f"no {name} in {self.reply.head}"
        return value


class FakeRun:
    """One run of the main route, as far as the handlers use it."""

    def __init__(self, house: House, request: Request, flow: Flow) -> None:
        self.house = house
        self.request = request
        self.flow = flow
        self.uri = house.rewritten or request.uri
        self.transaction: ServerTransaction | None = None

    def begin_transaction(self) -> ServerTransaction:
        if self.transaction is None:
            try:
                self.transaction = self.house.transactions.create_server(self.request, self.flow)
            except LocalError as error:
                raise Overloaded from error
        return self.transaction

    def reply(
        self, status: int, reason: str, headers: str = "", *, to_tag: str = "", record_route: bool = False
    ) -> bool:
        data = reply(
            self.request,
            status,
            reason,
            to_tag=to_tag or "stateless",
            headers=headers,
            record_route=record_route,
        )
        if self.transaction is None:
            self.flow.send(data)
        else:
            self.transaction.reply(status, data)
        return True

    def reply_stateless(self, status: int, reason: str, headers: str = "") -> bool:
        self.flow.send(reply(self.request, status, reason, to_tag="stateless", headers=headers))
        return True


class House:
    """One server with presence and presence_xml; implements Services."""

    def __init__(
        self,
        database: Memory | None = None,
        *,
        clock: Clock | None = None,
        further: tuple[type[Module], dict[str, Any]] | None = None,
        us: tuple[str, int] = US,
        xml: dict[str, Any] | None = None,
        **parameters: Any,
    ) -> None:
        """`further` is one more module that registers an event, with its parameters; `xml` those of presence_xml."""
        self.us = us
        self.rewritten = ""  # what the script makes of every Request-URI
        self.memory = database or Memory()
        self.writer = self.memory.writer
        self.clock: Any = clock or Clock()
        self.wheel = Wheel(self.clock.monotonic())
        self.random = random.Random(7)
        self._tokens = random.Random(f"house {next(_HOUSES)}")
        self.transactions = Layer(self.wheel, TimerValues(), self.token)
        self.logged: list[str] = []
        self.log = Log(9, lambda level, line: self.logged.append(line))
        self.statistics = Statistics()
        self.avp_aliases: dict[str, str | int] = {}
        self.size_switch = SizeSwitch(self.clock.monotonic)
        self.size_switch.limit = 1300
        self.allow_exec = False
        self.commands = Commands(self.log, lambda error: self.logged.append(repr(error)))
        self.wire: list[tuple[Wire, bytes]] = []
        self.exchanges: list[Exchange] = []
        self.notifies: list[Request] = []
        self.ways: list[Wire] = []
        self.answer: int | None = 200
        self.answer_headers = ""
        self.connections: set[tuple[str, int]] = set()
        self.listening: set[tuple[str, int]] = set()
        self.names: dict[str, tuple[str, ...]] = {}
        self.laters: list[Callable[[], None]] = []
        self._unanswered: list[tuple[Wire, Request]] = []
        self.modules: dict[str, Module] = {}
        self.presence = Presence(self)
        self.modules["presence"] = self.presence
        for name, value in {"db_url": "sqlite:///memory", **parameters}.items():
            Presence.parameters()[name].set(self.presence, value)
        self.xml = module = PresenceXml(self)
        for name, value in ({"force_active": 1} if xml is None else {**RULES, **xml}).items():
            PresenceXml.parameters()[name].set(module, value)
        self.presence.check()
        module.check()
        self.further: Module | None = None
        if further is not None:
            declaration, values = further
            self.further = other = declaration(self)
            for name, value in values.items():
                declaration.parameters()[name].set(other, value)
            other.check()
        for started in (self.presence, self.xml):
            with contextlib.suppress(StopIteration):
                started.start().send(None)
        self.turn()

    @property
    def agent(self) -> PresenceAgent:
        return self.presence.agent

    # --- services -----------------------------------------------------------------------------------------------

    def token(self) -> str:
        return f"{self._tokens.getrandbits(64):016x}"

    def module(self, name: str) -> Module | None:
        return self.modules.get(name)

    def database(self, url: str) -> Database:
        return cast(Database, self.memory)

    def flow(
        self,
        transport: str,
        host: str,
        port: int,
        local: tuple[str, int] | None = None,
        callee: Callee = ANYBODY,
    ) -> Flow | None:
        if transport != "udp" and (host, port) not in self.connections:
            return None
        for way in self.ways:
            if (way.transport, way.host, way.port) == (transport, host, port):
                return way
        way = Wire(self, transport, host, port)
        self.ways.append(way)
        return way

    def connect(self, transport: str, host: str, port: int, callee: Callee = ANYBODY) -> Wait[Flow | None]:
        wait: Wait[Flow | None] = Wait()
        if (host, port) in self.listening:
            self.connections.add((host, port))
            wait.resolve(self.flow(transport, host, port))
        else:
            self.wheel.add(2.0, lambda: wait.resolve(None))
        return wait

    def resolve(self, host: str) -> Wait[tuple[str, ...]]:
        wait: Wait[tuple[str, ...]] = Wait()
        bare = host.strip("[]")
        wait.resolve(self.names.get(bare, () if bare.islower() and bare[-1].isalpha() else (bare,)))
        return wait

    def is_myself(self, host: str, port: int) -> bool:
        return (host, port) == self.us

    def advertised(self, flow: Flow) -> tuple[str, int]:
        return flow.local_host, flow.local_port

    def watch(self, descriptor: int, readable: Callable[[], None]) -> Callable[[], None]:
        raise AssertionError("nothing here reads a descriptor")

    def run_program(self, program: Program) -> Wait[Ended]:
        raise AssertionError("nothing here runs a program")

    def run_blocking(self, function: Callable[..., Any], *arguments: Any) -> Wait[Any]:
        wait: Wait[Any] = Wait()
        try:
            wait.resolve(function(*arguments))
        except DatabaseError as error:
            wait.fail(error)
        return wait

    def soon(self, callback: Callable[[], None]) -> None:
        self.laters.append(callback)

    # --- the wire ---------------------------------------------------------------------------------------------------

    def sent(self, way: Wire, data: bytes) -> None:
        self.wire.append((way, data))
        message = parse_message(data)
        if isinstance(message, Response):
            for exchange in self.exchanges:
                if exchange.request.via.branch == message.via.branch:
                    exchange.replies.append(message)
        else:
            self.notifies.append(message)
            self._unanswered.append((way, message))

    def send(
        self,
        method: str,
        uri: str = ALICE,
        *headers: str,
        body: bytes = b"",
        call_id: str = "",
        cseq: int = 1,
        to_tag: str = "",
        source: tuple[str, int] = WATCHER,
        transport: str = "udp",
        sender: str | None = None,
        from_: str = "<sip:bob@example.org>;tag=b1",
        to: str = "",
    ) -> Exchange:
        """Send a request and let everything happen that it leads to."""
        number = next(_REQUESTS)
        tag = f";tag={to_tag}" if to_tag else ""
        lines = [
            f"{method} {uri} SIP/2.0",
            f"Via: SIP/2.0/{transport.upper()} {source[0]}:{source[1]};branch=z9hG4bKc{number}",
            "Max-Forwards: 70",
            f"From: {from_}",
            f"To: {to or f'<{uri}>'}{tag}",
            f"Call-ID: {call_id or f'call-{number}@example.org'}",
            f"CSeq: {cseq} {method}",
            *headers,
            f"Content-Length: {len(body)}",
        ]
        head = "\r\n".join(lines).encode("utf-8", "surrogateescape")
        exchange = Exchange(head + b"\r\n\r\n" + body)
        self.exchanges.append(exchange)
        self.receive(exchange, Wire(self, transport, *source), sender)
        return exchange

    def receive(self, exchange: Exchange, way: Wire, sender: str | None = None) -> None:
        """A request arrives (again)."""
        self.wheel.now = self.clock.monotonic()
        exchange.request.source = (way.host, way.port)
        if self.transactions.receive_request(exchange.request, way) is None:
            run = cast(Run, FakeRun(self, exchange.request, way))
            if exchange.request.method == "PUBLISH":
                work = self.presence.handle_publish(run, None if sender is None else lambda _: sender)
            else:
                work = self.presence.handle_subscribe(run)

            def finished(code: Any, error: BaseException | None) -> None:
                if error is not None:
                    raise error
                exchange.code = code

            Stepper(work, finished).step()
        self.turn()

    def publish(
        self,
        body: bytes | None = b"",
        *headers: str,
        etag: str | None = None,
        expires: int | str | None = 600,
        event: str | None = "presence",
        content_type: str | None = PIDF,
        **more: Any,
    ) -> Exchange:
        """PUBLISH; a body of b"" stands for a plain presence document, None for no body."""
        lines = list(headers)
        if event is not None:
            lines.append(f"Event: {event}")
        if expires is not None:
            lines.append(f"Expires: {expires}")
        if etag is not None:
            lines.append(f"SIP-If-Match: {etag}")
        if body is not None and content_type is not None:
            lines.append(f"Content-Type: {content_type}")
        data = b"" if body is None else body or presence()
        return self.send("PUBLISH", more.pop("uri", ALICE), *lines, body=data, **more)

    def subscribe(
        self,
        *headers: str,
        expires: int | str | None = 600,
        event: str | None = "presence",
        contact: str | None = f"<sip:bob@{WATCHER[0]}:{WATCHER[1]}>",
        **more: Any,
    ) -> Exchange:
        """SUBSCRIBE."""
        lines = list(headers)
        if event is not None:
            lines.append(f"Event: {event}")
        if expires is not None:
            lines.append(f"Expires: {expires}")
        if contact is not None:
            lines.append(f"Contact: {contact}")
        return self.send("SUBSCRIBE", more.pop("uri", ALICE), *lines, **more)

    def resubscribe(self, first: Exchange, *headers: str, cseq: int = 2, **more: Any) -> Exchange:
        """SUBSCRIBE in the dialog that `first` made."""
        more.setdefault("call_id", first.request.call_id)
        more.setdefault("to_tag", first.reply.to.tag)
        return self.subscribe(*headers, cseq=cseq, **more)

    # --- rules and commands -------------------------------------------------------------------------------------

    def refresh(self, refresh_type: int | str = 0, uri: str = ALICE, event: str = "presence") -> Any:
        """The command refreshWatchers: its reply, None if it has failed."""
        command = next(self.presence.commands())
        answer = self.commands.run(command, [Node("", text) for text in (uri, event, str(refresh_type))])
        self.turn()
        while not answer.done:
            self.wait(0.1)
        return answer.value

    # --- time -------------------------------------------------------------------------------------------------------

    def turn(self) -> None:
        """Commit, answer NOTIFYs and run what was put off, until nothing more happens."""
        while True:
            self.writer.flush()
            if self._unanswered and self.answer is not None:
                self.answer_one(self.answer)
            elif self.laters:
                self.laters.pop(0)()
            elif not self.writer.queue or self.writer.hold:
                return

    def answer_one(self, status: int) -> None:
        """The watcher answers its oldest NOTIFY."""
        way, notify = self._unanswered.pop(0)
        data = reply(notify, status, "Whatever", headers=self.answer_headers)
        if not self.transactions.absorb_ok(data, way.host, way.port):
            message = parse_message(data)
            assert isinstance(message, Response)
            self.transactions.receive_reply(message, way)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        until = self.clock.time + seconds
        while self.clock.time < until - 1e-9:
            self.clock.time = min(self.clock.time + 0.1, until)
            self.wheel.advance(self.clock.time)
            self.turn()

    def restart(self, **parameters: Any) -> House:
        """What a new server finds after this one was killed."""
        self.memory.writer = Writer(self.memory)
        return House(self.memory, clock=self.clock, **parameters)

    # --- what was told ----------------------------------------------------------------------------------------------

    def take(self) -> list[Request]:
        """The NOTIFYs since the last call."""
        found, self.notifies = self.notifies, []
        return found

    def take_one(self) -> Request:
        """The one NOTIFY since the last call."""
        found = self.take()
        assert len(found) == 1, f"{len(found)} NOTIFYs"
        return found[0]
