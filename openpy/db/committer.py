"""What the writer's thread does with a batch: commit it, or find out who must be refused.

Rules:
1. Operations on one row take effect in the order of submission.
2. After a submission of a key is refused, so is every later one of that key with the same error, until the
   key is forgiven: they were decided on a state that never came to be.
3. A row that the database refuses takes nobody with it: the batch is halved until the culprit is alone.
4. A database that is unavailable refuses the whole batch; the next batch tries again.
5. One batch waits for at most one lock, or once for a server that does not answer; `Dialect.connect` bounds both.
   Nothing waits for a connection: without one everything is refused at once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from openpy.db.batch import Batch, run_in_order
from openpy.db.dialect import Connection, Cursor, Dialect
from openpy.db.errors import DatabaseError, OutcomeUnknown, Unavailable
from openpy.db.statements import Change

logger = logging.getLogger(__name__)

Done: TypeAlias = Callable[[DatabaseError | None], None]
Submission: TypeAlias = tuple[Hashable, Sequence[Change], Done]


class Forgiven(NamedTuple):
    """Stands among the submissions where a key was forgiven: those before it are still refused."""

    key: Hashable


@dataclass(slots=True)
class WriterCounts:
    """What was done: `batches` taken, `rows` committed, `commits`, submissions `refused`, and the number of
    submissions in the `largest` batch."""

    batches: int = 0
    rows: int = 0
    commits: int = 0
    refused: int = 0
    largest: int = 0


class Outcome:
    """What became of one batch: `errors` by place in it; `failures`, the keys that failed first in it."""

    __slots__ = ("batch", "errors", "failures")

    def __init__(self) -> None:
        self.batch: list[Submission] = []
        self.errors: dict[int, DatabaseError] = {}
        self.failures: list[Hashable] = []

    def unknown(self) -> list[Hashable]:
        """The keys of submissions that the database may have kept or not."""
        errors = self.errors.items()
        return [self.batch[place][0] for place, error in errors if isinstance(error, OutcomeUnknown)]

    def answer(self) -> None:
        """Give every submission its answer, in the thread that submitted it."""
        errors = self.errors
        for place, (_, _, done) in enumerate(self.batch):
            try:
                done(errors.get(place))
            except Exception:
                # One that fails must not cost the others their answer.
                logger.exception("the answer to a database write failed")


class Committer:
    """One connection that writes batches. Not thread-safe."""

    def __init__(self, dialect: Dialect, lost: Callable[[DatabaseError], None]) -> None:
        """`lost(reason)` is called when the connection is given up; `adopt` is to bring a new one."""
        self.counts = WriterCounts()
        self._dialect = dialect
        self._lost = lost
        self._session: tuple[Connection, Cursor] | None = None
        self._reason: DatabaseError = Unavailable("there is no connection to the database")
        self._failed: dict[Hashable, DatabaseError] = {}
        self._is_away = False

    def adopt(self, connection: Connection) -> None:
        """Write on this connection from now on."""
        self.close()
        self._session = connection, connection.cursor()

    def close(self) -> None:
        """Close the connection, if there is one."""
        session, self._session = self._session, None
        # The cursor first: SQLite keeps a connection, with its locks, as long as a statement of it is open.
        for item in reversed(session or ()):
            try:
                item.close()
            except Exception as exception:  # noqa: BLE001 - some drivers refuse to close what is lost already
                logger.warning("closing the connection to the database: %s", exception)

    def keep_alive(self) -> None:
        """Find out whether the connection is still there, so that no request has to."""
        if self._session is not None and self._dialect.alive:
            try:
                self._session[1].execute(self._dialect.alive)
            except Exception as exception:  # noqa: BLE001 - whatever it is, a new connection mends it
                self._give_up(self._dialect.explain(exception))

    def commit(self, entries: Iterable[Submission | Forgiven]) -> Outcome:
        """Write what can be written; everything is answered in the outcome."""
        outcome = Outcome()
        admitted = self._admit(entries, outcome)
        if outcome.batch:
            self._write(admitted, outcome)
            counts = self.counts
            counts.batches += 1
            counts.largest = max(counts.largest, len(outcome.batch))
            counts.refused += len(outcome.errors)
        return outcome

    def _admit(self, entries: Iterable[Submission | Forgiven], outcome: Outcome) -> list[int]:
        """The places of what may be written: not what follows a failure of its key."""
        admitted = []
        batch, failed = outcome.batch, self._failed
        for entry in entries:
            if isinstance(entry, Forgiven):
                failed.pop(entry.key, None)
                continue
            place = len(batch)
            batch.append(entry)
            if failed and entry[0] in failed:
                outcome.errors[place] = failed[entry[0]]
            else:
                admitted.append(place)
        return admitted

    def _write(self, admitted: list[int], outcome: Outcome) -> None:
        """Commit all at once, or else in ever smaller parts, in order."""
        parts = [admitted]
        while parts:
            places = self._without_failed(parts.pop(), outcome)
            if not places:
                continue
            error = self._attempt([outcome.batch[place][1] for place in places])
            if error is None:
                continue
            if isinstance(error, Unavailable):
                for part in (places, *reversed(parts)):
                    self._refuse(part, error, outcome)
                return
            if len(places) == 1:
                self._refuse(places, error, outcome)
            else:
                middle = len(places) // 2
                parts += places[middle:], places[:middle]

    def _without_failed(self, places: list[int], outcome: Outcome) -> list[int]:
        """Without those whose key has failed since they were admitted."""
        if not outcome.failures:
            return places
        wanted = []
        for place in places:
            error = self._failed.get(outcome.batch[place][0])
            if error is None:
                wanted.append(place)
            else:
                outcome.errors[place] = error
        return wanted

    def _refuse(self, places: list[int], error: DatabaseError, outcome: Outcome) -> None:
        for place in places:
            key = outcome.batch[place][0]
            if key not in self._failed:
                self._failed[key] = error
                outcome.failures.append(key)
            outcome.errors[place] = self._failed[key]

    def _attempt(self, submissions: list[Sequence[Change]]) -> DatabaseError | None:
        """Run submissions in one transaction; None when it is committed."""
        if self._session is None:
            self._note(self._reason)
            return self._reason
        connection, cursor = self._session
        in_commit = False
        try:
            if len(submissions) == 1:
                cursor.execute(self._dialect.begin)
                rows = run_in_order(submissions[0], cursor)
            else:
                batch = Batch()
                for operations in submissions:
                    batch.add(operations)
                cursor.execute(self._dialect.begin)
                rows = batch.run(cursor)
            in_commit = True
            connection.commit()
        except Exception as exception:  # noqa: BLE001 - whatever it is, it is the answer to these submissions
            error = self._dialect.explain(exception, in_commit=in_commit)
            self._undo(connection, error)
            self._note(error)
            return error
        self.counts.commits += 1
        self.counts.rows += rows
        if self._is_away:
            self._note(None)
        return None

    def _note(self, error: DatabaseError | None) -> None:
        """Log that the database went away, or is back: a line for each change, not for each request."""
        if isinstance(error, Unavailable) and not self._is_away:
            self._is_away = True
            logger.warning("the database takes no writes, which are answered by 503 until it does: %s", error)
        elif error is None:
            self._is_away = False
            logger.warning("the database takes writes again")

    def _undo(self, connection: Connection, error: DatabaseError) -> None:
        """Drop the open transaction; a connection that cannot do even that is given up for a new one."""
        try:
            connection.rollback()
        except Exception:  # noqa: BLE001 - each driver has its own; a new connection mends all
            self._give_up(error)

    def _give_up(self, error: DatabaseError) -> None:
        self.close()
        # What comes now is refused for this reason, of which nobody must think that its own COMMIT was begun.
        self._reason = Unavailable(str(error))
        self._lost(self._reason)
