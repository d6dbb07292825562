"""Queries that a script waits for, in a few threads.

Rules:
1. `query` and every `done` run in the loop's thread.
2. A query waits once at most for a server that does not answer; `session` says what becomes of those behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeAlias

from openpy.db.dialect import Connection, Dialect, Row, fetch
from openpy.db.errors import DatabaseError, Unavailable
from openpy.db.session import Session
from openpy.db.threads import THREADS, Crew, Member, Threads

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
        threads: Threads = THREADS,
    ) -> None:
        self._post = post
        self._capacity = capacity
        self._waiting = 0
        self._running = False
        sessions = [Session(connect, dialect, threads.monotonic) for _ in range(size)]
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

    def _work(self, session: Session, queries: list[_Query]) -> None:
        """A thread: one query after the other."""
        for sql, parameters, done in queries:
            rows: list[Row] = []
            error: DatabaseError | None = None
            try:
                rows = session.read(partial(fetch, sql=sql, parameters=parameters))
            except DatabaseError as problem:
                error = problem
            self._post(partial(self._answer, done, rows, error))
