"""SQLite: a database in one file, for one server.

Rules:
1. An acknowledged commit survives a power cut: write-ahead log with synchronous=FULL.
2. Nothing waits for a lock of another process longer than LOCK_WAIT.
3. Whoever commits moves the log into the database when it has grown to CHECKPOINT_PAGES.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Mapping
from typing import ClassVar

import peewee

from openpy.db.dialect import (
    PATIENCE,
    ColumnInfo,
    Connection,
    Dialect,
    EachRow,
    SchemaRecorder,
    Statement,
    fetch,
)
from openpy.db.errors import DatabaseError, OutcomeUnknown, RowRefused, Unavailable, Unusable, WrongTable
from openpy.db.url import DatabaseUrl

__all__ = ["DIALECT", "SqliteDialect"]

LOCK_WAIT = 0.2
"""Seconds. A request may come just after the one that meets the lock, so it waits for two of these."""

PAGE_SIZE = 2048
"""Bytes, in files made here. A row that changes costs a page in the log: a sixth less than with 4096."""

CHECKPOINT_PAGES = 2000
"""4 MiB. A longer log is cheaper and makes the commit that moves it slower: 8 to 10 ms with this one."""

_WIDTH = re.compile(r"CHAR\s*\(\s*(\d+)\s*\)", re.IGNORECASE)

_NO_DATABASE = frozenset({sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM})

_UNAVAILABLE = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_READONLY,
    }
)


class _Recorder(SchemaRecorder, peewee.SqliteDatabase):
    """SQLite's DDL."""


class SqliteDialect(Dialect):
    """SQLite through Python's own sqlite3."""

    schemes: ClassVar[tuple[str, ...]] = ("sqlite",)
    placeholder: ClassVar[str] = "?"
    begin: ClassVar[str] = "BEGIN IMMEDIATE"
    text_quotes: ClassVar[str] = "'\""  # it takes a name that nothing has for a text
    makes_tables: ClassVar[bool] = True

    def connect(self, url: DatabaseUrl, *, read_only: bool = False, patience: float = PATIENCE) -> Connection:
        """Open the file; unless it is only read, it is made if it is not there. Raises Unusable or Unavailable."""
        if url.database == ":memory:":
            raise Unusable("a database in memory cannot be shared by threads, and keeps nothing")
        _check_directory(url.database)
        if read_only and not os.path.exists(url.database):
            raise Unusable(f"there is no file {url.database}")
        try:
            # isolation_level None: transactions begin where the writer says so, not where sqlite3 guesses.
            connection = sqlite3.connect(
                url.database, timeout=LOCK_WAIT, isolation_level=None, check_same_thread=False
            )
        except sqlite3.Error as error:
            raise Unusable(f"cannot open {url}: {error}") from error
        try:
            connection.execute(f"PRAGMA page_size={PAGE_SIZE}")
            connection.execute("PRAGMA journal_mode=WAL").fetchall()
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}").fetchall()
            if read_only:
                connection.execute("PRAGMA query_only=ON")
        except sqlite3.Error as error:
            connection.close()
            meaning = Unusable if getattr(error, "sqlite_errorcode", None) in _NO_DATABASE else Unavailable
            raise meaning(f"cannot open {url}: {error}") from error
        return connection

    def recorder(self) -> tuple[peewee.Database, list[str]]:
        """A peewee database that records SQLite's DDL."""
        recorder = _Recorder(None)
        return recorder, recorder.statements

    def classify(self, exception: Exception, *, in_commit: bool = False) -> DatabaseError | None:
        """What an exception of sqlite3 means, by SQLite's result code."""
        if isinstance(exception, OverflowError | UnicodeEncodeError):
            return RowRefused(str(exception))
        if not isinstance(exception, sqlite3.Error):
            return None
        code = getattr(exception, "sqlite_errorcode", None)
        primary = None if code is None else code & 0xFF
        if primary == sqlite3.SQLITE_IOERR and in_commit:
            return OutcomeUnknown(f"the disk failed in COMMIT: {exception}")
        if primary in _UNAVAILABLE:
            return Unavailable(str(exception))
        if primary == sqlite3.SQLITE_ERROR:
            # The SQL is ours and fixed, so it is the table that is not what it was at the start.
            return WrongTable(str(exception))
        return RowRefused(str(exception))

    def real_columns(self, connection: Connection, table: str) -> dict[str, ColumnInfo]:
        """The columns as they were declared; SQLite itself does not enforce a width."""
        columns = {}
        rows = fetch(connection, f"PRAGMA table_info({self.quote(table)})")
        for _, name, declared, not_null, default, key in rows:
            width = _WIDTH.search(declared)
            columns[name] = ColumnInfo(
                int(width[1]) if width else None, not not_null, default is not None or bool(key), declared
            )
        return columns

    def upsert(self, table: str, columns: Mapping[str, str]) -> Statement:
        """`INSERT ... ON CONFLICT (id) DO UPDATE`."""
        names = [self.quote(column) for column in columns]
        settings = ", ".join(f"{name} = excluded.{name}" for name in names[1:])
        return EachRow(
            f"INSERT INTO {self.quote(table)} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))}) "
            f"ON CONFLICT ({names[0]}) DO UPDATE SET {settings}"
        )


def _check_directory(path: str) -> None:
    """Raise Unusable if the file cannot be there, with a hint where a slash was forgotten."""
    directory = os.path.dirname(path)
    if not directory or os.path.isdir(directory):
        return
    hint = ""
    if not os.path.isabs(path) and os.path.isdir("/" + directory):
        hint = f"; an absolute path takes four slashes: sqlite:////{path}"
    raise Unusable(f'no directory "{directory}" in {os.getcwd()}{hint}')


DIALECT = SqliteDialect()
