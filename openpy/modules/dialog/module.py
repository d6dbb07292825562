"""dialog: its declaration."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, cast

from openpy.db.database import Database
from openpy.db.errors import DatabaseError
from openpy.db.statements import TableSql
from openpy.db.tables import with_columns
from openpy.engine.checks import flag, identifier, positive, switch
from openpy.engine.destinations import DestinationError
from openpy.engine.mi import MiError, Reply
from openpy.engine.module import (
    ArgumentError,
    Counter,
    Index,
    Inner,
    Module,
    ModuleError,
    Param,
    mi_command,
    pseudo_variable,
)
from openpy.engine.named import avp_of, avp_written
from openpy.engine.run import Run
from openpy.engine.waiting import Wait
from openpy.modules.dialog.hanging_up import byes, read_headers
from openpy.modules.dialog.keeping import InMemory, Store
from openpy.modules.dialog.listing import add_dialog
from openpy.modules.dialog.record import Dialog, Name
from openpy.modules.dialog.rows import read
from openpy.modules.dialog.states import LIVE
from openpy.modules.dialog.tables import DialogTable
from openpy.modules.dialog.tracking import BY_TAGS, FOUND, Counts, Settings, Tracking
from openpy.modules.rr.module import Rr
from openpy.modules.tm.api import Answer, TmApi
from openpy.sip.errors import RemoteError
from openpy.sip.grammar import TOKEN

if TYPE_CHECKING:
    from openpy.engine.server import Server

LISTED = 500
"""Dialogs that are listed before messages are read again."""

DEFAULT_DB_URL = "mysql://openser:openserrw@localhost/openser"

MEMORY, AT_ONCE, DELAYED, AT_THE_END = range(4)

_COLUMN_PARAMETERS = {
    "hash_entry": "h_entry_column",
    "hash_id": "h_id_column",
    "callid": "call_id_column",
    "from_uri": "from_uri_column",
    "from_tag": "from_tag_column",
    "to_uri": "to_uri_column",
    "to_tag": "to_tag_column",
    "caller_cseq": "from_cseq_column",
    "callee_cseq": "to_cseq_column",
    "caller_route_set": "from_route_column",
    "callee_route_set": "to_route_column",
    "caller_contact": "from_contact_column",
    "callee_contact": "to_contact_column",
    "caller_sock": "from_sock_column",
    "callee_sock": "to_sock_column",
    "state": "state_column",
    "start_time": "start_time_column",
    "timeout": "timeout_column",
}
"""1.3's name of each column -> the parameter that renames it."""


def _mode(value: int) -> int:
    if value not in range(4):
        raise ArgumentError(f"db_mode is 0 to 3, not {value}")
    return value


def _match_mode(value: int) -> int:
    if not 0 <= value <= BY_TAGS:
        raise ArgumentError(f"dlg_match_mode is 0 to {BY_TAGS}, not {value}")
    return value


def _parameter(text: str) -> str:
    if not TOKEN.fullmatch(text):
        raise ArgumentError(f'"{text}" cannot be a parameter of Record-Route')
    return text


class DialogModule(Module):
    """Follows calls from their INVITE to their BYE: counts them, lists them, keeps them over a restart.

    An INVITE that has the flag `dlg_flag` when it is relayed makes a dialog; the script must record-route it, and call
    loose_route for what follows. With `db_mode` 1 a 2xx goes up when the dialog is in the database. Where that is away
    calls go on, and their rows are written when it is there again.

        modparam("dialog", "dlg_flag", 4)
        modparam("dialog", "default_timeout", 14400)
        modparam("dialog", "db_mode", 1)
        modparam("dialog", "db_url", "sqlite:///openpy.sqlite")
        route {
            if (has_totag()) { loose_route(); t_relay(); exit; }
            if (is_method("INVITE")) setflag(4);
            record_route();
            t_relay();
        }
    """

    name = "dialog"
    needs = ("tm", "rr", "database")
    works_uncalled = True

    dlg_flag = Param(int, -1, "The message flag that asks for a dialog, 0 to 31; must be set", check=flag)
    enable_stats = Param(int, 1, "Statistics are always kept", reload=True, check=switch)
    hash_size = Param(
        int,
        4096,
        "The first number of a dialog's name is below it; rounded down to a power of two",
        check=positive,
    )
    rr_param = Param(str, "did", "The parameter of Record-Route that names the dialog", check=_parameter)
    timeout_avp = Param(
        str,
        "",
        "An AVP with the seconds that the dialog lasts: of the INVITE, and of each request of the dialog when "
        "loose_route is called, from then on",
        check=avp_written,
        reload=True,
    )
    default_timeout = Param(
        int, 43200, "Seconds after which a dialog ends that had no BYE", check=positive, reload=True
    )
    dlg_extra_hdrs = Param(
        str, "", "Header lines of the BYEs of dlg_end_dlg", check=read_headers, reload=True
    )
    dlg_match_mode = Param(
        int,
        0,
        "A request is known by: 0 the name in its Route; 1 that, or else Call-ID and tags; 2 Call-ID and tags",
        check=_match_mode,
    )
    db_url = Param(str, DEFAULT_DB_URL, "URL of the database, unless `db_mode` is 0")
    db_mode = Param(
        int,
        MEMORY,
        "0: memory only; 1: rows are written at once; 2: every `db_update_period` seconds, and when the server stops; "
        "3: when it stops",
        check=_mode,
    )
    db_update_period = Param(int, 60, "Seconds between two writes (`db_mode` 2)", check=positive)
    table_name = Param(str, "dialog", "The table", check=identifier)
    call_id_column = Param(str, "callid", "The column of the Call-ID", check=identifier)
    from_uri_column = Param(str, "from_uri", "The column of the caller's URI", check=identifier)
    from_tag_column = Param(str, "from_tag", "The column of the caller's tag", check=identifier)
    to_uri_column = Param(str, "to_uri", "The column of the callee's URI", check=identifier)
    to_tag_column = Param(str, "to_tag", "The column of the callee's tag", check=identifier)
    h_id_column = Param(
        str, "hash_id", "The column of the second number of the dialog's name", check=identifier
    )
    h_entry_column = Param(str, "hash_entry", "The column of the first number of its name", check=identifier)
    state_column = Param(str, "state", "The column of the state", check=identifier)
    start_time_column = Param(
        str, "start_time", "The column of the time of the answer, Unix time", check=identifier
    )
    timeout_column = Param(
        str, "timeout", "The column of the time at which it ends, Unix time", check=identifier
    )
    to_cseq_column = Param(str, "callee_cseq", "The column of the callee's last CSeq", check=identifier)
    from_cseq_column = Param(str, "caller_cseq", "The column of the caller's last CSeq", check=identifier)
    to_route_column = Param(
        str, "callee_route_set", "The column of the routes to the callee", check=identifier
    )
    from_route_column = Param(
        str, "caller_route_set", "The column of the routes to the caller", check=identifier
    )
    to_contact_column = Param(str, "callee_contact", "The column of the callee's Contact", check=identifier)
    from_contact_column = Param(str, "caller_contact", "The column of the caller's Contact", check=identifier)
    to_sock_column = Param(
        str, "callee_sock", "The column of our socket towards the callee", check=identifier
    )
    from_sock_column = Param(
        str, "caller_sock", "The column of our socket towards the caller", check=identifier
    )

    active_dialogs = Counter(
        "Dialogs that were answered and have not ended", read=lambda dialog: dialog.tracking.active
    )
    early_dialogs = Counter("Dialogs that ring", read=lambda dialog: dialog.tracking.early)
    processed_dialogs = Counter("Dialogs begun")
    expired_dialogs = Counter("Dialogs that ended because their time was over")
    failed_dialogs = Counter("Dialogs that were never answered")

    tracking: Tracking
    _tm: TmApi
    _store: Store | None = None
    _draining = False

    # --- life -------------------------------------------------------------------------------------------------

    def requirements(self) -> tuple[str, ...]:
        """tm and rr, and a database unless memory is enough."""
        return self.needs if self.db_mode else ("tm", "rr")

    def check(self) -> None:
        """Listen to tm and rr; raises ModuleError."""
        if self.dlg_flag < 0:
            hint = 'write modparam("dialog", "dlg_flag", 4), and setflag(4) for the calls to be followed'
            raise ModuleError("dialog: no dlg flag set!!", hint)
        tm, rr = self.services.module("tm"), self.services.module("rr")
        assert tm is not None
        assert isinstance(rr, Rr)
        counts = Counts(self.processed_dialogs, self.expired_dialogs, self.failed_dialogs)
        tracking = self.tracking = Tracking(self.services, self._settings(), rr, counts)
        tracking.keeper = InMemory()
        self._tm = tm.bind()
        self._tm.listeners.append(tracking.hear)
        rr.on_routed.append(tracking.routed)
        if self.db_mode == AT_ONCE:
            self._tm.delays.append(tracking.delay)

    def _settings(self) -> Settings:
        return Settings(
            1 << self.dlg_flag,
            1 << (self.hash_size.bit_length() - 1),
            self.rr_param,
            self.dlg_match_mode,
            self.default_timeout,
            avp_of(self.timeout_avp),
        )

    async def start(self) -> None:
        """Open the table and read it; raises ModuleError."""
        if self.db_mode == MEMORY:
            return
        columns = {column: getattr(self, parameter) for column, parameter in _COLUMN_PARAMETERS.items()}
        database = self.services.database(self.db_url)
        try:
            database.open()
            table = database.use(with_columns(DialogTable, self.table_name, columns))
            if database.ready:
                self._load(database, table)
            else:
                database.when_ready(partial(self._load, database, table))
        except DatabaseError as error:
            raise ModuleError(f"dialog cannot use its database {database.url}: {error}") from error
        at_once = self.db_mode == AT_ONCE
        self._store = Store(database, table, self.services, at_once=at_once)
        self.tracking.keeper = self._store
        if self.db_mode == DELAYED:
            self.services.wheel.add(self.db_update_period, self._write)

    def _load(self, database: Database, table: TableSql) -> None:
        """Follow the dialogs that were kept; raises DatabaseError."""
        found, skipped = read(database.rows(table))
        if skipped:
            text = f"{skipped} rows of {table.name} could not be understood, and are left as they are"
            self.services.log.warning("dialog", text)
        for dialog in found:
            self.tracking.resume(dialog)

    def _write(self) -> None:
        if self._store is not None and not self._draining:
            self._store.write()
            self.services.wheel.add(self.db_update_period, self._write)

    def reconfigured(self, configured: Module) -> None:
        """Dialogs that begin from now on, or begin their time anew, last as long as it says."""
        self.tracking.settings = self._settings()

    async def drain(self) -> None:
        """Write what is only in memory."""
        self._draining = True
        if self._store is not None:
            self._store.hand_over()

    # --- pseudo-variables -------------------------------------------------------------------------------------

    @pseudo_variable("DLG_count")
    def count(self, inner: Inner, index: Index) -> Callable[[Run], int]:
        """How many dialogs there are that were answered and have not ended."""
        return lambda run: self.tracking.active

    @pseudo_variable("DLG_status")
    def status(self, inner: Inner, index: Index) -> Callable[[Run], int | None]:
        """Of the dialog that loose_route found: 2 it rings, 3 answered, 4 its ACK has come, 5 ended; else NULL."""
        return lambda run: _of_found(run, lambda dialog: int(dialog.state))

    @pseudo_variable("DLG_lifetime")
    def lifetime(self, inner: Inner, index: Index) -> Callable[[Run], int | None]:
        """How many seconds ago the dialog that loose_route found was answered; else NULL."""
        return lambda run: _of_found(run, lambda dialog: _age(dialog, run.wall))

    # --- management -------------------------------------------------------------------------------------------

    @mi_command("dlg_list")
    async def dlg_list(self) -> Reply:
        """All dialogs, with what is known of both sides."""
        reply, up_since = Reply(), int(cast("Server", self.services).up_since)
        for number, dialog in enumerate(list(self.tracking.dialogs), 1):
            add_dialog(reply, dialog, up_since)
            if number % LISTED == 0:
                turn: Wait[None] = Wait()
                self.services.soon(partial(turn.resolve, None))
                await turn
        return reply

    @mi_command("dlg_end_dlg")
    async def dlg_end_dlg(self, entry: int, number: int, headers: str = "") -> None:
        """End a dialog with a BYE to either side: both numbers of its name, and header lines for the BYEs."""
        dialogs = self.tracking.dialogs.named(Name(entry, number))
        if not dialogs:
            raise MiError(404, "Requested Dialog not found")
        try:
            lines = self.dlg_extra_hdrs + read_headers(headers)
        except ArgumentError as error:
            raise MiError(400, "Bad parameter") from error
        ended = [await self._end(dialog, lines) for dialog in list(dialogs) if dialog.state in LIVE]
        if not ended or not all(ended):
            raise MiError(500, "Operation failed")

    async def _end(self, dialog: Dialog, headers: str) -> bool:
        """Send both BYEs; whether both could be sent. What they are answered does not matter."""
        listening = cast("Server", self.services).sockets.listening
        try:
            waits = [self._tm.request(request) for request in byes(dialog, headers, listening)]
        except (RemoteError, DestinationError):
            return False
        sent = [await _is_sent(wait) for wait in waits]
        if any(sent):
            self.tracking.end(dialog)
        return all(sent)


async def _is_sent(wait: Wait[Answer]) -> bool:
    """Whether a request is under way, or was answered already."""
    try:
        if wait.done:
            await wait
    except DestinationError:
        return False
    return True


def _age(dialog: Dialog, now: float) -> int | None:
    return max(0, int(now) - dialog.started) if dialog.started else None


def _of_found(run: Run, value: Callable[[Dialog], int | None]) -> int | None:
    dialog = run.state.notes.get(FOUND)
    return None if dialog is None else value(dialog)
