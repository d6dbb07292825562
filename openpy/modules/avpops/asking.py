"""Waiting for the database: a route does, other messages do not, and its retransmissions are absorbed meanwhile.

What fails is logged under the name of the function that asked, and gives None.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from openpy.db.database import Database
from openpy.db.dialect import Row
from openpy.db.errors import DatabaseError, RowRefused, Unavailable
from openpy.db.executor import Answer, Executor, PlainStatement
from openpy.engine.log import Log
from openpy.engine.run import Overloaded, Run
from openpy.engine.waiting import Wait

ORIGIN = "avpops"


class Asking:
    """Asks one database; an answer has `most` rows at most."""

    def __init__(self, database: Database, most: int, log: Log) -> None:
        self._database = database
        self._most = most
        self._log = log

    async def query(self, run: Run, function: str, statement: PlainStatement) -> list[Row] | None:
        """The rows of a statement that changes nothing."""
        try:
            return await self._wait(run, lambda executor, done: executor.query(statement, self._most, done))
        except DatabaseError as error:
            self._failed(function, error)
            return None

    async def change(self, run: Run, function: str, statement: PlainStatement) -> list[Row] | None:
        """The rows, if it has any, of a statement that is committed."""
        try:
            return await self._change(run, [statement])
        except DatabaseError as error:
            self._failed(function, error)
            return None

    async def insert(self, run: Run, function: str, statements: Sequence[PlainStatement]) -> list[int]:
        """Run statements in one transaction, or if one of them is refused each by itself; the places of those done."""
        try:
            await self._change(run, statements)
        except RowRefused as error:
            if len(statements) == 1:
                self._failed(function, error)
                return []
            rows = [await self.change(run, function, statement) for statement in statements]
            return [place for place, found in enumerate(rows) if found is not None]
        except DatabaseError as error:
            self._failed(function, error)
            return []
        return list(range(len(statements)))

    async def _change(self, run: Run, statements: Sequence[PlainStatement]) -> list[Row]:
        return await self._wait(run, lambda executor, done: executor.change(statements, self._most, done))

    async def _wait(self, run: Run, put: Callable[[Executor, Answer], None]) -> list[Row]:
        """Raises DatabaseError."""
        if not self._database.ready:
            raise Unavailable("the database is not there yet")
        try:
            run.hold()
        except Overloaded:
            raise Unavailable("there is no room for a transaction, which a route that waits needs") from None
        answer: Wait[list[Row]] = Wait()
        put(self._database.executor(), partial(_answered, answer))
        return await answer

    def _failed(self, function: str, error: DatabaseError) -> None:
        self._log.warning(ORIGIN, f"{function}: {error}")


def _answered(answer: Wait[list[Row]], rows: list[Row], error: DatabaseError | None) -> None:
    if error is None:
        answer.resolve(rows)
    else:
        answer.fail(error)
