"""The group-commit writer: one thread that makes everything submitted durable, many requests a commit.

Rules:
1. `submit`, `flush`, `forgive` and every `done` run in the loop's thread.
2. What is flushed while a commit runs forms the next batch. There is no artificial delay.
3. `done` is called once for every submission, after its commit, in the order of submission.
4. A request waits at most for the batch before its own and its own; what each may wait for a lock or a server
   is bounded by `Dialect.connect`, and nothing waits for a connection.
Which submissions a failure refuses is said in `committer`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from functools import partial

from openpy.db.committer import Committer, Done, Forgiven, Outcome, Submission, WriterCounts
from openpy.db.dialect import Connection, Dialect
from openpy.db.errors import DatabaseError, Unavailable
from openpy.db.statements import Change, Delete, Insert, Operation, Update, Upsert
from openpy.db.threads import THREADS, Crew, Member, Threads

__all__ = ["Delete", "Done", "Insert", "Operation", "Update", "Upsert", "Writer", "WriterCounts"]


IDLE = 1.0
"""Seconds without work after which the connection is tried: a server that went away is found before a request is."""


class Writer:
    """Writes to one database. `post(fn)` runs `fn` in the loop's thread and may be called from any thread.

    Connections are brought by `adopt`, at any time; without one every submission is answered Unavailable at once.
    `lost(reason)` asks for one, in the writer's thread, when the last is given up.
    `capacity` bounds the submissions that wait for their answer. `on_unknown`, if set, is called in the
    loop's thread, before the answers, with the keys of which nobody knows whether the database kept them.
    """

    def __init__(
        self,
        dialect: Dialect,
        post: Callable[[Callable[[], None]], None],
        lost: Callable[[DatabaseError], None],
        *,
        capacity: int = 100_000,
        threads: Threads = THREADS,
    ) -> None:
        self.on_unknown: Callable[[list[Hashable]], None] | None = None
        self._post = post
        self._capacity = capacity
        self._waiting = 0
        self._burst: list[Submission | Forgiven] = []
        self._unforgiven: set[Hashable] = set()
        self._running = False
        committer = self._committer = Committer(dialect, lost)
        thread: Member[list[Submission | Forgiven] | Connection] = Member(
            self._work, committer.close, committer.keep_alive, IDLE
        )
        self._crew: Crew[list[Submission | Forgiven] | Connection] = threads.crew("database writer", [thread])
        """Gets bursts, and connections to write on."""

    @property
    def counts(self) -> WriterCounts:
        """What was done so far."""
        return self._committer.counts

    @property
    def waiting(self) -> int:
        """The submissions that have no answer yet."""
        return self._waiting

    def start(self) -> None:
        """Start the thread."""
        self._running = True
        self._crew.start()

    def adopt(self, connection: Connection) -> None:
        """Write on this connection from now on; it is closed in the end. May be called in any thread."""
        self._crew.put(connection)

    def stop(self) -> None:
        """Finish everything submitted, end the thread and close the connection. Blocks until then.

        The answers are posted: the loop must turn once more to give them. Where nothing submits any more,
        this may run in another thread.
        """
        if self._running:
            self._running = False
            self.flush()
            self._crew.stop()

    def submit(self, key: Hashable, operations: Sequence[Change], done: Done) -> None:
        """Queue operations that stand or fall together; raises Unavailable if the queue is full or closed.

        `done(None)` says that they are durable, `done(error)` that they were not done. The operations must
        not be changed before that.
        """
        if self._waiting >= self._capacity or not self._running:
            raise Unavailable("the database queue is full" if self._running else "the database is closed")
        self._waiting += 1
        self._burst.append((key, operations, done))

    def flush(self) -> None:
        """Hand over what was submitted; to be called at the end of a burst of submissions."""
        if self._burst:
            self._crew.put(self._burst)
            self._burst = []

    def forgive(self, key: Hashable) -> None:
        """The failure of a key is dealt with: what is submitted from now on is written again.

        To be called when `done(error)` comes and the tentative state of the key is dropped. Submissions of
        the key made before this call are refused too; a call for one of these has no effect.
        """
        if key in self._unforgiven:
            self._unforgiven.remove(key)
            self._burst.append(Forgiven(key))

    def _answer(self, outcome: Outcome) -> None:
        """Give every submission of a batch its answer, in the loop's thread."""
        self._waiting -= len(outcome.batch)
        if outcome.errors:
            self._unforgiven.update(outcome.failures)
            unknown = outcome.unknown()
            if unknown and self.on_unknown is not None:
                self.on_unknown(unknown)
        outcome.answer()
        self.flush()

    def _work(self, items: list[list[Submission | Forgiven] | Connection]) -> None:
        """The thread: everything that was queued while it was at work is one batch."""
        entries: list[Submission | Forgiven] = []
        for item in items:
            if isinstance(item, list):
                entries += item
            else:
                self._committer.adopt(item)
        outcome = self._committer.commit(entries)
        if outcome.batch:
            self._post(partial(self._answer, outcome))
