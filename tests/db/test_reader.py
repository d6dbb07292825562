import threading
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from typing import TypeAlias

import pytest

from openpy.db.dialect import Connection, Row, execute
from openpy.db.errors import DatabaseError, Unavailable, WrongTable
from openpy.db.reader import Reader
from openpy.db.statements import TableSql
from openpy.db.url import DatabaseUrl
from openpy.modules.sqlite.dialect import DIALECT

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
def reader(url: DatabaseUrl, connection: Connection, answers: Answers) -> Iterator[Reader]:
    reader = Reader(lambda: DIALECT.connect(url, read_only=True), DIALECT, answers.posted.put, capacity=5)
    reader.start()
    yield reader
    reader.stop()


def test_a_query_is_answered_in_the_loop(
    reader: Reader, answers: Answers, connection: Connection, empty_table: TableSql
) -> None:
    execute(connection, "INSERT INTO mailbox VALUES (1, 'alice', 3, NULL)")
    reader.query("SELECT unread FROM mailbox WHERE owner = ?", ("alice",), answers)
    assert answers.given == []
    assert answers.next() == ([(3,)], None)


def test_a_query_cannot_write(reader: Reader, answers: Answers, empty_table: TableSql) -> None:
    reader.query("DELETE FROM mailbox", (), answers)
    rows, error = answers.next()
    assert rows == []
    assert isinstance(error, Unavailable)
    assert "readonly" in str(error)


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


def test_a_database_that_is_away_is_tried_again(url: DatabaseUrl, answers: Answers) -> None:
    away = threading.Event()
    away.set()

    def connect() -> Connection:
        if away.is_set():
            raise Unavailable("away")
        return DIALECT.connect(url)

    reader = Reader(connect, DIALECT, answers.posted.put, size=1)
    reader.start()
    reader.query("SELECT 1", (), answers)
    assert str(answers.next()[1]) == "away"
    away.clear()
    reader.query("SELECT 1", (), answers)
    assert answers.next() == ([(1,)], None)
    reader.stop()


def test_a_mistake_of_ours_is_logged_and_answered(
    url: DatabaseUrl, answers: Answers, caplog: pytest.LogCaptureFixture
) -> None:
    def connect() -> Connection:
        raise LookupError("a mistake")

    reader = Reader(connect, DIALECT, answers.posted.put, size=1)
    reader.start()
    reader.query("SELECT 1", (), answers)
    assert "LookupError" in str(answers.next()[1])
    assert "not the database's" in caplog.text
    reader.stop()


def test_rows_stream_at_the_start(reader: Reader, connection: Connection, empty_table: TableSql) -> None:
    for id_ in (1, 2):
        execute(connection, f"INSERT INTO mailbox VALUES ({id_}, 'o{id_}', 0, NULL)")
    assert list(reader.rows(empty_table.select + " ORDER BY id")) == [(1, "o1", 0, None), (2, "o2", 0, None)]
    assert list(reader.rows("SELECT id FROM mailbox WHERE owner = ?", ("o2",))) == [(2,)]


def test_rows_tell_what_is_wrong_with_the_table(reader: Reader) -> None:
    with pytest.raises(WrongTable, match="nowhere"):
        list(reader.rows("SELECT * FROM nowhere"))
