"""What differs between databases: how to connect, the SQL to say, and what an exception means.

A database module (openpy.modules.sqlite, mysql, postgres) provides one `Dialect`; nothing else knows its driver.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, NamedTuple, Protocol

import peewee

from openpy.db.errors import DatabaseError
from openpy.db.url import DatabaseUrl

logger = logging.getLogger(__name__)

PATIENCE = 0.4
"""Seconds without a word from the server after which it counts as away. Together with what a request may wait
before, its answer comes within half a second."""

Row = tuple[Any, ...]


class Cursor(Protocol):
    """The part of a DB-API cursor (PEP 249) that is used."""

    @property
    def rowcount(self) -> int:
        """The number of rows that the last statement changed."""

    def execute(self, sql: str, parameters: Any = ..., /) -> Any:
        """Run one statement."""

    def executemany(self, sql: str, rows: Any, /) -> Any:
        """Run one statement for each row of parameters."""

    def fetchall(self) -> Sequence[Any]:
        """All rows that are left."""

    def fetchmany(self, size: int = ..., /) -> Sequence[Any]:
        """The next rows, none at the end."""

    def close(self) -> None:
        """Free what the cursor holds."""


class Connection(Protocol):
    """The part of a DB-API connection (PEP 249) that is used.

    `Dialect.begin` opens a transaction; outside of one each statement stands for itself.
    """

    def cursor(self) -> Cursor:
        """A new cursor."""

    def commit(self) -> None:
        """Make the open transaction durable."""

    def rollback(self) -> None:
        """Drop the open transaction, if there is one."""

    def close(self) -> None:
        """Close the connection."""


class ColumnInfo(NamedTuple):
    """A column as the database has it; `width` is in characters, None where there is no limit.

    `type` is the database's own name of the type, without a width.
    """

    width: int | None
    nullable: bool
    has_default: bool = False
    type: str = ""


class Statement(Protocol):
    """One change to rows of one table, given all at once."""

    def run(self, cursor: Cursor, rows: Sequence[Row]) -> int:
        """Make the change, in as few steps as the database takes; how many rows were found."""


class EachRow:
    """The statement is run for one row after the other, as fast as the driver can."""

    __slots__ = ("sql",)

    def __init__(self, sql: str) -> None:
        self.sql = sql

    def run(self, cursor: Cursor, rows: Sequence[Row]) -> int:
        """Run it for each row; how many rows were found."""
        cursor.executemany(self.sql, rows)
        return cursor.rowcount


class SchemaRecorder:
    """A mix-in before a peewee database: DDL is recorded in `statements`, and nothing is connected to."""

    statements: list[str]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.statements = []
        super().__init__(*args, **kwargs)

    def execute_sql(self, sql: str, params: Sequence[Any] | None = None, **_: Any) -> None:
        """Record one statement."""
        if params:
            raise ValueError(f"DDL with parameters cannot be shown: {sql}")
        self.statements.append(sql)


class Dialect(ABC):
    """One kind of database."""

    schemes: ClassVar[tuple[str, ...]]
    """The URL schemes that mean this database."""
    placeholder: ClassVar[str] = "%s"
    """How a parameter is marked in SQL."""
    begin: ClassVar[str] = "BEGIN"
    """The statement that opens a transaction that writes."""
    alive: ClassVar[str] = ""
    """A statement that fails on a connection that is lost; run when there was nothing else to do for a while."""
    table_options: ClassVar[str] = ""
    """What follows the closing parenthesis of CREATE TABLE."""
    widest_key: ClassVar[int | None] = None
    """Characters that fit into an index; None where there is no such limit."""
    text_quotes: ClassVar[str] = "'"
    """The quotes that may stand around a text in SQL; other quotes are for names."""
    text_escapes: ClassVar[bool] = False
    """A backslash in a text takes the meaning of the next character, and `#` begins a comment, as MySQL has it."""
    makes_tables: ClassVar[bool] = False
    """Missing tables are made when a module first uses them, instead of refused."""

    @abstractmethod
    def connect(self, url: DatabaseUrl, *, read_only: bool = False, patience: float = PATIENCE) -> Connection:
        """Open a connection that any one thread at a time may use.

        A server that does not answer for `patience` seconds is Unavailable, here or later; nothing waits longer
        than 200 ms for a lock. Raises Unusable for what trying again does not mend, or another DatabaseError.
        """

    @abstractmethod
    def recorder(self) -> tuple[peewee.Database, list[str]]:
        """A peewee database of this kind, and the list in which it records DDL."""

    @abstractmethod
    def classify(self, exception: Exception, *, in_commit: bool = False) -> DatabaseError | None:
        """What an exception of the driver means; None for one that is not the driver's."""

    @abstractmethod
    def real_columns(self, connection: Connection, table: str) -> dict[str, ColumnInfo]:
        """The columns that a table has in fact; empty if there is no such table."""

    @abstractmethod
    def upsert(self, table: str, columns: Mapping[str, str]) -> Statement:
        """Write full rows: `columns`, each with its type, in the order of a row; the first is the key."""

    def insert(self, table: str, columns: Sequence[str]) -> Statement:
        """Write new rows: `columns`, in the order of a row; the database gives the key."""
        names = ", ".join(self.quote(column) for column in columns)
        marks = ", ".join(self.placeholder for _ in columns)
        return EachRow(f"INSERT INTO {self.quote(table)} ({names}) VALUES ({marks})")

    def update(self, table: str, columns: Mapping[str, str]) -> Statement:
        """Change some columns of rows: `columns`, each with its type, in the order of a row; the last is the key."""
        *changed, key = (f"{self.quote(column)} = {self.placeholder}" for column in columns)
        return EachRow(f"UPDATE {self.quote(table)} SET {', '.join(changed)} WHERE {key}")

    def delete(self, table: str) -> Statement:
        """Delete rows: a row is the id alone."""
        return EachRow(f"DELETE FROM {self.quote(table)} WHERE {self.quote('id')} = {self.placeholder}")

    def advice(self, connection: Connection, table: str) -> list[str]:
        """What keeps a table, which serves as it is, from being all that was promised; each with what to run."""
        return []

    def unlimited(self, connection: Connection) -> None:  # noqa: B027 - as a rule there is no limit
        """Let the statements of a connection last as long as their rows are read; silence still ends them."""

    def stream(
        self, connection: Connection, sql: str, parameters: Sequence[Any] = ()
    ) -> Generator[Row, None, None]:
        """The rows of one query, as they are wanted."""
        cursor = connection.cursor()
        try:
            cursor.execute(sql, parameters)
            while rows := cursor.fetchmany(1000):
                yield from rows
        finally:
            cursor.close()

    def result(self, cursor: Cursor, most: int) -> list[Row]:
        """The first rows that the last statement of a cursor gave; none where it is of a kind that gives none."""
        return list(cursor.fetchmany(most))

    def explain(self, exception: Exception, *, in_commit: bool = False) -> DatabaseError:
        """What any exception is to those who wait for an answer; a bug of ours is logged."""
        if isinstance(exception, DatabaseError):
            return exception
        error = self.classify(exception, in_commit=in_commit)
        if error is None:
            logger.error(
                "work on a database failed for a reason that is not the database's", exc_info=exception
            )
            error = DatabaseError(f"{type(exception).__name__}: {exception}")
        return error

    @contextmanager
    def explained(self) -> Iterator[None]:
        """What is raised inside leaves as a DatabaseError."""
        try:
            yield
        except DatabaseError:
            raise
        except Exception as exception:
            raise self.explain(exception) from exception

    def quote(self, name: str) -> str:
        """A name as an identifier."""
        return '"' + name.replace('"', '""') + '"'


def fetch(connection: Connection, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
    """All rows of one query."""
    cursor = connection.cursor()
    try:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())
    finally:
        cursor.close()


def execute(connection: Connection, sql: str, parameters: Sequence[Any] = ()) -> None:
    """Run one statement that has no rows."""
    cursor = connection.cursor()
    try:
        cursor.execute(sql, parameters)
    finally:
        cursor.close()
