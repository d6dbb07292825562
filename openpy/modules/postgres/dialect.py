"""PostgreSQL: what it says differently. The driver is not needed to know this."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Any, ClassVar, cast

import peewee

from openpy.db.dialect import (
    PATIENCE,
    ColumnInfo,
    Connection,
    Cursor,
    Dialect,
    EachRow,
    Row,
    SchemaRecorder,
    Statement,
    execute,
    fetch,
)
from openpy.db.errors import DatabaseError, Unusable
from openpy.db.url import DatabaseUrl
from openpy.modules.postgres.statements import delete_rows, update_rows, upsert_rows

__all__ = ["DIALECT", "MISSING_DRIVER", "PostgresDialect"]

MISSING_DRIVER = (
    "postgres needs the Python package psycopg, which is not installed",
    'run: pip install "openpy[postgres]"',
)

COLUMNS = """
SELECT a.attname, format_type(a.atttypid, NULL), a.atttypmod, NOT a.attnotnull, a.atthasdef OR a.attidentity <> ''
FROM pg_attribute a WHERE a.attrelid = to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""

LIMITED = frozenset({"character varying", "character"})

HEADER = 4
"""PostgreSQL counts four bytes of its own into the width that a type modifier tells."""


class _Recorder(SchemaRecorder, peewee.PostgresqlDatabase):
    """PostgreSQL's DDL."""


class PostgresDialect(Dialect):
    """PostgreSQL through psycopg 3."""

    schemes: ClassVar[tuple[str, ...]] = ("postgres", "postgresql")
    alive: ClassVar[str] = "SELECT 1"

    def connect(self, url: DatabaseUrl, *, read_only: bool = False, patience: float = PATIENCE) -> Connection:
        """Open a session, by the socket file where the URL names no host. Raises Unusable or Unavailable."""
        try:
            from openpy.modules.postgres import driver
        except ModuleNotFoundError as error:
            raise Unusable("; ".join(MISSING_DRIVER)) from error
        return driver.connect(url, read_only=read_only, patience=patience)

    def recorder(self) -> tuple[peewee.Database, list[str]]:
        """A peewee database that records PostgreSQL's DDL."""
        recorder = _Recorder(None)
        return recorder, recorder.statements

    def classify(self, exception: Exception, *, in_commit: bool = False) -> DatabaseError | None:
        """What an exception of the driver means, by the server's SQLSTATE."""
        from openpy.modules.postgres import driver

        return driver.classify(exception, in_commit=in_commit)

    def real_columns(self, connection: Connection, table: str) -> dict[str, ColumnInfo]:
        """The columns as the server has them, of the table that the search path finds."""
        columns = {}
        for name, kind, modifier, nullable, has_default in fetch(connection, COLUMNS, (self.quote(table),)):
            width = modifier - HEADER if kind in LIMITED and modifier > 0 else None
            columns[name] = ColumnInfo(width, nullable, has_default, kind)
        return columns

    def upsert(self, table: str, columns: Mapping[str, str]) -> Statement:
        """`INSERT ... ON CONFLICT (id) DO UPDATE` of many rows."""
        names = [self.quote(name) for name in columns]
        if all(columns.values()):
            return upsert_rows(self.quote(table), list(zip(names, columns.values(), strict=True)))
        settings = ", ".join(f"{name} = excluded.{name}" for name in names[1:])
        marks = ", ".join([self.placeholder] * len(names))
        return EachRow(
            f"INSERT INTO {self.quote(table)} ({', '.join(names)}) VALUES ({marks}) "
            f"ON CONFLICT ({names[0]}) DO UPDATE SET {settings}"
        )

    def update(self, table: str, columns: Mapping[str, str]) -> Statement:
        """`UPDATE ... FROM unnest(...)` of many rows."""
        if not all(columns.values()):
            return super().update(table, columns)
        return update_rows(self.quote(table), [(self.quote(name), kind) for name, kind in columns.items()])

    def delete(self, table: str) -> Statement:
        """`DELETE ... = ANY` of many rows."""
        return delete_rows(self.quote(table), self.quote("id"))

    def unlimited(self, connection: Connection) -> None:
        """Let the statements of a session last as long as their rows are read."""
        execute(connection, "SET statement_timeout = 0")

    def stream(
        self, connection: Connection, sql: str, parameters: Sequence[Any] = ()
    ) -> Generator[Row, None, None]:
        """The rows of one query, as they come from the server."""
        from openpy.modules.postgres import driver

        return driver.stream(connection, sql, parameters)

    def result(self, cursor: Cursor, most: int) -> list[Row]:
        """The first rows of the last statement; psycopg refuses to be asked where there can be none."""
        return super().result(cursor, most) if cast(Any, cursor).description else []


DIALECT = PostgresDialect()
