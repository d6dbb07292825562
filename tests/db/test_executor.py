from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from queue import SimpleQueue

import pytest

from openpy.db.dialect import Connection, Dialect, Row, execute, fetch
from openpy.db.errors import DatabaseError, RowRefused, Unavailable, WrongTable
from openpy.db.executor import READERS, Executor
from openpy.db.statements import TableSql
from openpy.db.url import DatabaseUrl
from tests.servers import with_server

Answered = tuple[list[Row], DatabaseError | None]


class Answers:
    """The answers, and the loop's turns that bring them."""

    def __init__(self) -> None:
        self.posted: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self.given: list[Answered] = []

    def __call__(self, rows: list[Row], error: DatabaseError | None) -> None:
        self.given.append(([tuple(row) for row in rows], error))

    def next(self) -> Answered:
        self.posted.get(timeout=10)()
        return self.given[-1]


@pytest.fixture
def answers() -> Answers:
    return Answers()


@pytest.fixture
def executor(
    url: DatabaseUrl, dialect: Dialect, connection: Connection, empty_table: TableSql, answers: Answers
) -> Iterator[Executor]:
    """On a database with the table mailbox."""
    executor = Executor(
        lambda: dialect.connect(url, patience=10.0), dialect, answers.posted.put, capacity=6, patience=0.3
    )
    executor.start()
    yield executor
    executor.stop()


def kept(connection: Connection) -> Sequence[Row]:
    return [tuple(row) for row in fetch(connection, "SELECT owner, unread FROM mailbox ORDER BY id")]


INSERT = "INSERT INTO mailbox (id, owner, unread) VALUES ({0}, {0}, {0})"


def test_a_query(executor: Executor, dialect: Dialect, answers: Answers, connection: Connection) -> None:
    execute(connection, "INSERT INTO mailbox VALUES (1, 'alice', 3, NULL)")
    sql = f"SELECT unread, note FROM mailbox WHERE owner = {dialect.placeholder}"
    executor.query((sql, ["alice"]), 5, answers)
    assert answers.given == []
    assert answers.next() == ([(3, None)], None)
    executor.query((sql, ["Alice"]), 5, answers)
    assert answers.next() == ([], None)


def test_a_value_is_a_value(
    executor: Executor, dialect: Dialect, answers: Answers, connection: Connection
) -> None:
    execute(connection, "INSERT INTO mailbox VALUES (1, 'alice', 3, NULL)")
    for value in ("'", "\\", "' OR '1'='1", '"; DROP TABLE mailbox; --', "%s ? %(x)s", "\u00e9\U0001f600"):
        executor.query((f"SELECT {dialect.placeholder}, owner FROM mailbox", [value]), 5, answers)
        assert answers.next() == ([(value, "alice")], None)


def test_one_change_is_committed_when_it_is_answered(
    executor: Executor, dialect: Dialect, answers: Answers, connection: Connection
) -> None:
    executor.change([(INSERT.format(dialect.placeholder), [1, "alice", 3])], 5, answers)
    assert answers.next() == ([], None)
    assert kept(connection) == [("alice", 3)]


def test_several_changes_are_one_transaction(
    executor: Executor, dialect: Dialect, answers: Answers, connection: Connection
) -> None:
    insert = INSERT.format(dialect.placeholder)
    executor.change([(insert, [1, "alice", 3]), (insert, [2, "bob", 4])], 5, answers)
    assert answers.next() == ([], None)
    assert kept(connection) == [("alice", 3), ("bob", 4)]
    executor.change([(insert, [3, "carol", 3]), (insert, [4, "alice", 4])], 5, answers)
    rows, error = answers.next()
    assert rows == []
    assert isinstance(error, RowRefused)
    assert kept(connection) == [("alice", 3), ("bob", 4)]
    executor.change([(insert, [3, "carol", 3])], 5, answers)
    assert answers.next() == ([], None), "the connection is as good as before"


def test_a_change_may_give_rows(executor: Executor, answers: Answers) -> None:
    executor.change([("SELECT 5", [])], 5, answers)
    assert answers.next() == ([(5,)], None)


def test_rows_are_bounded(
    executor: Executor, dialect: Dialect, answers: Answers, connection: Connection
) -> None:
    for number in range(4):
        execute(connection, f"INSERT INTO mailbox VALUES ({number + 1}, '{number}', 0, NULL)")
    query = ("SELECT owner FROM mailbox ORDER BY id", ())
    executor.query(query, 4, answers)
    assert len(answers.next()[0]) == 4
    for ask in (partial(executor.query, query), partial(executor.change, [query])):
        ask(3, answers)
        rows, error = answers.next()
        assert rows == []
        assert str(error) == "the statement gives more than 3 rows"
    executor.query(query, 4, answers)
    assert len(answers.next()[0]) == 4, "the connection is as good as before"


@pytest.mark.parametrize("sql", ["SELECT nothing FROM nowhere", "nonsense", ""])
def test_what_is_wrong_is_an_answer_and_ends_no_thread(
    executor: Executor, answers: Answers, sql: str
) -> None:
    for _ in range(READERS + 1):
        executor.query((sql, ()), 5, answers)
        executor.change([(sql, ())], 5, answers)
        for _ in range(2):
            rows, error = answers.next()
            assert rows == []
            assert sql == "" or isinstance(error, WrongTable)
    executor.query(("SELECT 1", ()), 5, answers)
    assert answers.next() == ([(1,)], None)


def test_bytes_that_are_no_text_are_refused(executor: Executor, dialect: Dialect, answers: Answers) -> None:
    statement = (f"SELECT {dialect.placeholder}", ["a\udcff"])
    for ask in (partial(executor.query, statement), partial(executor.change, [statement])):
        ask(5, answers)
        error = answers.next()[1]
        assert isinstance(error, RowRefused)
        assert "no valid UTF-8" in str(error)


@with_server
def test_a_connection_that_was_lost_costs_no_change_if_there_was_time_to_find_out(
    kind: str,
    url: DatabaseUrl,
    dialect: Dialect,
    answers: Answers,
    connection: Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = "connection_id()" if kind == "mysql" else "pg_backend_pid()"
    kill = "KILL {}" if kind == "mysql" else "SELECT pg_terminate_backend({}, 5000)"
    monkeypatch.setattr("openpy.db.executor.IDLE", 0.02)
    executor = Executor(lambda: dialect.connect(url, patience=10.0), dialect, answers.posted.put)
    executor.start()
    ask = partial(executor.change, [(f"SELECT {own}", ())], 5, answers)
    ask()
    ((victim,),) = answers.next()[0]
    execute(connection, kill.format(victim))
    time.sleep(0.1)
    ask()
    rows, error = answers.next()
    assert error is None
    assert rows != [(victim,)]
    executor.stop()


class Busy:
    """A way to a database on which all threads are busy until they are let go."""

    def __init__(self, dialect: Dialect, url: DatabaseUrl) -> None:
        self.free = threading.Event()
        self._dialect = dialect
        self._url = url

    def connect(self) -> Connection:
        self.free.wait(10)
        return self._dialect.connect(self._url, patience=10.0)


on_a_file = pytest.mark.parametrize("kind", ["sqlite"])


def busy_executor(
    busy: Busy, dialect: Dialect, answers: Answers, capacity: int = 100, patience: float = 0.05
) -> Executor:
    executor = Executor(busy.connect, dialect, answers.posted.put, capacity=capacity, patience=patience)
    executor.start()
    return executor


@on_a_file
def test_what_waited_too_long_is_not_run(
    kind: str, dialect: Dialect, url: DatabaseUrl, answers: Answers, connection: Connection
) -> None:
    busy = Busy(dialect, url)
    executor = busy_executor(busy, dialect, answers)
    for _ in range(2):
        executor.change([("SELECT 1", ())], 5, answers)
    time.sleep(0.1)
    busy.free.set()
    assert answers.next() == ([(1,)], None)
    error = answers.next()[1]
    assert isinstance(error, Unavailable)
    assert "too many others were before it" in str(error)
    executor.stop()


@on_a_file
def test_the_queue_is_bounded_and_stop_finishes_it(
    kind: str, dialect: Dialect, url: DatabaseUrl, answers: Answers, connection: Connection
) -> None:
    busy = Busy(dialect, url)
    executor = busy_executor(busy, dialect, answers, capacity=3, patience=10)
    for _ in range(3):
        executor.query(("SELECT 1", ()), 5, answers)
    with pytest.raises(Unavailable, match="too many statements wait"):
        executor.change([("SELECT 1", ())], 5, answers)
    busy.free.set()
    executor.stop()
    executor.stop()
    assert [answers.next() for _ in range(3)] == [([(1,)], None)] * 3
    with pytest.raises(Unavailable, match="closed"):
        executor.query(("SELECT 1", ()), 5, answers)


@on_a_file
def test_a_change_waits_for_no_query(kind: str, dialect: Dialect, url: DatabaseUrl, answers: Answers) -> None:
    """Queries that last do not keep what changes rows from its thread."""
    let_go = threading.Event()
    threads: list[str] = []

    def connect() -> Connection:
        threads.append(threading.current_thread().name)
        if "queries" in threads[-1]:
            let_go.wait(10)
        return dialect.connect(url, patience=10.0)

    executor = Executor(connect, dialect, answers.posted.put)
    executor.start()
    for _ in range(READERS + 2):
        executor.query(("SELECT 1", ()), 5, answers)
    executor.change([("SELECT 2", ())], 5, answers)
    assert answers.next() == ([(2,)], None)
    let_go.set()
    executor.stop()
    assert threads.count("database changes") == 1
    assert threads.count("database queries") <= READERS
