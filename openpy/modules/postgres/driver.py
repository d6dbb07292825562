"""psycopg: connections as the writer and the readers need them, and what its exceptions mean.

Rules:
1. Outside of BEGIN each statement commits by itself; COMMIT returns when the log is on the disk.
2. Nothing waits for a lock longer than half the patience of its connection, so that a request may wait for two.
3. A server that says nothing for longer than the patience is given up, with the connection.
"""

from __future__ import annotations

import os
import selectors
from collections.abc import Generator, Sequence
from typing import Any, TypeVar, cast

import psycopg
from psycopg import pq
from psycopg.abc import PQGen
from psycopg.conninfo import make_conninfo

from openpy.db.dialect import Connection, Row
from openpy.db.errors import DatabaseError, OutcomeUnknown, RowRefused, Unavailable, Unusable, WrongTable
from openpy.db.url import DatabaseUrl

__all__ = ["PostgresConnection", "classify", "connect", "stream"]

RV = TypeVar("RV")

PORT = 5432

SOCKETS = ("/var/run/postgresql", "/tmp")
"""The folders in which the server of this host listens where the URL names none."""

_UNAVAILABLE_CLASSES = frozenset({"08", "25", "40", "53", "54", "55", "57", "58", "XX"})
"""Lost connections, read-only, serialization, resources, limits, locks, administrators, files, corruption."""

_WRONG_TABLE_CLASSES = frozenset({"42", "0A", "3F"})
"""The SQL is ours and fixed, so it is the table that is not what it was at the start."""

_UNUSABLE_CLASSES = frozenset({"28", "3D"})

_MISSING_PRIVILEGE = "42501"

_ROLLED_BACK_CLASSES = frozenset({"23", "40"})
"""With these a COMMIT has surely not happened: what was deferred to it was refused."""

_REFUSALS = (
    "authentication failed",
    "no password supplied",
    "does not exist",
    "no pg_hba.conf entry",
    "not permitted",
)
"""A connect that is refused carries no code, and the text is in English unless the server is set otherwise."""


class PostgresConnection(psycopg.Connection[Row]):
    """A connection that waits for its server no longer than `patience` seconds."""

    patience = 0.0

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """Wait for an answer; without one the connection is lost."""
        try:
            return super().wait(gen, interval, self.patience)
        except psycopg.OperationalError:
            if (
                self.pgconn.status == pq.ConnStatus.OK
                and self.pgconn.transaction_status == pq.TransactionStatus.ACTIVE
            ):
                self.pgconn.finish()
            raise


def connect(url: DatabaseUrl, *, read_only: bool, patience: float) -> Connection:
    """Open a session; raises Unusable or Unavailable."""
    port = url.port or PORT
    parameters: dict[str, str | int | None] = {
        "host": url.host or _socket_folder(port),
        "port": port,
        "user": url.user or None,
        "password": url.password or None,
        "dbname": url.database,
        "application_name": "openpy",
        "client_encoding": "UTF8",
        "gssencmode": "disable",
    }
    conninfo = make_conninfo("", **{name: value for name, value in parameters.items() if value is not None})
    try:
        connection = PostgresConnection(_open(conninfo, patience))
        connection.patience = patience
        connection.autocommit = True
        try:
            _settle(connection, read_only, patience)
        except psycopg.Error:
            connection.close()
            raise
    except psycopg.Error as error:
        raise _refusal(url, error) from error
    return cast(Connection, connection)


def _refusal(url: DatabaseUrl, error: psycopg.Error) -> DatabaseError:
    text = str(error).strip().replace("\n", " ")
    is_refused = any(refusal in text for refusal in _REFUSALS) or isinstance(classify(error), Unusable)
    return (Unusable if is_refused else Unavailable)(f"cannot open {url}: {text}")


def _socket_folder(port: int) -> str:
    folders = [folder for folder in SOCKETS if os.path.exists(f"{folder}/.s.PGSQL.{port}")]
    return folders[0] if folders else "localhost"


def _open(conninfo: str, patience: float) -> pq.abc.PGconn:
    """A connection of the library, whose server says nothing for no longer than this: a slow one speaks several times.

    psycopg's own connect waits for two seconds at least.
    """
    pgconn = pq.PGconn.connect_start(conninfo.encode())
    while True:
        if pgconn.status == pq.ConnStatus.BAD:
            raise psycopg.OperationalError(pgconn.get_error_message())
        status = pgconn.connect_poll()
        if status == pq.PollingStatus.OK:
            pgconn.nonblocking = 1
            return pgconn
        if status == pq.PollingStatus.FAILED:
            raise psycopg.OperationalError(pgconn.get_error_message())
        wanted = selectors.EVENT_READ if status == pq.PollingStatus.READING else selectors.EVENT_WRITE
        with selectors.DefaultSelector() as selector:
            selector.register(pgconn.socket, wanted)
            if not selector.select(patience):
                pgconn.finish()
                raise psycopg.OperationalError("the server does not answer")


def _settle(connection: PostgresConnection, read_only: bool, patience: float) -> None:
    settings = {
        "lock_timeout": f"{int(500 * patience)}ms",
        "statement_timeout": f"{int(900 * patience)}ms",
        "default_transaction_isolation": "read committed",
        "default_transaction_read_only": "on" if read_only else "off",
    }
    texts = [f"set_config('{name}', '{value}', false)" for name, value in settings.items()]
    connection.execute("SELECT " + ", ".join(texts))
    # Whoever switched it off did it for others: what we acknowledge is kept.
    connection.execute(
        "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
    )


def stream(connection: Connection, sql: str, parameters: Sequence[Any]) -> Generator[Row, None, None]:
    """The rows of one query, as they come from the server; until the last the connection can do nothing else."""
    with cast(PostgresConnection, connection).cursor() as cursor:
        yield from cursor.stream(sql, parameters)


def classify(exception: Exception, *, in_commit: bool = False) -> DatabaseError | None:
    """What an exception of psycopg means, by the server's SQLSTATE; None for one that is not psycopg's."""
    if isinstance(exception, UnicodeEncodeError):
        return RowRefused(str(exception))
    if not isinstance(exception, psycopg.Error):
        return None
    text = str(exception).strip().replace("\n", " ")
    state = exception.sqlstate or ""
    kind = state[:2]
    if in_commit and kind not in _ROLLED_BACK_CLASSES:
        return OutcomeUnknown(text)
    if kind in _UNAVAILABLE_CLASSES or (not kind and isinstance(exception, psycopg.OperationalError)):
        return Unavailable(text)
    if kind in _UNUSABLE_CLASSES or state == _MISSING_PRIVILEGE:
        return Unusable(text)
    if kind in _WRONG_TABLE_CLASSES:
        return WrongTable(text)
    return RowRefused(text)
