from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import pytest

from openpy.db.database import Database
from openpy.db.dialect import Row
from openpy.db.errors import DatabaseError, RowRefused, Unavailable
from openpy.db.executor import Answer, PlainStatement
from openpy.engine.log import DEBUG, Log
from openpy.engine.run import Overloaded
from openpy.engine.waiting import Stepper
from openpy.modules.avpops.asking import Asking

ONE: PlainStatement = ("SELECT 1", [])


class Answering:
    """A database that answers at once; `refused` is the SQL of statements that it refuses."""

    def __init__(self) -> None:
        self.ready = True
        self.error: DatabaseError | None = None
        self.refused: set[str] = set()
        self.changes: list[list[str]] = []

    def executor(self) -> Answering:
        return self

    def query(self, statement: PlainStatement, most: int, done: Answer) -> None:
        assert most == 9
        self._answer(done, self.error)

    def change(self, statements: Sequence[PlainStatement], most: int, done: Answer) -> None:
        self.changes.append([sql for sql, _ in statements])
        refused = self.refused.intersection(self.changes[-1])
        self._answer(done, RowRefused(f"{min(refused)} is refused") if refused else self.error)

    def _answer(self, done: Answer, error: DatabaseError | None) -> None:
        rows: list[Row] = [] if error else [(1,)]
        done(rows, error)


class Running:
    def __init__(self) -> None:
        self.held = 0
        self.full = False

    def hold(self) -> None:
        if self.full:
            raise Overloaded
        self.held += 1


@pytest.fixture
def database() -> Answering:
    return Answering()


@pytest.fixture
def logged() -> list[str]:
    return []


@pytest.fixture
def asking(database: Answering, logged: list[str]) -> Asking:
    return Asking(
        cast(Database, database), 9, Log(DEBUG, lambda level, line: logged.append(line.split("] ", 1)[1]))
    )


def result(coroutine: Any) -> Any:
    ends: list[tuple[Any, BaseException | None]] = []
    Stepper(coroutine, lambda value, error: ends.append((value, error))).step()
    ((value, error),) = ends
    assert error is None
    return value


Ask = Callable[[Asking, Any], Any]
ASKS: list[Ask] = [
    lambda asking, run: asking.query(run, "f", ONE),
    lambda asking, run: asking.change(run, "f", ONE),
]


@pytest.mark.parametrize("ask", ASKS)
def test_rows_are_waited_for(asking: Asking, ask: Ask) -> None:
    run = Running()
    assert result(ask(asking, run)) == [(1,)]
    assert run.held == 1


@pytest.mark.parametrize("ask", ASKS)
def test_what_fails_is_logged(asking: Asking, database: Answering, logged: list[str], ask: Ask) -> None:
    database.error = Unavailable("away")
    assert result(ask(asking, Running())) is None
    database.ready = False
    assert result(ask(asking, Running())) is None
    database.ready = True
    full = Running()
    full.full = True
    assert result(ask(asking, full)) is None
    assert logged == [
        "WARNING:avpops: f: away",
        "WARNING:avpops: f: the database is not there yet",
        "WARNING:avpops: f: there is no room for a transaction, which a route that waits needs",
    ]


@pytest.mark.parametrize(
    ("refused", "done", "changes"),
    [
        ("", [0, 1, 2], ["abc"]),
        ("b", [0, 2], ["abc", "a", "b", "c"]),
        ("abc", [], ["abc", "a", "b", "c"]),
    ],
)
def test_one_that_is_refused_keeps_out_no_other(
    asking: Asking, database: Answering, refused: str, done: list[int], changes: list[str]
) -> None:
    database.refused = set(refused)
    assert result(asking.insert(cast(Any, Running()), "f", [(sql, []) for sql in "abc"])) == done
    assert database.changes == [list(change) for change in changes]


def test_one_alone_is_not_tried_twice(asking: Asking, database: Answering, logged: list[str]) -> None:
    database.refused = {"a"}
    assert result(asking.insert(cast(Any, Running()), "f", [("a", [])])) == []
    assert database.changes == [["a"]]
    database.error = Unavailable("away")
    assert result(asking.insert(cast(Any, Running()), "f", [("b", []), ("c", [])])) == []
    assert logged == ["WARNING:avpops: f: a is refused", "WARNING:avpops: f: away"]
