"""Queries that a script waits for, in a few threads.

Rules:
1. `query` and every `done` run in the loop's thread.
2. A query waits once at most for a server that does not answer. One that cannot connect is answered with the
   error, and so are those after it for PAUSE seconds: a queue of them must not try one by one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeAlias

from openpy.db.dialect import Connection, Dialect, Row, fetch
from openpy.db.errors import DatabaseError, Unavailable
from openpy.db.threads import THREADS, Crew, Member, Threads

__all__ = ["Answer", "Reader"]

logger = logging.getLogger(__name__)

PAUSE = 0.1
"""Seconds after a connect that failed in which none is tried."""

QUICK = 0.1
"""Seconds. A query that failed sooner for a lost connection is tried once more on a new one."""

Answer: TypeAlias = Callable[[list[Row], DatabaseError | None], None]
"""`done(rows, None)`, or `done([], error)`."""

_Query: TypeAlias = tuple[str, Sequence[Any], Answer]


class Reader:
    """Reads from one database in `size` threads, each with a connection of its own.

    `post(fn)` runs `fn` in the loop's thread. `capacity` bounds the queries that have no answer yet.
    """

    def __init__(
        self,
        connect: Callable[[], Connection],
        dialect: Dialect,
        post: Callable[[Callable[[], None]], None],
        *,
        size: int = 2,
        capacity: int = 10_000,
        threads: Threads = THREADS,
    ) -> None:
        self._post = post
        self._capacity = capacity
        self._waiting = 0
        self._running = False
        sessions = [_Session(connect, dialect, threads.monotonic) for _ in range(size)]
        self._threads: Crew[_Query] = threads.crew(
            "database reader",
            [Member(partial(self._work, session), session.close) for session in sessions],
            most=1,
        )

    def start(self) -> None:
        """Start the threads; they connect when they are first needed."""
        self._running = True
        self._threads.start()

    def stop(self) -> None:
        """Finish every query and end the threads. Blocks until then; the answers are posted."""
        if self._running:
            self._running = False
            self._threads.stop()

    def query(self, sql: str, parameters: Sequence[Any], done: Answer) -> None:
        """Run one query; raises Unavailable if the queue is full or closed."""
        if self._waiting >= self._capacity or not self._running:
            raise Unavailable("too many queries wait" if self._running else "the database is closed")
        self._waiting += 1
        self._threads.put((sql, parameters, done))

    def _answer(self, done: Answer, rows: list[Row], error: DatabaseError | None) -> None:
        self._waiting -= 1
        done(rows, error)

    def _work(self, session: _Session, queries: list[_Query]) -> None:
        """A thread: one query after the other."""
        for sql, parameters, done in queries:
            rows: list[Row] = []
            error: DatabaseError | None = None
            try:
                rows = session.fetch(sql, parameters)
            except DatabaseError as problem:
                error = problem
            self._post(partial(self._answer, done, rows, error))


class _Session:
    """The connection of one thread, made when it is needed."""

    def __init__(
        self, connect: Callable[[], Connection], dialect: Dialect, monotonic: Callable[[], float]
    ) -> None:
        self._connect = connect
        self._dialect = dialect
        self._monotonic = monotonic
        self._connection: Connection | None = None
        self._away = DatabaseError()
        self._next_try = 0.0

    def fetch(self, sql: str, parameters: Sequence[Any]) -> list[Row]:
        """All rows of a query; raises DatabaseError."""
        begun = self._monotonic()
        is_old = self._connection is not None
        try:
            return self._attempt(sql, parameters)
        except Unavailable:
            self.close()
            # The server may have been started anew since the last query; who waited for it must not wait twice.
            if not is_old or self._monotonic() - begun > QUICK:
                raise
        return self._attempt(sql, parameters)

    def close(self) -> None:
        """Close the connection, if there is one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.close()
            except Exception as exception:  # noqa: BLE001 - some drivers refuse to close what is lost already
                logger.debug("closing the connection of a reader: %s", exception)

    def _attempt(self, sql: str, parameters: Sequence[Any]) -> list[Row]:
        if self._connection is None:
            self._connection = self._open()
        with self._dialect.explained():
            return fetch(self._connection, sql, parameters)

    def _open(self) -> Connection:
        if self._monotonic() < self._next_try:
            raise self._away
        try:
            with self._dialect.explained():
                return self._connect()
        except DatabaseError as error:
            self._away, self._next_try = error, self._monotonic() + PAUSE
            raise
