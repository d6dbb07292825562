"""Records of accounting in a database: written behind the messages, which never wait for them.

Rules:
1. What does not fit a column is cut, and bytes that are no UTF-8 are replaced: a record too short is better than none.
2. What the database does not take is written to the log, as an error, so that no record is lost without a trace.
3. A table that a reloaded script is the first to name is taken to be there, and to be like the others: to look would
   hold up all messages.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from functools import partial
from itertools import count

from openpy.db.database import Database
from openpy.db.errors import DatabaseError, Unavailable
from openpy.db.statements import TableSql
from openpy.db.writer import Insert
from openpy.engine.log import Log
from openpy.modules.acc.records import Record
from openpy.modules.acc.tables import VERSIONS, accounting_table


class Rows:
    """The tables of accounting in one database."""

    def __init__(
        self,
        database: Database,
        log: Log,
        names: Iterable[str],
        columns: Sequence[str],
        extras: Sequence[str],
    ) -> None:
        """Check, or make, the tables with these names; raises DatabaseError."""
        self._dialect = database.dialect
        self._writer = database.writer
        self._log = log
        self._numbers = count()
        self._tables: dict[str, TableSql] = {
            name: database.use(accounting_table(name, VERSIONS.get(name, 0), columns, extras))
            for name in dict.fromkeys(names)
        }

    def keep(self, name: str, record: Record, extras: Sequence[str], legs: Sequence[Sequence[str]]) -> None:
        """Write a record: one row, or one for each leg."""
        table = self._tables.get(name) or self._late(name)
        moment = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.time))
        core = (*record[:-1], moment, *extras)
        operations = []
        for leg in legs or ((),):
            operations.append(Insert(table, table.fitted((*core, *leg))))
        key = "acc", next(self._numbers)
        try:
            self._writer.submit(key, operations, partial(self._done, key, operations))
        except Unavailable as error:
            self._lost(operations, error)
        else:
            self._writer.flush()

    def _late(self, name: str) -> TableSql:
        like = next(iter(self._tables.values()))
        table = self._tables[name] = TableSql(self._dialect, name, like.columns, like.widths)
        return table

    def _done(self, key: tuple[str, int], rows: Sequence[Insert], error: DatabaseError | None) -> None:
        if error is not None:
            self._writer.forgive(key)
            self._lost(rows, error)

    def _lost(self, rows: Sequence[Insert], error: DatabaseError) -> None:
        for row in rows:
            pairs = zip(row.table.columns, row.values, strict=True)
            text = ";".join(f"{column}={value}" for column, value in pairs)
            self._log.error("acc", f"a row of {row.table.name} was not written ({error}): {text}")
