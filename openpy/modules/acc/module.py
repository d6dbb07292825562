"""acc: its declaration."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Any

from openpy.db.errors import DatabaseError
from openpy.engine.checks import flag, identifier, switch, within
from openpy.engine.log import NOTICE
from openpy.engine.module import (
    ArgumentError,
    Effect,
    Environment,
    Function,
    Module,
    ModuleError,
    Param,
    RouteKind,
    script_function,
)
from openpy.engine.run import Run
from openpy.modules.acc.accounting import Accounting, Flags, Sink, Switches
from openpy.modules.acc.extras import (
    MOST_EXTRAS,
    Extra,
    Leg,
    read_extras,
    read_legs,
    read_pairs,
    sets_of,
    values_of,
)
from openpy.modules.acc.records import Comment, Record, line, read_comment
from openpy.modules.acc.rows import Rows
from openpy.modules.rr.module import Rr
from openpy.modules.tm.api import TmApi
from openpy.sip.errors import RemoteError

ROUTES = frozenset({RouteKind.REQUEST, RouteKind.FAILURE})


def _are_extras(text: str) -> str:
    read_pairs(text, MOST_EXTRAS)
    return text


def _are_legs(text: str) -> str:
    read_legs(text)
    return text


@dataclass(frozen=True, slots=True)
class CommentKind:
    """`[code ]reason`."""

    description: str = "a comment such as 404 or 404 user unknown"

    def convert(self, text: str, environment: Any) -> Comment:
        """Convert; raises ArgumentError."""
        return read_comment(text)


@dataclass(frozen=True, slots=True)
class TableKind:
    """A table; each that the script names is added to `named`."""

    named: dict[str, None]
    description: str = "a table"

    def convert(self, text: str, environment: Any) -> str:
        """Convert; raises ArgumentError."""
        if not text.strip():
            raise ArgumentError("the name of the table is empty")
        self.named[text] = None
        return text


class Acc(Module):
    """Accounts requests, to the log and to a database.

    A message flag asks for it; the record is made when the reply goes up, or when the call has failed. A row
    follows its message: nothing waits for the database, and what that refuses is written to the log.

        modparam("acc", "log_flag", 1)
        modparam("acc", "db_flag", 1)
        modparam("acc", "db_missed_flag", 2)
        modparam("acc", "db_url", "mysql://openser:openserrw@localhost/openser")
        route {
            if (is_method("INVITE")) { setflag(1); setflag(2); }
            if (is_method("BYE")) setflag(1);
            t_relay();
        }
    """

    name = "acc"
    needs = ("tm",)

    log_flag = Param(int, -1, "The flag that asks for a line of the log", check=flag)
    log_missed_flag = Param(int, -1, "The flag that asks for a line of a missed call", check=flag)
    log_level = Param(int, NOTICE, "The level of the lines", check=within(-3, 4))
    log_extra = Param(
        str, "", "Adds values to the lines: `name=$pseudo-variable;...`, 64 at most", check=_are_extras
    )
    db_flag = Param(int, -1, "The flag that asks for a row", check=flag)
    db_missed_flag = Param(int, -1, "The flag that asks for a row of a missed call", check=flag)
    db_url = Param(str, "", "URL of the database; unset: no rows are written")
    db_table_acc = Param(str, "acc", "The table of answered requests", check=identifier)
    db_table_missed_calls = Param(str, "missed_calls", "The table of missed calls", check=identifier)
    db_extra = Param(
        str, "", "Adds columns to the rows: `column=$pseudo-variable;...`, 64 at most", check=_are_extras
    )
    acc_method_column = Param(str, "method", "The column of the method", check=identifier)
    acc_from_tag_column = Param(str, "from_tag", "The column of the From tag", check=identifier)
    acc_to_tag_column = Param(str, "to_tag", "The column of the To tag", check=identifier)
    acc_callid_column = Param(str, "callid", "The column of the Call-ID", check=identifier)
    acc_sip_code_column = Param(str, "sip_code", "The column of the status", check=identifier)
    acc_sip_reason_column = Param(str, "sip_reason", "The column of the reason phrase", check=identifier)
    acc_time_column = Param(
        str, "time", "The column of the time, in the server's time zone", check=identifier
    )
    failed_transaction_flag = Param(int, -1, "The flag that asks for records of failures too", check=flag)
    early_media = Param(int, 0, "1: a 183 is accounted too", check=switch)
    report_ack = Param(int, 0, "1: the ACK to an accounted call is accounted too", check=switch)
    report_cancels = Param(int, 0, "1: a CANCEL is accounted too", check=switch)
    detect_direction = Param(
        int,
        0,
        "1: From and To tag are exchanged for requests to who began the dialog; needs rr",
        check=switch,
    )
    multi_leg_info = Param(
        str,
        "",
        "Values of each leg: `name=$avp(...);...`, 16 at most; added to a line for each leg, and a row for each",
        check=_are_legs,
    )

    _accounting: Accounting
    _rows: Rows | None = None
    _log_extras: list[Extra]
    _row_extras: list[Extra]
    _legs: list[Leg]

    @property
    def _named(self) -> dict[str, None]:
        """The tables that the script names."""
        named: dict[str, None] = self.__dict__.setdefault("named", {})
        return named

    # --- life -------------------------------------------------------------------------------------------------

    def requirements(self) -> tuple[str, ...]:
        """tm, and what the parameters ask for."""
        return (
            *self.needs,
            *(("database",) if self.db_url else ()),
            *(("rr",) if self.detect_direction else ()),
        )

    def check(self) -> None:
        """Listen to tm."""
        is_upstream = None
        if self.detect_direction:
            rr = self.services.module("rr")
            assert isinstance(rr, Rr)
            if not rr.append_fromtag:
                raise ModuleError(
                    "acc: detect_direction needs the From tag in Record-Route",
                    'write modparam("rr", "append_fromtag", 1), or detect_direction 0',
                )
            is_upstream = lambda run: not rr.goes_down(run)  # noqa: E731 - it is passed on at once
        flags = Flags(
            *(
                0 if flag < 0 else 1 << flag
                for flag in (
                    self.log_flag,
                    self.log_missed_flag,
                    self.db_flag,
                    self.db_missed_flag,
                    self.failed_transaction_flag,
                )
            )
        )
        switches = Switches(bool(self.early_media), bool(self.report_ack), bool(self.report_cancels))
        row = self._row if self.db_url else None
        sink = Sink(self._log, row, self.db_table_acc, self.db_table_missed_calls)
        self._accounting = Accounting(flags, switches, sink, is_upstream)
        tm = self.services.module("tm")
        assert tm is not None
        api: TmApi = tm.bind()
        if any(flags):
            api.listeners.append(self._accounting.hear)

    def prepare(self, environment: Environment) -> None:
        """Read what is to be added to the records."""
        self._log_extras = read_extras(self.log_extra, environment)
        self._row_extras = read_extras(self.db_extra, environment)
        self._legs = read_legs(self.multi_leg_info)

    async def start(self) -> None:
        """Open the database; raises ModuleError."""
        if not self.db_url:
            return
        database = self.services.database(self.db_url)
        names = (self.db_table_acc, self.db_table_missed_calls, *self._named)
        columns = (
            self.acc_method_column,
            self.acc_from_tag_column,
            self.acc_to_tag_column,
            self.acc_callid_column,
            self.acc_sip_code_column,
            self.acc_sip_reason_column,
            self.acc_time_column,
        )
        extras = [*(extra.name for extra in self._row_extras), *(leg.name for leg in self._legs)]
        try:
            database.open()
            self._rows = Rows(database, self.services.log, names, columns, extras)
        except DatabaseError as error:
            raise ModuleError(f"acc cannot use its database {database.url}: {error}") from error

    # --- records ----------------------------------------------------------------------------------------------

    def _log(self, prefix: str, record: Record, run: Run) -> None:
        log = self.services.log
        if log.wants(self.log_level):
            names = [extra.name for extra in self._log_extras]
            pairs = list(zip(names, values_of(self._log_extras, run), strict=True))
            for values in sets_of(self._legs, run):
                pairs += zip((leg.name for leg in self._legs), values, strict=True)
            log.write(self.log_level, self.name, line(prefix, record, pairs))

    def _row(self, table: str, record: Record, run: Run) -> None:
        if self._rows is not None:
            self._rows.keep(table, record, values_of(self._row_extras, run), sets_of(self._legs, run))

    # --- functions --------------------------------------------------------------------------------------------

    def functions(self) -> Iterator[Function]:
        """All script functions; the tables that the script names are looked at when the server starts."""
        for function in super().functions():
            if function.name == "acc_db_request":
                comment, table = function.parameters
                function = replace(
                    function, parameters=(comment, replace(table, kind=TableKind(self._named)))
                )
            yield function

    @script_function(routes=ROUTES, effect=Effect.NONE)
    def acc_log_request(self, run: Run, comment: Annotated[Comment, CommentKind()]) -> int:
        """Write a line to the log; a comment is `404`, `404 user unknown` or a reason alone."""
        return self.account(run, comment, None)

    @script_function(routes=ROUTES, effect=Effect.NONE)
    def acc_db_request(
        self, run: Run, comment: Annotated[Comment, CommentKind()], table: Annotated[str, TableKind({})]
    ) -> int:
        """Write a row into this table, which has to be there where a reload brings it; -1 without a database."""
        return self.account(run, comment, table)

    # --- for other modules ------------------------------------------------------------------------------------

    def use_table(self, name: str) -> None:
        """A table that `account` will be given is looked at when the server starts."""
        self._named[name] = None

    def account(self, run: Run, comment: Comment, table: str | None) -> int:
        """Account a request, to the log or to a table; -1 without a database, or for a From that cannot be read."""
        try:
            return 1 if self._accounting.request(run, comment, table) else -1
        except RemoteError:
            return -1
