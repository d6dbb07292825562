import threading
import time
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from typing import TypeAlias

import pytest

from openpy.db.dialect import Connection, Dialect, Row, execute
from openpy.db.errors import DatabaseError, Unavailable, WrongTable
from openpy.db.reader import Reader
from openpy.db.session import PAUSE
from openpy.db.statements import TableSql
from openpy.db.url import DatabaseUrl
from tests.servers import with_server

Posted: TypeAlias = SimpleQueue[Callable[[], None]]


class Answers:
    """The answers to queries, and the loop's turns that bring them."""

    def __init__(self) -> None:
        self.posted: Posted = SimpleQueue()
        self.given: list[tuple[list[Row], DatabaseError | None]] = []

    def __call__(self, rows: list[Row], error: DatabaseError | None) -> None:
        self.given.append((rows, error))

    def next(self) -> tuple[list[Row], DatabaseError | None]:
        self.posted.get(timeout=10)()
        return self.given[-1]


@pytest.fixture
def answers() -> Answers:
    return Answers()


@pytest.fixture
def reader(url: DatabaseUrl, dialect: Dialect, connection: Connection, answers: Answers) -> Iterator[Reader]:
    reader = Reader(lambda: dialect.connect(url, read_only=True), dialect, answers.posted.put, capacity=5)
    reader.start()
    yield reader
    reader.stop()


def test_a_query_is_answered_in_the_loop(
    reader: Reader, dialect: Dialect, answers: Answers, connection: Connection, empty_table: TableSql
) -> None:
    execute(connection, "INSERT INTO mailbox VALUES (1, 'alice', 3, NULL)")
    query = f"SELECT unread FROM mailbox WHERE owner = {dialect.placeholder}"
    reader.query(query, ("Alice",), answers)
    assert answers.next() == ([], None), "Alice is not alice"
    answers.given.clear()
    reader.query(query, ("alice",), answers)
    assert answers.given == []
    assert answers.next() == ([(3,)], None)


def test_a_query_cannot_write(reader: Reader, answers: Answers, empty_table: TableSql) -> None:
    reader.query("DELETE FROM mailbox", (), answers)
    rows, error = answers.next()
    assert rows == []
    assert isinstance(error, Unavailable)
    assert "read" in str(error).lower()


def test_a_wrong_query_is_an_answer_and_ends_no_thread(reader: Reader, answers: Answers) -> None:
    for _ in range(4):
        reader.query("SELECT nothing FROM nowhere", (), answers)
        assert isinstance(answers.next()[1], WrongTable)
    reader.query("SELECT 1", (), answers)
    assert answers.next() == ([(1,)], None)


def test_the_queue_is_bounded(reader: Reader, answers: Answers) -> None:
    for _ in range(5):
        reader.query("SELECT 1", (), answers)
    with pytest.raises(Unavailable, match="too many"):
        reader.query("SELECT 1", (), answers)
    answers.next()
    reader.query("SELECT 1", (), answers)


def test_stop_finishes_what_is_queued(reader: Reader, answers: Answers) -> None:
    reader.query("SELECT 1", (), answers)
    reader.stop()
    assert answers.next() == ([(1,)], None)
    with pytest.raises(Unavailable, match="closed"):
        reader.query("SELECT 1", (), answers)


def test_a_database_that_is_away_is_tried_again(url: DatabaseUrl, dialect: Dialect, answers: Answers) -> None:
    tries = 0
    away = threading.Event()
    away.set()

    def connect() -> Connection:
        nonlocal tries
        tries += 1
        if away.is_set():
            raise Unavailable("away")
        return dialect.connect(url)

    reader = Reader(connect, dialect, answers.posted.put, size=1)
    reader.start()
    for _ in range(3):
        reader.query("SELECT 1", (), answers)
        assert str(answers.next()[1]) == "away"
    assert tries == 1, "those who come at once do not try one by one"
    away.clear()
    time.sleep(PAUSE)
    reader.query("SELECT 1", (), answers)
    assert answers.next() == ([(1,)], None)
    reader.stop()


@with_server
def test_a_connection_that_was_lost_costs_no_query(
    kind: str, reader: Reader, answers: Answers, connection: Connection
) -> None:
    own = "connection_id()" if kind == "mysql" else "pg_backend_pid()"
    kill = "KILL {}" if kind == "mysql" else "SELECT pg_terminate_backend({}, 5000)"
    reader.query(f"SELECT {own}", (), answers)
    ((victim,),) = answers.next()[0]
    reader.query(f"SELECT {own}", (), answers)
    answers.next()
    execute(connection, kill.format(victim))
    for _ in range(2):
        reader.query(f"SELECT {own}", (), answers)
        rows, error = answers.next()
        assert error is None
        assert rows != [(victim,)]


def test_a_mistake_of_ours_is_logged_and_answered(
    dialect: Dialect, answers: Answers, caplog: pytest.LogCaptureFixture
) -> None:
    def connect() -> Connection:
        raise LookupError("a mistake")

    reader = Reader(connect, dialect, answers.posted.put, size=1)
    reader.start()
    reader.query("SELECT 1", (), answers)
    assert "LookupError" in str(answers.next()[1])
    assert "not the database's" in caplog.text
    reader.stop()


def test_a_connection_that_cannot_be_closed_ends_no_thread(
    url: DatabaseUrl, dialect: Dialect, answers: Answers
) -> None:
    class Stubborn:
        def __init__(self) -> None:
            self.inner = dialect.connect(url)
            self.cursor = self.inner.cursor

        def commit(self) -> None: ...
        def rollback(self) -> None: ...

        def close(self) -> None:
            self.inner.close()
            raise ConnectionResetError

    reader = Reader(Stubborn, dialect, answers.posted.put, size=1)
    reader.start()
    reader.query("SELECT 1", (), answers)
    assert answers.next() == ([(1,)], None)
    reader.stop()
