"""One database: its writer, its reader, its tables, and the ids that its rows get.

Rules:
1. The start does not wait for a server that is away. What it would have checked is checked when the server comes,
   and until then nothing is written or read: `ready` is false, and writes and queries are answered Unavailable.
2. A server that answers is believed: a wrong table, name or password stops the start. One that comes later with a
   wrong table is not written to, and the reason is logged every minute until somebody mends it.
3. Whenever the connection is made anew the tables are checked again before anything is written.
4. Ids are given out by memory, above every id that the table had at a check; after `share`, from blocks that are
   reserved in the database.

A module that keeps state here, in its `start`:

    database.open()                    # raises DatabaseError: stop the start
    table = database.use(Mailbox)      # raises DatabaseError: stop the start
    if database.ready:
        load()                         # database.rows(table) ...; raises DatabaseError: stop the start
    else:
        database.when_ready(load)      # until `load` has run, answer every request with 503

One that only reads what others write says `database.read(table)`, and then asks `database.reader`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from typing import NamedTuple

from openpy.db import schema
from openpy.db.connector import Connector
from openpy.db.dialect import ColumnInfo, Connection, Dialect, Row, fetch
from openpy.db.errors import DatabaseError, Unavailable, WrongTable
from openpy.db.executor import PATIENCE as EXECUTOR_PATIENCE
from openpy.db.executor import Executor
from openpy.db.ids import IdBlocks, SharedIds
from openpy.db.reader import Reader
from openpy.db.statements import TableSql
from openpy.db.tables import Table, columns_of, name_of, named
from openpy.db.threads import THREADS, Repetition, Threads
from openpy.db.url import DatabaseUrl
from openpy.db.writer import Writer

__all__ = ["Database"]

logger = logging.getLogger(__name__)

CHECK_PATIENCE = 2.0
"""Seconds without a word from the server after which a check of the tables, which may make some, fails."""

LOAD_PATIENCE = 30.0
"""Seconds without a word from the server after which the load of a table fails: nobody waits for an answer then."""

RELOAD_PAUSE = 1.0
"""Seconds after which a load that failed is tried again."""


class _Found(NamedTuple):
    """What a check found in the database: the columns of a table, the largest id in it, and ids reserved there."""

    columns: dict[str, ColumnInfo]
    largest: int
    block: range | None = None


class Database:
    """A database by its URL. `post(fn)` runs `fn` in the loop's thread and may be called from any thread.

    Life: `open`, `use` for each table, then `writer` and `reader` serve until `close`. The first two may block for
    as long as one connect takes: they belong to the start. Everything but `rows` is called in the loop's thread.
    """

    def __init__(
        self,
        url: DatabaseUrl,
        dialect: Dialect,
        post: Callable[[Callable[[], None]], None],
        threads: Threads = THREADS,
    ) -> None:
        self.url = url
        self.dialect = dialect
        self._post = post
        self._threads = threads
        self._connector = Connector(self._connect, self._deliver, str(url), threads)
        self.writer = Writer(dialect, post, self._connector.seek, threads=threads)
        self.reader = Reader(lambda: dialect.connect(url, read_only=True), dialect, post, threads=threads)
        self._executor: Executor | None = None
        self._is_open = False
        self._models: dict[str, type[Table]] = {}
        self._read: list[type[Table]] = []
        self._tables: dict[str, TableSql] = {}
        self._next_ids: dict[TableSql, int] = {}
        self._shared_ids: SharedIds | None = None
        self._advised: set[str] = set()
        self._waiting: list[Callable[[], None]] = []
        self._reload: Repetition | None = None

    # --- life -------------------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Connect and start the threads; the modules that share a database may all call it.

        A server that is away is waited for in the background; raises DatabaseError if it is there and does not let
        us in.
        """
        if self._is_open:
            return
        try:
            self.writer.adopt(self._connect())
        except Unavailable as error:
            self._connector.seek(error)
        self._is_open = True
        self.writer.start()
        self.reader.start()

    def close(self) -> None:
        """Finish everything submitted and close. Blocks; the last answers are posted."""
        if self._reload is not None:
            self._reload.stop(0)
        self._connector.stop()
        self.writer.stop()
        self.reader.stop()
        if self._executor is not None:
            self._executor.stop()

    def executor(self) -> Executor:
        """What runs statements of scripts here; it is made, and its threads begin, when it is first asked for."""
        if self._executor is None:
            connect = partial(self.dialect.connect, self.url, patience=EXECUTOR_PATIENCE)
            self._executor = Executor(connect, self.dialect, self._post, threads=self._threads)
            self._executor.start()
        return self._executor

    # --- readiness --------------------------------------------------------------------------------------------------

    @property
    def ready(self) -> bool:
        """Whether every table in use has been found good: then rows can be loaded, and ids given out.

        It stays true while the server is away again: writes are refused by the writer then.
        """
        return len(self._next_ids) == len(self._tables)

    def when_ready(self, callback: Callable[[], None]) -> None:
        """Call back once, as soon as the database is ready, in the loop's thread and not before this returns.

        A callback that raises DatabaseError (the server went away again, a row makes no sense) is called again after
        RELOAD_PAUSE, until it succeeds: it has to begin anew each time.
        """
        self._waiting.append(callback)
        self._post(self._call_back)

    def _call_back(self) -> None:
        if not self.ready:
            # A table may have come into use while the connector was looking at the others.
            self._connector.seek(Unavailable("not every table is checked yet"))
            return
        callbacks, self._waiting = self._waiting, []
        for callback in callbacks:
            try:
                callback()
            except DatabaseError as error:
                logger.warning("%s cannot be loaded, trying again: %s", self.url, error)
                self._waiting.append(callback)
        if self._waiting:
            again = partial(self._post, self._call_back)
            self._reload = self._threads.repeat("database reload", again, RELOAD_PAUSE)

    # --- tables -----------------------------------------------------------------------------------------------------

    def use(self, table: type[Table], name: str = "") -> TableSql:
        """Check a table, under another name if one is given, and make it if the dialect does so or OpenSER has none.

        Raises WrongTable, whose text says what to run, or another DatabaseError. While the server is away the table
        is taken as it is declared, and checked when the server comes.
        """
        table = named(table, name)
        known = self._tables.get(name_of(table))
        if known is not None:
            return known
        columns = columns_of(table)
        sql = TableSql(self.dialect, name_of(table), list(columns), columns)
        away = None
        try:
            found = {} if self._connector.is_seeking else self._check([table])
        except Unavailable as error:
            found, away = {}, error
        self._models[sql.name] = table
        self._tables[sql.name] = sql
        self._take(found)
        if away is not None:
            self._connector.seek(away)
        return sql

    def read(self, table: type[Table]) -> None:
        """Check a table whose rows are only read (`tables.reading`); it is made where `use` would make it.

        Raises WrongTable, or another DatabaseError. While the server is away it is checked when the server comes.
        """
        self._read.append(table)
        if not self._connector.is_seeking:
            try:
                self._check([table])
            except Unavailable as error:
                self._connector.seek(error)

    def share(self) -> None:
        """Give no id to a row that another server may give too, in any table that comes into use from now on.

        Raises DatabaseError.
        """
        if self._shared_ids is None:
            connect = partial(self.dialect.connect, self.url, patience=CHECK_PATIENCE)
            self._shared_ids = SharedIds(self.dialect, connect, self._post, self._threads)
            self.use(IdBlocks)

    def next_id(self, table: TableSql) -> int:
        """An id that no row of the table has had since the start; raises Unavailable if the database is not ready."""
        id_ = self._next_ids.get(table)
        if id_ is None:
            raise Unavailable(f"the ids of table {table.name} are not known yet")
        if self._shared_ids is not None and not self._shared_ids.lacks(table.name):
            return self._shared_ids.next(table.name)
        self._next_ids[table] = id_ + 1
        return id_

    def skip_id(self, table: TableSql, id_: int) -> None:
        """Another hand has made a row with this id: it is not given out any more."""
        self._next_ids[table] = max(self._next_ids.get(table, 1), id_ + 1)
        if self._shared_ids is not None:
            self._shared_ids.skip(table.name, id_)

    def rows(self, table: TableSql) -> Iterator[Row]:
        """All rows of a table, as they are wanted: `id`, then `table.columns`. Blocks; may be called in any thread.

        Raises DatabaseError.
        """
        dialect = self.dialect
        with dialect.explained():
            connection = dialect.connect(self.url, read_only=True, patience=LOAD_PATIENCE)
            with closing(connection):
                dialect.unlimited(connection)
                yield from dialect.stream(connection, table.select)

    # --- connecting and checking ------------------------------------------------------------------------------------

    def _connect(self) -> Connection:
        """A connection for the writer, to a database whose tables are good; in the connector's thread, or at the start.

        Raises DatabaseError.
        """
        with self.dialect.explained():
            connection = self.dialect.connect(self.url)
        try:
            found = self._check([*self._models.values(), *self._read])
        except BaseException:
            connection.close()
            raise
        self._post(partial(self._take, found))
        return connection

    def _deliver(self, connection: Connection) -> None:
        self.writer.adopt(connection)
        self._post(self._call_back)

    def _check(self, tables: list[type[Table]]) -> dict[str, _Found]:
        """Make what is missing and ours to make, and look at each table. Raises DatabaseError."""
        dialect = self.dialect
        if not tables:
            return {}
        with dialect.explained(), closing(dialect.connect(self.url, patience=CHECK_PATIENCE)) as connection:
            missing = [
                table
                for table in tables
                if (dialect.makes_tables or table.is_ours())
                and not dialect.real_columns(connection, name_of(table))
            ]
            if missing:
                schema.create(dialect, connection, missing)
            problems = schema.check(dialect, connection, tables)
            if problems:
                raise WrongTable("; ".join(problems) + f" (in {self.url})")
            own = [table for table in tables if table.needed is None]
            self._pass_on(schema.advice(dialect, connection, own))
            return {name: self._look(connection, name) for name in map(name_of, own)}

    def _look(self, connection: Connection, name: str) -> _Found:
        dialect, shared = self.dialect, self._shared_ids
        ((largest,),) = fetch(connection, f"SELECT max(id) FROM {dialect.quote(name)}")
        largest = largest or 0
        block = None
        if shared is not None and shared.lacks(name) and name != name_of(IdBlocks):
            block = shared.reserve(connection, name, largest)
        return _Found(dialect.real_columns(connection, name), largest, block)

    def _pass_on(self, advice: list[str]) -> None:
        """Say each thing once."""
        for text in advice:
            if text not in self._advised:
                self._advised.add(text)
                logger.warning("%s: %s", self.url, text)

    def _take(self, found: dict[str, _Found]) -> None:
        """Use the tables as they were found."""
        for name, (columns, largest, block) in found.items():
            table = self._tables[name]
            table.adapt(columns)
            self._next_ids[table] = max(self._next_ids.get(table, 1), largest + 1)
            if block is not None and self._shared_ids is not None:
                self._shared_ids.add(name, block)
