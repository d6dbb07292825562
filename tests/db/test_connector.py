import logging
import threading
import time
from collections.abc import Callable, Iterator
from queue import SimpleQueue

import pytest

from openpy.db import connector as module
from openpy.db.connector import LONGEST_PAUSE, Connector
from openpy.db.dialect import Connection, Cursor
from openpy.db.errors import Unavailable, WrongTable


class Line:
    """A connection that only can be closed."""

    def __init__(self) -> None:
        self.closed = threading.Event()

    def cursor(self) -> Cursor:
        raise AssertionError

    def commit(self) -> None: ...
    def rollback(self) -> None: ...

    def close(self) -> None:
        self.closed.set()


class Server:
    """Raises what `problem` says on every connect."""

    def __init__(self) -> None:
        self.problem: Exception | None = None
        self.tries: list[float] = []
        self.before: Callable[[], None] = lambda: None

    def connect(self) -> Connection:
        self.tries.append(time.monotonic())
        self.before()
        if self.problem is not None:
            raise self.problem
        return Line()


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def delivered() -> SimpleQueue[Connection]:
    return SimpleQueue()


@pytest.fixture
def connector(server: Server, delivered: SimpleQueue[Connection]) -> Iterator[Connector]:
    connector = Connector(server.connect, delivered.put, "db://host/x")
    yield connector
    connector.stop()


def test_the_first_try_is_at_once_and_in_another_thread(
    connector: Connector, server: Server, delivered: SimpleQueue[Connection]
) -> None:
    threads: list[str] = []
    server.before = lambda: threads.append(threading.current_thread().name)
    connector.seek(Unavailable("gone"))
    delivered.get(timeout=1)
    assert threads == ["database connector"]
    assert not connector.is_seeking


def test_it_tries_ever_more_slowly_until_it_gets_one(
    connector: Connector, server: Server, delivered: SimpleQueue[Connection]
) -> None:
    server.problem = Unavailable("away")
    connector.seek(Unavailable("gone"))
    assert connector.is_seeking
    connector.seek(Unavailable("gone, says somebody else"))
    time.sleep(0.3)
    server.problem = None
    delivered.get(timeout=LONGEST_PAUSE + 1)
    assert delivered.empty()
    pauses = [later - sooner for sooner, later in zip(server.tries, server.tries[1:], strict=False)]
    assert pauses == sorted(pauses)
    assert max(pauses) < LONGEST_PAUSE + 0.2


def test_it_can_be_asked_again(
    connector: Connector, server: Server, delivered: SimpleQueue[Connection]
) -> None:
    for _ in range(2):
        connector.seek(Unavailable("gone"))
        delivered.get(timeout=1)
    assert len(server.tries) == 2


def test_what_is_wrong_is_said_when_it_changes_and_every_minute(
    connector: Connector,
    server: Server,
    delivered: SimpleQueue[Connection],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A minute is 0.3 s here."""
    monkeypatch.setattr(module, "REMINDER", 0.3)
    server.problem = Unavailable("refused")
    with caplog.at_level(logging.WARNING):
        connector.seek(Unavailable("gone"))
        time.sleep(0.2)
        server.problem = WrongTable("version 3, needed is 2")
        time.sleep(1.2)
        server.problem = None
        delivered.get(timeout=2)
    texts = [record.getMessage() for record in caplog.records]
    assert texts[:2] == [
        "no connection to db://host/x, trying on: gone",
        "no connection to db://host/x, trying on: refused",
    ]
    reminders = texts[2:-1]
    assert set(reminders) == {"no connection to db://host/x, trying on: version 3, needed is 2"}
    assert 2 <= len(reminders) <= 5
    assert texts[-1].startswith("connected to db://host/x again, after 1.")


def test_after_the_stop_nothing_is_sought_or_delivered(
    delivered: SimpleQueue[Connection],
) -> None:
    lines: list[Line] = []
    entered = threading.Event()

    def late() -> Connection:
        entered.set()
        time.sleep(0.1)
        lines.append(Line())
        return lines[0]

    connector = Connector(late, delivered.put, "db://host/x")
    connector.seek(Unavailable("gone"))
    entered.wait(1)
    connector.stop()
    connector.seek(Unavailable("gone"))
    assert delivered.empty()
    assert lines[0].closed.is_set()
    assert not connector.is_seeking
