"""Statements that a script writes itself, in threads of their own: queries in some, what changes rows in one.

Rules:
1. `query`, `change` and every `done` run in the loop's thread.
2. `done` is called once, after the commit of what was changed. Several statements are one transaction.
3. What changes rows is tried once, on a connection that was there a second ago: nobody knows what became of it where
   the connection is lost under it.
4. A statement waits `patience` seconds at most for a thread; after that it is not run. The server may then take as
   long for it. A queue that is full takes no more.
5. A query has `most` rows at most; one that has more is an error, and no row is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from itertools import islice
from typing import Any, NamedTuple, TypeAlias

from openpy.db.dialect import Connection, Dialect, Row
from openpy.db.errors import DatabaseError, RowRefused, Unavailable
from openpy.db.session import Session
from openpy.db.threads import THREADS, Crew, Member, Threads

__all__ = ["Answer", "Executor", "PlainStatement"]

PATIENCE = 4.0
"""Seconds without a word from the server, or in the queue: whoever sent the request sends it again for 32 seconds."""

IDLE = 1.0
"""Seconds without work after which a connection is tried: a server that went away is found before a request is."""

READERS = 4

PlainStatement: TypeAlias = tuple[str, Sequence[Any]]
"""SQL with the dialect's placeholders, and the values of its parameters."""

Answer: TypeAlias = Callable[[list[Row], DatabaseError | None], None]
"""`done(rows, None)`, or `done([], error)`."""


class _Job(NamedTuple):
    work: Callable[[Session], list[Row]]
    done: Answer
    until: float


class Executor:
    """Runs statements on one database. `post(fn)` runs `fn` in the loop's thread; `connect` makes a connection.

    `capacity` bounds the statements that have no answer yet.
    """

    def __init__(
        self,
        connect: Callable[[], Connection],
        dialect: Dialect,
        post: Callable[[Callable[[], None]], None],
        *,
        patience: float = PATIENCE,
        capacity: int = 1000,
        threads: Threads = THREADS,
    ) -> None:
        self._dialect = dialect
        self._post = post
        self._patience = patience
        self._capacity = capacity
        self._monotonic = threads.monotonic
        self._waiting = 0
        self._running = False
        self._readers = self._crew("database queries", connect, READERS, threads)
        self._writer = self._crew("database changes", connect, 1, threads)

    def start(self) -> None:
        """Start the threads; they connect when they are first needed."""
        self._running = True
        self._readers.start()
        self._writer.start()

    def stop(self) -> None:
        """Finish every statement and end the threads. Blocks until then; the answers are posted."""
        if self._running:
            self._running = False
            self._readers.stop()
            self._writer.stop()

    def query(self, statement: PlainStatement, most: int, done: Answer) -> None:
        """Run a statement that changes nothing; raises Unavailable if the queue is full or closed."""
        work = partial(_queried, self._dialect, statement, most)
        self._put(self._readers, lambda session: session.read(work), done)

    def change(self, statements: Sequence[PlainStatement], most: int, done: Answer) -> None:
        """Run statements in one transaction; the rows are those of the last. Raises Unavailable as `query` does."""
        work = partial(_changed, self._dialect, statements, most)
        self._put(self._writer, lambda session: session.change(work), done)

    # --- threads ------------------------------------------------------------------------------------------------

    def _crew(self, name: str, connect: Callable[[], Connection], size: int, threads: Threads) -> Crew[_Job]:
        sessions = [Session(connect, self._dialect, threads.monotonic) for _ in range(size)]
        members = [
            Member(partial(self._work, session), session.close, session.keep_alive, IDLE)
            for session in sessions
        ]
        return threads.crew(name, members, most=1)

    def _put(self, crew: Crew[_Job], work: Callable[[Session], list[Row]], done: Answer) -> None:
        if self._waiting >= self._capacity or not self._running:
            raise Unavailable("too many statements wait" if self._running else "the database is closed")
        self._waiting += 1
        crew.put(_Job(work, done, self._monotonic() + self._patience))

    def _work(self, session: Session, jobs: list[_Job]) -> None:
        """A thread: one statement after the other."""
        for work, done, until in jobs:
            rows: list[Row] = []
            error: DatabaseError | None = None
            try:
                if self._monotonic() > until:
                    raise Unavailable("the statement was not run: too many others were before it")
                rows = work(session)
            except DatabaseError as problem:
                error = problem
            self._post(partial(self._answer, done, rows, error))

    def _answer(self, done: Answer, rows: list[Row], error: DatabaseError | None) -> None:
        self._waiting -= 1
        done(rows, error)


def _queried(dialect: Dialect, statement: PlainStatement, most: int, connection: Connection) -> list[Row]:
    sql, parameters = statement
    with closing(dialect.stream(connection, sql, _encodable(parameters))) as rows:
        return _checked(list(islice(rows, most + 1)), most)


def _changed(
    dialect: Dialect, statements: Sequence[PlainStatement], most: int, connection: Connection
) -> list[Row]:
    cursor = connection.cursor()
    rows: list[Row] = []
    in_commit = False
    try:
        if len(statements) > 1:
            cursor.execute(dialect.begin)
        for sql, parameters in statements:
            cursor.execute(sql, _encodable(parameters))
            rows = dialect.result(cursor, most + 1)
        if len(statements) > 1:
            in_commit = True
            connection.commit()
    except Exception as exception:
        error = dialect.explain(exception, in_commit=in_commit)
        if len(statements) > 1 and not isinstance(error, Unavailable):
            connection.rollback()
        raise error from exception
    finally:
        cursor.close()
    return _checked(rows, most)


def _encodable(parameters: Sequence[Any]) -> tuple[Any, ...]:
    """The parameters, none of which holds bytes that are no UTF-8; raises RowRefused."""
    for value in parameters:
        if isinstance(value, str) and not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError:
                raise RowRefused("a value for the database is no valid UTF-8") from None
    return tuple(parameters)


def _checked(rows: list[Row], most: int) -> list[Row]:
    if len(rows) > most:
        raise DatabaseError(f"the statement gives more than {most} rows")
    return rows
