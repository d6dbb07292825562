from __future__ import annotations

from collections.abc import Iterator

import pytest

from openpy.db.dialect import Connection, Dialect, fetch
from openpy.db.errors import DatabaseError, Unavailable, WrongTable
from openpy.db.session import PAUSE, QUICK, Session
from openpy.db.url import DatabaseUrl


class Line:
    """Connections to a real database, which can be lost or not to be had; and a clock."""

    def __init__(self, dialect: Dialect, url: DatabaseUrl) -> None:
        self.now = 100.0
        self.made: list[Connection] = []
        self.away = False
        self._dialect = dialect
        self._url = url
        self.tries = 0

    def connect(self) -> Connection:
        self.tries += 1
        if self.away:
            raise Unavailable("away")
        self.made.append(self._dialect.connect(self._url, patience=10.0))
        return self.made[-1]


@pytest.fixture
def line(dialect: Dialect, url: DatabaseUrl, connection: Connection) -> Line:
    return Line(dialect, url)


@pytest.fixture
def session(line: Line, dialect: Dialect) -> Iterator[Session]:
    session = Session(line.connect, dialect, lambda: line.now)
    yield session
    session.close()


def one(connection: Connection) -> int:
    return int(fetch(connection, "SELECT 1")[0][0])


def test_one_connection_does_for_all(session: Session, line: Line) -> None:
    assert [session.read(one), session.change(one), session.read(one)] == [1, 1, 1]
    assert len(line.made) == 1
    session.close()
    session.close()
    assert session.read(one) == 1
    assert len(line.made) == 2


def test_what_is_wrong_is_told_and_the_connection_stays(session: Session, line: Line) -> None:
    with pytest.raises(WrongTable):
        session.read(lambda connection: fetch(connection, "SELECT nothing FROM nowhere"))
    assert session.read(one) == 1
    assert len(line.made) == 1


def test_who_cannot_connect_does_not_try_again_at_once(session: Session, line: Line) -> None:
    line.away = True
    for _ in range(3):
        with pytest.raises(Unavailable, match="away"):
            session.read(one)
    assert line.tries == 1
    line.away = False
    line.now += PAUSE
    assert session.read(one) == 1


@pytest.mark.parametrize(("took", "tries"), [(0.0, 2), (2 * QUICK, 1)])
def test_a_query_on_a_lost_connection_is_tried_again_if_that_is_quick(
    session: Session, line: Line, took: float, tries: int
) -> None:
    session.read(one)
    calls = 0

    def lost(connection: Connection) -> int:
        nonlocal calls
        calls += 1
        if connection is line.made[0]:
            line.now += took
            raise Unavailable("lost")
        return 7

    if tries == 2:
        assert session.read(lost) == 7
    else:
        with pytest.raises(Unavailable, match="lost"):
            session.read(lost)
    assert calls == tries


def test_a_change_is_never_tried_twice(session: Session, line: Line) -> None:
    session.read(one)
    calls = 0

    def lost(connection: Connection) -> int:
        nonlocal calls
        calls += 1
        raise Unavailable("lost")

    with pytest.raises(Unavailable):
        session.change(lost)
    assert calls == 1
    assert session.change(one) == 1
    assert len(line.made) == 2


def test_a_lost_connection_is_found_when_there_is_time(
    session: Session, line: Line, dialect: Dialect
) -> None:
    session.keep_alive()
    session.read(one)
    session.keep_alive()
    assert session.read(one) == 1
    assert len(line.made) == 1
    if dialect.alive:
        line.made[0].close()
        session.keep_alive()
        assert session.change(one) == 1
        assert len(line.made) == 2


def test_a_connection_that_cannot_be_closed_is_forgotten(
    session: Session, line: Line, dialect: Dialect
) -> None:
    class Broken:
        def close(self) -> None:
            raise DatabaseError("lost already")

    session = Session(lambda: Broken(), dialect, lambda: line.now)  # type: ignore[arg-type, return-value]
    assert session.change(lambda connection: 5) == 5
    session.close()
