"""What differs between databases: how to connect, the SQL to say, and what an exception means.

A database module (openpy.modules.sqlite ...) provides one `Dialect`; nothing else knows its driver.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, NamedTuple, Protocol

import peewee

from openpy.db.errors import DatabaseError
from openpy.db.url import DatabaseUrl

logger = logging.getLogger(__name__)

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

    def fetchall(self) -> list[Any]:
        """All rows that are left."""

    def fetchmany(self, size: int = ..., /) -> list[Any]:
        """The next rows, an empty list at the end."""

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
    """A column as the database has it; `width` is in characters, None where there is no limit."""

    width: int | None
    nullable: bool
    has_default: bool = False


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
    table_options: ClassVar[str] = ""
    """What follows the closing parenthesis of CREATE TABLE."""
    makes_tables: ClassVar[bool] = False
    """Missing tables are made when a module first uses them, instead of refused."""

    @abstractmethod
    def connect(self, url: DatabaseUrl, *, read_only: bool = False) -> Connection:
        """Open a connection that any one thread at a time may use.

        It never waits longer than 200 ms, here or later. Raises DatabaseError.
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
    def upsert_sql(self, table: str, columns: Sequence[str]) -> str:
        """Write a full row: parameters are the columns in order; the first is the key."""

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

    def update_sql(self, table: str, columns: Sequence[str]) -> str:
        """Change some columns of a row: parameters are the columns in order, then the id."""
        settings = ", ".join(f"{self.quote(column)} = {self.placeholder}" for column in columns)
        return f"UPDATE {self.quote(table)} SET {settings} WHERE id = {self.placeholder}"

    def delete_sql(self, table: str) -> str:
        """Delete a row: the parameter is the id."""
        return f"DELETE FROM {self.quote(table)} WHERE id = {self.placeholder}"

    def run(self, cursor: Cursor, sql: str, rows: Sequence[Row]) -> int:
        """Run one statement for many rows; how many rows it found. May join them into one statement."""
        cursor.executemany(sql, rows)
        return cursor.rowcount


def fetch(connection: Connection, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
    """All rows of one query."""
    cursor = connection.cursor()
    try:
        cursor.execute(sql, parameters)
        return cursor.fetchall()
    finally:
        cursor.close()


def stream(connection: Connection, sql: str, parameters: Sequence[Any] = ()) -> Iterator[Row]:
    """The rows of one query, as they are wanted."""
    cursor = connection.cursor()
    try:
        cursor.execute(sql, parameters)
        while rows := cursor.fetchmany(1000):
            yield from rows
    finally:
        cursor.close()


def execute(connection: Connection, sql: str, parameters: Sequence[Any] = ()) -> None:
    """Run one statement that has no rows."""
    cursor = connection.cursor()
    try:
        cursor.execute(sql, parameters)
    finally:
        cursor.close()
