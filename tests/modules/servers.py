"""What must hold of each database server, whatever its driver: used by the tests of mysql and of postgres."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from queue import SimpleQueue
from types import ModuleType

import pytest

from openpy.db.database import Database
from openpy.db.dialect import Connection, Dialect, execute
from openpy.db.errors import DatabaseError, Unavailable
from openpy.db.statements import Change, Update, Upsert
from openpy.db.url import DatabaseUrl
from openpy.modules.presence.tables import TABLES


def a_reader_cannot_write(
    driver: ModuleType, refused: type[Exception], url: DatabaseUrl, connection: Connection
) -> None:
    execute(connection, "CREATE TABLE t (id INT PRIMARY KEY)")
    with closing(driver.connect(url, read_only=True, patience=0.4)) as reading:
        with pytest.raises(refused) as caught:
            execute(reading, "INSERT INTO t VALUES (1)")
        assert isinstance(driver.classify(caught.value), Unavailable)
        assert list(driver.stream(reading, "SELECT id FROM t WHERE id < %s", (5,))) == []


def a_lock_is_waited_for_briefly(
    driver: ModuleType, refused: type[Exception], url: DatabaseUrl, connection: Connection, options: str = ""
) -> None:
    execute(connection, f"CREATE TABLE t (id INT PRIMARY KEY){options}")
    execute(connection, "BEGIN")
    execute(connection, "INSERT INTO t VALUES (1)")
    with closing(driver.connect(url, read_only=False, patience=1.6)) as other:
        execute(other, "BEGIN")
        begun = time.monotonic()
        with pytest.raises(refused) as caught:
            execute(other, "INSERT INTO t VALUES (1)")
        assert time.monotonic() - begun < 1.5
        assert type(driver.classify(caught.value)) is Unavailable
        other.rollback()
        connection.rollback()
        execute(other, "INSERT INTO t VALUES (1)")


def a_table_is_read_however_long_it_takes(dialect: Dialect, url: DatabaseUrl, connection: Connection) -> None:
    """Rows that do not fit into the buffers between are taken by and by."""
    execute(connection, "CREATE TABLE t (id INT PRIMARY KEY, a VARCHAR(900))")
    for start in range(0, 20_000, 2_000):
        rows = ", ".join(f"({number}, '{'x' * 900}')" for number in range(start, start + 2_000))
        execute(connection, f"INSERT INTO t VALUES {rows}")
    with closing(dialect.connect(url, read_only=True, patience=0.6)) as reading:
        dialect.unlimited(reading)
        found = 0
        for number, _ in enumerate(dialect.stream(reading, "SELECT id, a FROM t"), 1):
            if number in (1, 2_001, 4_001):
                time.sleep(0.25)
            found = number
        assert found == 20_000


def a_database_of_openser_serves(
    dialect: Dialect, url: DatabaseUrl, connection: Connection, tables: Sequence[str], *more: str
) -> list[DatabaseError | None]:
    """Made by 1.3's own statements; the answers to further rows of presentities with these user names."""
    for statement in tables:
        execute(connection, statement)
    posted: SimpleQueue[Callable[[], None]] = SimpleQueue()
    database = Database(url, dialect, posted.put)
    database.open()
    presentity, *_ = [database.use(table) for table in TABLES]
    assert database.ready
    assert presentity.widths["username"] == 64
    assert presentity.misfit(("x" * 65, "", "", "", 0, 0, b"")) == "username"
    answers: list[DatabaseError | None] = []
    id_ = database.next_id(presentity)
    row = ("zoë", "example.org", "presence", "a.1", 2, 1, bytes(range(256)))
    submitted: list[tuple[str, Change]] = [
        ("k", Upsert(presentity, id_, row)),
        ("k", Update(presentity.update("etag"), id_, ("a.2",))),
        *((name, Upsert(presentity, id_ + place, (name, *row[1:]))) for place, name in enumerate(more, 1)),
    ]
    for key, change in submitted:
        database.writer.submit(key, [change], answers.append)
    database.writer.flush()
    while len(answers) < len(submitted):
        posted.get(timeout=5)()
    assert answers[:2] == [None, None]
    assert list(database.rows(presentity)) == [(1, *row[:3], "a.2", *row[4:])]
    database.close()
    return answers[2:]
