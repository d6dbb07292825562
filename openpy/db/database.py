"""One database: its writer, its reader, its tables, and the ids that its rows get."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

from openpy.db import schema
from openpy.db.dialect import Connection, Dialect, Row, fetch
from openpy.db.errors import WrongTable
from openpy.db.reader import Reader
from openpy.db.statements import TableSql
from openpy.db.tables import Table, columns_of, name_of, named
from openpy.db.url import DatabaseUrl
from openpy.db.writer import Writer

__all__ = ["Database"]


class Database:
    """A database by its URL. `post(fn)` runs `fn` in the loop's thread and may be called from any thread.

    Life: `open`, `use` for each table, then `writer` and `reader` serve until `close`. The first two block:
    they belong to the start.
    """

    def __init__(
        self, url: DatabaseUrl, dialect: Dialect, post: Callable[[Callable[[], None]], None]
    ) -> None:
        self.url = url
        self.dialect = dialect
        self.writer = Writer(lambda: dialect.connect(url), dialect, post)
        self.reader = Reader(lambda: dialect.connect(url, read_only=True), dialect, post)
        self._tables: dict[str, TableSql] = {}
        self._ids: dict[TableSql, count[int]] = {}

    def open(self) -> None:
        """Connect and start the threads; raises DatabaseError."""
        self.writer.start()
        self.reader.start()

    def close(self) -> None:
        """Finish everything submitted and close. Blocks; the last answers are posted."""
        self.writer.stop()
        self.reader.stop()

    def use(self, table: type[Table], name: str = "") -> TableSql:
        """Check a table, under another name if one is given, and make it if the dialect does so.

        Raises WrongTable, whose text says what to run, or another DatabaseError.
        """
        table = named(table, name)
        known = self._tables.get(name_of(table))
        if known is not None:
            return known
        connection = self.dialect.connect(self.url)
        try:
            with self.dialect.explained():
                sql, largest = self._prepare(table, connection)
        finally:
            connection.close()
        self._tables[sql.name] = sql
        self._ids[sql] = count(largest + 1)
        return sql

    def next_id(self, table: TableSql) -> int:
        """An id that no row of the table has had since the start."""
        return next(self._ids[table])

    def rows(self, table: TableSql) -> Iterator[Row]:
        """All rows of a table: `id`, then `table.columns`. Blocks: for the load at the start."""
        return self.reader.rows(table.select)

    def _prepare(self, table: type[Table], connection: Connection) -> tuple[TableSql, int]:
        """The table's SQL, and the largest id in it."""
        dialect, name = self.dialect, name_of(table)
        if dialect.makes_tables:
            schema.create(dialect, connection, [table])
        problems = schema.check(dialect, connection, [table])
        if problems:
            raise WrongTable("; ".join(problems) + f" (in {self.url})")
        sql = TableSql(dialect, name, list(columns_of(table)), schema.widths(dialect, connection, name))
        ((largest,),) = fetch(connection, f"SELECT max(id) FROM {dialect.quote(name)}")
        return sql, largest or 0
