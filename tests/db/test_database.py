import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from queue import Empty, SimpleQueue
from typing import TypeAlias

import peewee
import pytest

from openpy.db import database as module
from openpy.db import schema
from openpy.db.connector import LONGEST_PAUSE
from openpy.db.database import Database
from openpy.db.dialect import Connection, Dialect, execute, fetch
from openpy.db.errors import DatabaseError, RowGone, Unavailable, Unusable, WrongTable
from openpy.db.ids import BLOCK
from openpy.db.statements import TableSql, Update, Upsert
from openpy.db.tables import Table, reading
from openpy.db.url import DatabaseUrl
from openpy.modules.sqlite.dialect import DIALECT as SQLITE
from openpy.modules.sqlite.dialect import SqliteDialect
from tests.gate import Gate
from tests.servers import with_server

Posted: TypeAlias = SimpleQueue[Callable[[], None]]


class Own(Table):
    table_version = 1
    note = peewee.CharField(32)

    class Meta:
        table_name = "openpy_own"


@pytest.fixture
def posted() -> Posted:
    return SimpleQueue()


@pytest.fixture
def made(dialect: Dialect, connection: Connection, mailbox: type[Table]) -> None:
    schema.create(dialect, connection, [mailbox])


@pytest.fixture
def database(url: DatabaseUrl, dialect: Dialect, posted: Posted) -> Iterator[Database]:
    database = Database(url, dialect, posted.put)
    database.open()
    yield database
    database.close()


@pytest.fixture
def away(gated: DatabaseUrl, gate: Gate, dialect: Dialect, posted: Posted) -> Iterator[Database]:
    """A database whose server does not answer at the start."""
    gate.shut()
    database = Database(gated, dialect, posted.put)
    database.open()
    yield database
    database.close()


def turn_until(posted: Posted, condition: Callable[[], bool], patience: float = 3.0) -> None:
    """Turn the loop until something is so."""
    deadline = time.monotonic() + patience
    while not condition():
        try:
            posted.get(timeout=max(0.0, deadline - time.monotonic()))()
        except Empty:
            raise AssertionError("it did not come to be") from None


def write(database: Database, posted: Posted, table: TableSql, id_: int, owner: str) -> DatabaseError | None:
    """Write one row and wait for the answer."""
    answers: list[DatabaseError | None] = []
    database.writer.forgive("k")
    database.writer.submit("k", [Upsert(table, id_, (owner, 0, None))], answers.append)
    database.writer.flush()
    turn_until(posted, lambda: bool(answers))
    return answers[0]


def test_rows_are_written_read_and_kept(
    made: None, database: Database, dialect: Dialect, url: DatabaseUrl, posted: Posted, mailbox: type[Table]
) -> None:
    table = database.use(mailbox)
    assert database.ready
    assert database.use(mailbox) is table
    assert table.widths == {"id": None, "owner": 16, "unread": None, "note": 32}
    answers: list[DatabaseError | None] = []
    for owner in ("Alice", "alice"):
        row = Upsert(table, database.next_id(table), (owner, 0, "ü\U0001f600"))
        database.writer.submit(owner, [row], answers.append)
    database.writer.flush()
    turn_until(posted, lambda: answers == [None, None])
    assert sorted(database.rows(table)) == [(1, "Alice", 0, "ü\U0001f600"), (2, "alice", 0, "ü\U0001f600")]
    database.close()

    again = Database(url, dialect, posted.put)
    again.open()
    assert again.next_id(again.use(mailbox)) == 3
    again.close()


def test_an_id_that_another_hand_took_is_not_given_out(
    made: None, database: Database, mailbox: type[Table]
) -> None:
    table = database.use(mailbox)
    assert database.next_id(table) == 1
    database.skip_id(table, 2)
    database.skip_id(table, 1)
    assert database.next_id(table) == 3


def test_a_load_lasts_as_long_as_its_rows_are_read(
    made: None, database: Database, dialect: Dialect, mailbox: type[Table], monkeypatch: pytest.MonkeyPatch
) -> None:
    freed: list[Connection] = []
    monkeypatch.setattr(type(dialect), "unlimited", lambda _, connection: freed.append(connection))
    assert list(database.rows(database.use(mailbox))) == []
    assert len(freed) == 1


def test_a_connect_that_fails_in_a_way_of_its_own_is_tried_again(
    made: None,
    database: Database,
    dialect: Dialect,
    posted: Posted,
    mailbox: type[Table],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = database.use(mailbox)
    failures = [RuntimeError("strange")] * 2
    connect = type(dialect).connect

    def strange(*arguments: object, **options: object) -> Connection:
        if failures:
            raise failures.pop()
        return connect(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(type(dialect), "connect", strange)
    with pytest.raises(DatabaseError, match="strange"):
        Database(database.url, dialect, posted.put).open()
    database._connector.seek(Unavailable("lost"))
    turn_until(posted, lambda: not failures and not database._connector.is_seeking)
    assert write(database, posted, table, database.next_id(table), "alice") is None


def test_statements_of_scripts_have_threads_that_end_with_the_database(
    database: Database, connection: Connection, posted: Posted
) -> None:
    answers: list[tuple[object, object]] = []
    executor = database.executor()
    assert database.executor() is executor
    executor.query(
        ("SELECT 1", ()), 5, lambda rows, error: answers.append(([tuple(row) for row in rows], error))
    )
    database.close()
    with pytest.raises(Unavailable, match="closed"):
        executor.query(("SELECT 1", ()), 5, lambda rows, error: None)
    while not answers:
        posted.get(timeout=10)()
    assert answers == [([(1,)], None)]


def test_open_may_be_repeated(made: None, database: Database, posted: Posted, mailbox: type[Table]) -> None:
    table = database.use(mailbox)
    database.open()
    assert write(database, posted, table, 1, "alice") is None


def test_a_table_under_another_name_is_another_table(
    made: None, kind: str, database: Database, mailbox: type[Table]
) -> None:
    table = database.use(mailbox)
    if kind != "sqlite":
        with pytest.raises(WrongTable, match="voicemail does not exist; openpydbctl create"):
            database.use(mailbox, "voicemail")
        return
    other = database.use(mailbox, "voicemail")
    assert other is not table
    assert other.name == "voicemail"
    assert (database.next_id(table), database.next_id(other)) == (1, 1)


def test_a_table_that_is_only_read(
    made: None, database: Database, connection: Connection, posted: Posted, mailbox: type[Table]
) -> None:
    """It gets no ids, and is found wrong at the start."""
    database.read(reading(mailbox, ["owner"]))
    assert database.ready
    with pytest.raises(WrongTable, match="mailbox has no column colour"):
        database.read(reading(mailbox, ["colour"]))
    answers: list[DatabaseError | None] = []
    database.reader.query("SELECT owner FROM mailbox", (), lambda rows, error: answers.append(error))
    turn_until(posted, lambda: answers == [None])


@with_server
def test_a_table_that_is_only_read_is_checked_when_the_server_comes(
    made: None,
    away: Database,
    gate: Gate,
    posted: Posted,
    mailbox: type[Table],
    caplog: pytest.LogCaptureFixture,
) -> None:
    away.read(reading(mailbox, ["colour"]))
    gate.open()
    deadline = time.monotonic() + 3.0
    while "mailbox has no column colour" not in caplog.text and time.monotonic() < deadline:
        time.sleep(0.02)
    assert "mailbox has no column colour" in caplog.text


def test_a_table_that_openser_does_not_have_is_made(database: Database, connection: Connection) -> None:
    """A database that OpenSER's scripts made serves as it is."""
    table = database.use(Own)
    assert database.next_id(table) == 1
    assert fetch(connection, "SELECT table_name, table_version FROM version") == [("openpy_own", 1)]


def test_a_table_that_differs_is_refused_with_what_to_run(
    database: Database, connection: Connection, mailbox: type[Table]
) -> None:
    execute(
        connection, "CREATE TABLE mailbox (id INTEGER PRIMARY KEY, owner VARCHAR(16), unread INT, note TEXT)"
    )
    with pytest.raises(WrongTable, match=r"INSERT INTO version .*'mailbox', 3.* \(in [a-z]+://"):
        database.use(mailbox)


def test_where_tables_are_not_made_a_missing_one_is_refused(
    url: DatabaseUrl, dialect: Dialect, posted: Posted, mailbox: type[Table]
) -> None:
    class Strict(SqliteDialect):
        makes_tables = False

    database = Database(url, Strict() if dialect is SQLITE else dialect, posted.put)
    database.open()
    with pytest.raises(WrongTable, match="does not exist; openpydbctl create"):
        database.use(mailbox)
    database.close()


def test_a_server_that_does_not_let_us_in_stops_the_start(
    url: DatabaseUrl, dialect: Dialect, posted: Posted
) -> None:
    nowhere = Database(replace(url, database="/no/such/place"), dialect, posted.put)
    with pytest.raises(Unusable, match="/no/such"):
        nowhere.open()
    nowhere.close()


@pytest.mark.parametrize("kind", ["sqlite"])
def test_a_table_that_is_locked_at_the_start_is_checked_later(
    database: Database, connection: Connection, posted: Posted, mailbox: type[Table]
) -> None:
    execute(connection, "BEGIN IMMEDIATE")
    table = database.use(mailbox)
    assert not database.ready
    with pytest.raises(Unavailable, match="not known yet"):
        database.next_id(table)
    connection.rollback()
    turn_until(posted, lambda: database.ready)
    assert write(database, posted, table, database.next_id(table), "alice") is None


@with_server
def test_a_server_that_is_away_at_the_start_is_used_when_it_comes(
    made: None, away: Database, gate: Gate, posted: Posted, mailbox: type[Table], connection: Connection
) -> None:
    execute(connection, "INSERT INTO mailbox VALUES (7, 'kept', 0, NULL)")
    table = away.use(mailbox)
    assert not away.ready
    loaded: list[list[tuple[object, ...]]] = []
    away.when_ready(lambda: loaded.append(list(away.rows(table))))
    assert isinstance(write(away, posted, table, 1, "early"), Unavailable)
    assert loaded == []
    gate.open()
    turn_until(posted, lambda: bool(loaded), LONGEST_PAUSE + 1)
    assert loaded == [[(7, "kept", 0, None)]]
    assert table.types["owner"] != ""
    assert away.next_id(table) == 8
    assert write(away, posted, table, 8, "late") is None
    assert posted.empty(), "the load is done once"


@with_server
def test_one_that_comes_with_a_wrong_table_is_not_written_to_until_it_is_mended(
    made: None,
    away: Database,
    gate: Gate,
    posted: Posted,
    mailbox: type[Table],
    connection: Connection,
    caplog: pytest.LogCaptureFixture,
) -> None:
    execute(connection, "UPDATE version SET table_version = 4")
    table = away.use(mailbox)
    with caplog.at_level(logging.WARNING):
        gate.open()
        time.sleep(LONGEST_PAUSE + 0.3)
    assert "table mailbox has version 4, needed is 3" in caplog.text
    assert isinstance(write(away, posted, table, 1, "early"), Unavailable)
    assert not away.ready
    execute(connection, "UPDATE version SET table_version = 3")
    turn_until(posted, lambda: away.ready)
    assert fetch(connection, "SELECT * FROM mailbox") == []


@with_server
def test_one_that_goes_and_returns_serves_within_two_seconds(
    made: None, gated: DatabaseUrl, gate: Gate, dialect: Dialect, posted: Posted, mailbox: type[Table]
) -> None:
    database = Database(gated, dialect, posted.put)
    database.open()
    table = database.use(mailbox)
    assert write(database, posted, table, 1, "alice") is None
    for stop in (gate.shut, gate.freeze):
        stop()
        for _ in range(3):
            begun = time.monotonic()
            assert isinstance(write(database, posted, table, 2, "bob"), Unavailable)
            assert time.monotonic() - begun < 1
            time.sleep(0.2)
        assert database.ready, "what is in memory is still good"
        gate.open()
        begun = time.monotonic()
        while write(database, posted, table, 2, "bob") is not None:
            assert time.monotonic() - begun < 2
            time.sleep(0.02)
    database.close()


@with_server
def test_ids_stay_above_those_that_came_while_it_was_away(
    made: None,
    gated: DatabaseUrl,
    gate: Gate,
    dialect: Dialect,
    posted: Posted,
    mailbox: type[Table],
    connection: Connection,
) -> None:
    database = Database(gated, dialect, posted.put)
    database.open()
    table = database.use(mailbox)
    gate.shut()
    assert isinstance(write(database, posted, table, 1, "alice"), Unavailable)
    execute(connection, "INSERT INTO mailbox VALUES (41, 'other', 0, NULL)")
    gate.open()
    turn_until(posted, lambda: database.next_id(table) > 41)
    database.close()


def test_who_asks_when_it_is_ready_is_called_in_the_next_turn(
    made: None, database: Database, posted: Posted, mailbox: type[Table]
) -> None:
    database.use(mailbox)
    called: list[int] = []
    database.when_ready(lambda: called.append(1))
    assert called == []
    turn_until(posted, lambda: called == [1])


def test_a_load_that_fails_is_tried_again(
    made: None,
    database: Database,
    posted: Posted,
    mailbox: type[Table],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(module, "RELOAD_PAUSE", 0.05)
    tries: list[int] = []

    def load() -> None:
        tries.append(1)
        if len(tries) < 3:
            raise Unavailable("it went away in the middle")

    database.use(mailbox)
    database.when_ready(load)
    turn_until(posted, lambda: len(tries) == 3)
    assert "cannot be loaded, trying again: it went away in the middle" in caplog.text


def test_rows_tell_what_is_wrong_with_the_table(
    made: None, database: Database, connection: Connection, mailbox: type[Table]
) -> None:
    table = database.use(mailbox)
    execute(connection, "DROP TABLE mailbox")
    with pytest.raises(WrongTable, match="mailbox"):
        list(database.rows(table))


def test_servers_that_share_a_database_have_ids_of_their_own(
    made: None,
    database: Database,
    url: DatabaseUrl,
    dialect: Dialect,
    posted: Posted,
    mailbox: type[Table],
    connection: Connection,
) -> None:
    execute(connection, "INSERT INTO mailbox VALUES (7, 'kept', 0, NULL)")
    other = Database(url, dialect, posted.put)
    other.open()
    for each in (database, other):
        each.share()
        each.share()
    tables = [each.use(mailbox) for each in (database, other)]
    assert database.ready
    assert [database.next_id(tables[0]), other.next_id(tables[1])] == [8, 8 + BLOCK]
    assert [database.next_id(tables[0]), other.next_id(tables[1])] == [9, 9 + BLOCK]
    other.close()


def test_a_table_that_is_not_shared_keeps_its_ids(
    made: None, database: Database, dialect: Dialect, posted: Posted, mailbox: type[Table]
) -> None:
    alone = database.use(mailbox)
    assert database.next_id(alone) == 1
    database.share()
    assert database.next_id(alone) == 2


def test_a_row_that_another_server_changed_is_not_found(
    made: None, database: Database, posted: Posted, mailbox: type[Table], connection: Connection
) -> None:
    table = database.use(mailbox)
    assert write(database, posted, table, 1, "alice") is None
    update = table.guarded_update("owner", "owner", "unread")
    answers: list[DatabaseError | None] = []
    for new, old in (("bob", "alice"), ("carol", "alice"), ("dora", "bob")):
        database.writer.submit(new, [Update(update, 1, (new, 1, old))], answers.append)
    database.writer.flush()
    turn_until(posted, lambda: len(answers) == 3)
    assert [type(answer) for answer in answers] == [type(None), RowGone, type(None)]
    assert fetch(connection, "SELECT owner FROM mailbox") == [("dora",)]
