"""Queries: what a script waits for goes through a few threads, what a module loads at its start does not.

Rules:
1. `query` and every `done` run in the loop's thread.
2. A query that fails for the connection's sake is answered with the error; the next one connects anew.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeAlias

from openpy.db.dialect import Connection, Dialect, Row, fetch, stream
from openpy.db.errors import DatabaseError, Unavailable

__all__ = ["Answer", "Reader"]

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
    ) -> None:
        self._connect = connect
        self._dialect = dialect
        self._post = post
        self._capacity = capacity
        self._waiting = 0
        self._running = False
        self._queue: SimpleQueue[_Query | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, name=f"database reader {number}", daemon=True)
            for number in range(size)
        ]

    def start(self) -> None:
        """Start the threads; they connect when they are first needed."""
        self._running = True
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Finish every query and end the threads. Blocks until then; the answers are posted."""
        if self._running:
            self._running = False
            for _ in self._threads:
                self._queue.put(None)
            for thread in self._threads:
                thread.join()

    def query(self, sql: str, parameters: Sequence[Any], done: Answer) -> None:
        """Run one query; raises Unavailable if the queue is full or closed."""
        if self._waiting >= self._capacity or not self._running:
            raise Unavailable("too many queries wait" if self._running else "the database is closed")
        self._waiting += 1
        self._queue.put((sql, parameters, done))

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> Iterator[Row]:
        """The rows of a query, read as they are taken, on a connection of their own. Blocks: for the start.

        Raises DatabaseError.
        """
        connection = self._connect()
        try:
            with self._dialect.explained():
                yield from stream(connection, sql, parameters)
        finally:
            connection.close()

    def _answer(self, done: Answer, rows: list[Row], error: DatabaseError | None) -> None:
        self._waiting -= 1
        done(rows, error)

    def _work(self) -> None:
        """A thread: one query after the other."""
        connection: Connection | None = None
        while (query := self._queue.get()) is not None:
            sql, parameters, done = query
            rows: list[Row] = []
            error: DatabaseError | None = None
            try:
                connection = connection or self._connect()
                rows = fetch(connection, sql, parameters)
            except Exception as exception:  # noqa: BLE001 - whatever it is, it is the answer to this query
                error = self._dialect.explain(exception)
                if connection is not None and isinstance(error, Unavailable):
                    connection.close()
                    connection = None
            self._post(partial(self._answer, done, rows, error))
        if connection is not None:
            connection.close()
