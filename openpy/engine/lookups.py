"""Queries that script functions wait for: one module's view of a database whose rows others write.

Rules:
1. Whoever waits holds its request first, so that a retransmission is absorbed.
2. Values are bound, never written into the text; names of tables and columns are quoted.
3. What cannot be kept in a database (text that is no UTF-8, a NUL) is not asked for: there is no such row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Annotated, Any

from openpy.db.database import Database
from openpy.db.dialect import Row, fetch
from openpy.db.errors import DatabaseError, Unavailable
from openpy.db.tables import Table
from openpy.engine.module import ArgumentError, Function, ModuleError, RouteKind
from openpy.engine.run import Overloaded, Run
from openpy.engine.services import Services
from openpy.engine.waiting import Wait

__all__ = ["READ_ONLY_URL", "DatabaseError", "Lookups", "Row", "TableName", "TableNames", "spellings"]

READ_ONLY_URL = "mysql://openserro:openserro@localhost/openser"
"""1.3's default `db_url` of modules that only read."""

PATIENCE = 30.0
"""Seconds without a word from the server after which a table is not read at the start."""

SILENCE = 1.0
"""Seconds after an error that was logged in which no other is."""

PAUSE = 1.0
"""Seconds after which a table that could not be read is tried again."""


class Lookups:
    """The queries of one module; `open` comes first."""

    __slots__ = ("_database", "_log", "_module", "_monotonic", "_random", "_silent_until", "_url", "_wheel")

    def __init__(self, services: Services, module: str, url: str) -> None:
        """Raises ModuleError for a URL that no loaded module serves."""
        self._database: Database = services.database(url)
        self._log = services.log
        self._wheel = services.wheel
        self._monotonic = services.clock.monotonic
        self._random = services.random
        self._silent_until = 0.0
        self._module = module
        self._url = self._database.url

    def open(self, tables: Iterable[type[Table]]) -> None:
        """Open the database and check these tables (`db.tables.reading`); raises ModuleError.

        A server that is away is waited for in the background, and until it comes every query fails.
        """
        try:
            self._database.open()
            for table in tables:
                self._database.read(table)
        except DatabaseError as error:
            raise ModuleError(f"{self._module} cannot use its database {self._url}: {error}") from error

    def select(
        self, table: str, columns: Sequence[str], keys: Sequence[str] = (), hosts: Sequence[str] = ()
    ) -> str:
        """The text of a query: these columns of the rows whose keys have the values that it is asked with.

        The keys in `hosts` come last, and are asked for with the `spellings` of a host.
        """
        quote, mark = self._database.dialect.quote, self._database.dialect.placeholder
        conditions = [f"{quote(key)} = {mark}" for key in keys]
        conditions += [f"{quote(host)} IN ({mark}, {mark})" for host in hosts]
        condition = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        return f"SELECT {', '.join(map(quote, columns))} FROM {quote(table)}{condition}"

    async def ask(self, run: Run, sql: str, *values: str | int) -> list[Row]:
        """The rows of a query; raises DatabaseError, of which there is one in the log a second."""
        try:
            run.hold()
            return await self.rows(sql, *values)
        except Overloaded:
            raise Unavailable("no further request can be held") from None
        except DatabaseError as error:
            self.complain(error)
            raise

    async def rows(self, sql: str, *values: str | int) -> list[Row]:
        """The same for nobody's request; raises DatabaseError, and logs nothing."""
        if not all(map(_can_be_kept, values)):
            return []
        answer: Wait[list[Row]] = Wait()
        self._database.reader.query(sql, values, partial(_answered, answer))
        return await answer

    def complain(self, error: DatabaseError) -> None:
        """Log an error, but not each of a second in which all fail."""
        now = self._monotonic()
        if now >= self._silent_until:
            self._silent_until = now + SILENCE
            self._log.error(self._module, f"{self._url}: {error}")

    def not_yet(self, run: Run) -> int:
        """What a function gives that needs what is kept, as long as that was not read: nobody can tell.

        A new request is refused, rather than taken for a stranger's, and the script ends.
        """
        if run.kind is not RouteKind.REQUEST or run.request.method == "ACK":
            return -1
        run.reply(503, "Service Unavailable", f"Retry-After: {self._random.randint(1, 5)}\r\n")
        return 0

    def keep(self, sql: str, take: Callable[[list[Row]], None]) -> None:
        """Give all rows of a query to `take`: at once, or as soon as the server is there.

        Blocks, and belongs to the start. Raises ModuleError where the server is there and refuses, and what `take`
        raises; it is logged if it comes later.
        """
        dialect, url = self._database.dialect, self._database.url
        try:
            with (
                dialect.explained(),
                closing(dialect.connect(url, read_only=True, patience=PATIENCE)) as connection,
            ):
                rows = fetch(connection, sql)
        except Unavailable as error:
            self._log.warning(self._module, f"{url} cannot be read, trying again: {error}")
            self._wheel.add(PAUSE, partial(self._read_again, sql, take))
        except DatabaseError as error:
            raise ModuleError(f"{self._module} cannot use its database {url}: {error}") from error
        else:
            take(rows)

    def _read_again(self, sql: str, take: Callable[[list[Row]], None]) -> None:
        def done(rows: list[Row], error: DatabaseError | None) -> None:
            if error is not None:
                self._wheel.add(PAUSE, partial(self._read_again, sql, take))
                return
            try:
                take(rows)
            except ModuleError as problem:
                self._log.error(self._module, problem.message)

        with suppress(Unavailable):  # the server stops
            self._database.reader.query(sql, (), done)


def spellings(host: str) -> tuple[str, str]:
    """A host as it is written and in lower case: case does not count (RFC 3261 19.1.4), but tables may compare it."""
    return host, host.lower()


# --- arguments that name tables -------------------------------------------------------------------------------------


@dataclass(slots=True)
class TableNames:
    """An argument that names a table; `names` are those that the script names, which are to be checked at the start."""

    description: str = "the name of a table"
    names: list[str] = field(default_factory=list)

    def convert(self, text: str, environment: Any) -> str:
        """Note the name; raises ArgumentError."""
        if not text:
            raise ArgumentError("the name of a table is needed")
        if text not in self.names:
            self.names.append(text)
        return text

    def noting(self, function: Function) -> Function:
        """The same function, whose tables are noted here."""
        parameters = tuple(
            replace(parameter, kind=self) if isinstance(parameter.kind, TableNames) else parameter
            for parameter in function.parameters
        )
        return replace(function, parameters=parameters)


TableName = Annotated[str, TableNames()]
"""Annotates the argument; the module's `functions` says with `TableNames.noting` where the names are kept."""


def _can_be_kept(value: str | int) -> bool:
    if isinstance(value, int):
        return True
    if "\0" in value:
        return False
    return value.isascii() or not any("\ud800" <= character <= "\udfff" for character in value)


def _answered(answer: Wait[list[Row]], rows: list[Row], error: DatabaseError | None) -> None:
    if error is None:
        answer.resolve(rows)
    else:
        answer.fail(error)
