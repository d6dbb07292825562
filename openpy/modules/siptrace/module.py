"""siptrace: its declaration."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

from openpy.db.errors import DatabaseError
from openpy.engine.checks import flag, identifier, one_line, switch
from openpy.engine.destinations import DestinationError, destination_of
from openpy.engine.mi import MiError
from openpy.engine.module import (
    ArgumentError,
    Counter,
    Effect,
    Module,
    ModuleError,
    Param,
    RouteKind,
    mi_command,
    script_function,
)
from openpy.engine.named import NamedAvp, avp_of, avp_written
from openpy.engine.run import Run
from openpy.engine.wiretaps import Wiretap
from openpy.modules.siptrace.captured import Captured
from openpy.modules.siptrace.copies import Copies
from openpy.modules.siptrace.outbox import CAPACITY, Outbox, Take
from openpy.modules.siptrace.rows import Rows
from openpy.modules.siptrace.tables import COLUMNS
from openpy.modules.siptrace.tracing import Counts, Tracing
from openpy.modules.tm.api import Happening, Outcome, TmApi
from openpy.sip.errors import RemoteError
from openpy.transaction.flow import Flow

if TYPE_CHECKING:
    from openpy.engine.server import Server

ASKED = "siptrace asked"
"""What is noted with a message: that it was looked whether it is traced."""

ROUTES = frozenset({RouteKind.REQUEST, RouteKind.FAILURE, RouteKind.ONREPLY, RouteKind.BRANCH})
DEFAULT_DB_URL = "mysql://openser:openserrw@localhost/openser"
TABLE_NAME = re.compile(r"[A-Za-z0-9_]{1,64}")


def _uri(text: str) -> str:
    try:
        destination_of(text)
    except DestinationError:
        raise ArgumentError(f'"{text}" is no URI that copies could be sent to: write sip:host') from None
    return text


class Siptrace(Module):
    """Keeps the messages of requests that the script chooses: in a table, and as copies for somebody who watches.

    `sip_trace()` begins to trace a request that has the flag `trace_flag`, or for which an AVP names users. From then
    on all that comes and goes for it is kept: each branch, the replies, its CANCEL and its ACK, and what the server
    itself sends. No call waits for that: rows and copies follow in parts, and where they cannot keep up messages are
    left out and counted.

        modparam("siptrace", "db_url", "sqlite:///openpy.sqlite")
        modparam("siptrace", "trace_flag", 22)
        modparam("siptrace", "trace_on", 1)
        route {
            if (from_uri =~ "^sip:alice@") setflag(22);
            sip_trace();
            t_relay();
        }
    """

    name = "siptrace"
    needs = ("database",)

    db_url = Param(str, DEFAULT_DB_URL, 'URL of the database; "": no rows are written')
    table = Param(str, "sip_trace", "The table", check=identifier)
    date_column = Param(str, "date", "The column of the time, in the server's time zone", check=identifier)
    callid_column = Param(str, "callid", "The column of the Call-ID", check=identifier)
    traced_user_column = Param(
        str, "traced_user", "The column of the user for whom it is traced", check=identifier
    )
    msg_column = Param(str, "msg", "The column of the message", check=identifier)
    method_column = Param(
        str, "method", "The column of the method; of a reply, that of its CSeq", check=identifier
    )
    status_column = Param(
        str, "status", "The column of the status; of a request it is empty", check=identifier
    )
    fromip_column = Param(
        str, "fromip", "The column of the address that it came from: udp:192.0.2.1:5060", check=identifier
    )
    toip_column = Param(str, "toip", "The column of the address that it went to", check=identifier)
    fromtag_column = Param(str, "fromtag", "The column of the From tag", check=identifier)
    direction_column = Param(
        str, "direction", "The column that says whether it came (in) or went (out)", check=identifier
    )
    trace_flag = Param(int, -1, "The message flag that asks for tracing", check=flag, reload=True)
    trace_on = Param(
        int, 0, "1: tracing is on from the start; the command sip_trace turns it on and off", check=switch
    )
    traced_user_avp = Param(
        str,
        "",
        "An AVP that names the users for whom a request is traced, a row each",
        check=avp_written,
        reload=True,
    )
    trace_table_avp = Param(
        str, "", "An AVP that names another table of the same layout", check=avp_written, reload=True
    )
    duplicate_uri = Param(str, "", "A URI that gets a copy of each traced message", check=_uri)
    trace_local_ip = Param(str, "", "What stands for the server's own address in rows", check=one_line)

    traced_requests = Counter("Requests traced, those that came and those that went")
    traced_replies = Counter("Replies traced, those that came and those that went")
    dropped_messages = Counter("Messages that could not be kept or copied")

    _rows: Rows | None = None
    _copies: Copies | None = None
    _outboxes: tuple[Outbox, ...] = ()
    _tracing: Tracing

    # --- life -------------------------------------------------------------------------------------------------

    def requirements(self) -> tuple[str, ...]:
        """A database, unless only copies are sent."""
        return self.needs if self.db_url else ()

    def check(self) -> None:
        """Listen to tm, where there is one; raises ModuleError."""
        if not self.db_url and not self.duplicate_uri:
            raise ModuleError(
                "siptrace: there is neither a database nor a duplicate_uri",
                'write modparam("siptrace", "db_url", ...)',
            )
        counts = Counts(self.traced_requests, self.traced_replies, self.dropped_messages)
        self._tracing = Tracing(self.services, counts, self._keep, local=self.trace_local_ip)
        self._tracing.is_on = bool(self.trace_on)
        self.reconfigured(self)
        tm = self.services.module("tm")
        if tm is not None:
            api: TmApi = tm.bind()
            api.listeners.append(self._hear)

    def reconfigured(self, configured: Module) -> None:
        """Read the parameters that name AVPs."""
        self._user_avp = avp_of(self.traced_user_avp)
        self._table_avp = avp_of(self.trace_table_avp)

    def wiretap(self) -> Wiretap:
        """It hears everything."""
        return self

    async def start(self) -> None:
        """Open the database; raises ModuleError."""
        if self.duplicate_uri:
            self._copies = Copies(cast("Server", self.services), self.duplicate_uri, self.dropped_messages)
            self._outboxes += (self._outbox(self.duplicate_uri, self._copies.take),)
        if self.db_url:
            self._rows = self._open()
            self._outboxes += (self._outbox("the database", self._rows.take),)

    def _outbox(self, name: str, take: Take) -> Outbox:
        return Outbox(name, take, self.services, self.dropped_messages)

    def _open(self) -> Rows:
        columns = {column: str(getattr(self, f"{column}_column")) for column in COLUMNS}
        database = self.services.database(self.db_url)
        try:
            database.open()
            return Rows(database, self.table, columns, self.services.log, self.dropped_messages)
        except DatabaseError as error:
            raise ModuleError(f"siptrace cannot use its database {database.url}: {error}") from error

    async def drain(self) -> None:
        """Hand over what waits."""
        if self._rows is not None:
            self._rows.most_under_way = CAPACITY
        for outbox in self._outboxes:
            outbox.hand_over()

    # --- messages ---------------------------------------------------------------------------------------------

    def came(self, data: bytes, flow: Flow) -> None:
        """A message came."""
        self._tracing.came(data, flow)

    def went(self, data: bytes, flow: Flow) -> None:
        """A message is about to be sent; a copy of ours is none."""
        if self._copies is None or not self._copies.is_sending:
            self._tracing.went(data, flow)

    def _keep(self, captured: Captured) -> None:
        for outbox in self._outboxes:
            outbox.put(captured)

    def _hear(self, what: Happening, run: Run, outcome: Outcome) -> None:
        """A transaction begins: one that has the flag is traced, also where the script does not say so."""
        if what is Happening.BEGUN and ASKED not in run.state.notes:
            self._trace(run)

    @script_function(routes=ROUTES, effect=Effect.NONE)
    def sip_trace(self, run: Run) -> int:
        """Trace the request; -1 where tracing is off, and where neither the flag is set nor an AVP names a user."""
        return 1 if self._trace(run) else -1

    def _trace(self, run: Run) -> bool:
        if not self._tracing.is_on:
            return False
        is_flagged = self.trace_flag >= 0 and bool(run.flags >> self.trace_flag & 1)
        users = [*([""] if is_flagged else []), *_values(run, self._user_avp)]
        if not users:
            return False
        run.state.notes[ASKED] = True
        tables = _values(run, self._table_avp)
        table = tables[0] if tables and TABLE_NAME.fullmatch(tables[0]) else ""
        try:
            self._tracing.begin(run.message, run.flow, tuple(dict.fromkeys(users)), table)
        except RemoteError:
            return False
        return True

    # --- management -------------------------------------------------------------------------------------------

    @mi_command("sip_trace")
    def turn(self, state: str) -> None:
        """Turn tracing on or off: `on` or `off`."""
        if state.lower() not in ("on", "off"):
            raise MiError(400, "Bad parameter")
        self._tracing.is_on = state.lower() == "on"


def _values(run: Run, avp: NamedAvp | None) -> list[str]:
    return [] if avp is None else [str(value) for value in avp.values(run) if value not in (None, "")]
