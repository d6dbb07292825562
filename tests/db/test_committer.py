import logging
import sqlite3
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import peewee
import psycopg
import pymysql
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openpy.db import schema
from openpy.db.committer import Committer, Forgiven, Submission
from openpy.db.dialect import Connection, Cursor, Dialect, Row, execute, fetch
from openpy.db.errors import DatabaseError, OutcomeUnknown, RowGone, RowRefused, Unavailable, WrongTable
from openpy.db.statements import Delete, Operation, TableSql, Update, Upsert
from openpy.db.tables import Table
from openpy.db.url import DatabaseUrl, parse_url
from openpy.modules.sqlite.dialect import DIALECT as SQLITE
from tests.servers import with_server


@pytest.fixture
def lost() -> list[DatabaseError]:
    """Why the committer asked for a connection."""
    return []


@pytest.fixture
def committer(url: DatabaseUrl, dialect: Dialect, lost: list[DatabaseError]) -> Iterator[Committer]:
    committer = Committer(dialect, lost.append)
    committer.adopt(dialect.connect(url))
    yield committer
    committer.close()


class Faults:
    """What goes wrong with a connection of which COMMIT fails as often as `commit` says, and ROLLBACK where `lost`."""

    def __init__(self) -> None:
        self.commit: list[Exception] = []
        self.lost = False


class Flaky:
    def __init__(self, inner: Connection, faults: Faults) -> None:
        self.inner = inner
        self.faults = faults

    def cursor(self) -> Cursor:
        return self.inner.cursor()

    def commit(self) -> None:
        if self.faults.commit:
            raise self.faults.commit.pop()
        self.inner.commit()

    def rollback(self) -> None:
        if self.faults.lost:
            raise ConnectionResetError
        self.inner.rollback()

    def close(self) -> None:
        self.inner.close()
        if self.faults.lost:
            raise ConnectionResetError


def ignore(error: DatabaseError | None) -> None:
    """The committer answers in its outcome; the writer calls back."""


def entry(key: str, *operations: Operation) -> Submission:
    return key, operations, ignore


def owners(connection: Connection) -> list[str]:
    return [owner for (owner,) in fetch(connection, "SELECT owner FROM mailbox ORDER BY id")]


def test_one_transaction_for_all(committer: Committer, empty_table: TableSql, connection: Connection) -> None:
    outcome = committer.commit(entry(f"k{n}", Upsert(empty_table, n, (f"o{n}", 0, None))) for n in range(50))
    assert outcome.errors == {}
    assert len(owners(connection)) == 50
    counts = committer.counts
    assert (counts.batches, counts.commits, counts.rows, counts.largest, counts.refused) == (1, 1, 50, 50, 0)


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        (("o1", 0, None), RowRefused),
        (("x", 2**70, None), RowRefused),
        (("x", 0, "\udcff"), RowRefused),
        (("x", object(), None), RowRefused),
        (("x", None, None), RowRefused),
        (("too", "few"), RowRefused),
    ],
)
def test_only_the_culprit_is_refused(
    committer: Committer, empty_table: TableSql, connection: Connection, bad: Row, error: type[DatabaseError]
) -> None:
    entries = [entry(f"k{n}", Upsert(empty_table, n, (f"o{n}", 0, None))) for n in range(20)]
    entries[13] = entry("bad", Upsert(empty_table, 13, bad))
    outcome = committer.commit(entries)
    assert list(outcome.errors) == [13]
    assert type(outcome.errors[13]) is error
    assert outcome.failures == ["bad"]
    assert owners(connection) == [f"o{n}" for n in range(20) if n != 13]
    assert committer.counts.refused == 1


def test_operations_of_a_submission_stand_or_fall_together(
    committer: Committer, empty_table: TableSql, connection: Connection
) -> None:
    gone = Update(empty_table.update("note"), 9, ("x",))
    outcome = committer.commit([entry("k", Upsert(empty_table, 1, ("o", 0, None)), gone)])
    assert isinstance(outcome.errors[0], RowGone)
    assert owners(connection) == []


def test_a_table_that_went_away_refuses_only_its_rows(
    committer: Committer, dialect: Dialect, empty_table: TableSql, connection: Connection
) -> None:
    lost = TableSql(dialect, "lost", ["a"], {})
    outcome = committer.commit(
        [entry("k1", Upsert(lost, 1, (1,))), entry("k2", Upsert(empty_table, 1, ("o", 0, None)))]
    )
    assert isinstance(outcome.errors[0], WrongTable)
    assert owners(connection) == ["o"]


def test_later_submissions_of_a_failed_key_fall_with_it_until_it_is_forgiven(
    committer: Committer, empty_table: TableSql, connection: Connection
) -> None:
    def good(key: str, id_: int) -> Submission:
        return entry(key, Upsert(empty_table, id_, (f"o{id_}", 0, None)))

    bad = entry("k", Upsert(empty_table, 1, (None, 0, None)))
    first = committer.commit([good("k", 2), bad, good("k", 3), good("other", 4)])
    assert list(first.errors) == [1, 2]
    assert first.errors[1] is first.errors[2]
    second = committer.commit([good("k", 5), Forgiven("k"), good("k", 6)])
    assert second.errors == {0: first.errors[1]}
    assert second.failures == []
    assert owners(connection) == ["o2", "o4", "o6"]


def test_forgiving_alone_is_no_batch(committer: Committer) -> None:
    assert committer.commit([Forgiven("k")]).batch == []
    assert committer.counts.batches == 0


def lock(connection: Connection, dialect: Dialect) -> None:
    """Keep everybody else from writing the row 1, and with SQLite any."""
    execute(connection, dialect.begin)
    name = dialect.quote("mailbox")
    execute(connection, f"INSERT INTO {name} (id, owner, unread) VALUES (1, 'locked', 0)")


def test_a_locked_database_refuses_the_whole_batch_and_serves_again(
    committer: Committer, dialect: Dialect, empty_table: TableSql, connection: Connection
) -> None:
    lock(connection, dialect)
    entries = [entry(f"k{n}", Upsert(empty_table, n, (f"o{n}", 0, None))) for n in range(3)]
    outcome = committer.commit(entries)
    assert [type(error) for error in outcome.errors.values()] == [Unavailable] * 3
    assert outcome.failures == ["k0", "k1", "k2"]
    connection.rollback()
    outcome = committer.commit([*map(Forgiven, outcome.failures), *entries])
    assert outcome.errors == {}
    assert len(owners(connection)) == 3


def test_a_database_that_goes_and_returns_is_logged_once_each(
    committer: Committer,
    dialect: Dialect,
    empty_table: TableSql,
    connection: Connection,
    caplog: pytest.LogCaptureFixture,
) -> None:
    entries = [entry("k", Upsert(empty_table, 1, ("o", 0, None)))]
    lock(connection, dialect)
    for _ in range(2):
        committer.commit([Forgiven("k"), *entries])
    connection.rollback()
    for _ in range(2):
        committer.commit([Forgiven("k"), *entries])
    assert [text.split(",")[0] for text in caplog.messages] == [
        "the database takes no writes",
        "the database takes writes again",
    ]


def test_a_database_that_goes_while_the_culprit_is_sought_refuses_the_rest(
    url: DatabaseUrl, dialect: Dialect, empty_table: TableSql, lost: list[DatabaseError]
) -> None:
    faults = Faults()
    faults.lost = True
    committer = Committer(dialect, lost.append)
    committer.adopt(Flaky(dialect.connect(url), faults))
    entries = [entry(f"k{n}", Upsert(empty_table, n, (None, 0, None))) for n in range(4)]
    outcome = committer.commit(entries)
    assert [type(error) for error in outcome.errors.values()] == [Unavailable] * 4
    assert len(lost) == 1


def test_a_full_database_refuses_and_serves_again(tmp_path: Path, lost: list[DatabaseError]) -> None:
    url = parse_url(f"sqlite:///{tmp_path}/full.db")
    writing = SQLITE.connect(url)
    execute(writing, "CREATE TABLE mailbox (id INTEGER PRIMARY KEY, note TEXT)")
    table = TableSql(SQLITE, "mailbox", ["note"], {})
    committer = Committer(SQLITE, lost.append)
    committer.adopt(writing)
    pages = fetch(writing, "PRAGMA page_count")[0][0]
    execute(writing, f"PRAGMA max_page_count = {pages + 2}")
    big = Upsert(table, 1, ("x" * 100_000,))
    assert isinstance(committer.commit([entry("k", big)]).errors[0], Unavailable)
    small = Upsert(table, 2, (None,))
    assert committer.commit([entry("other", small)]).errors == {}
    execute(writing, "PRAGMA max_page_count = 100000")
    assert committer.commit([Forgiven("k"), entry("k", big)]).errors == {}
    assert fetch(writing, "SELECT id FROM mailbox ORDER BY id") == [(1,), (2,)]
    committer.close()


def commit_failed(kind: str) -> Exception:
    """What the driver raises when the connection, or the disk, is lost in COMMIT."""
    if kind == "sqlite":
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
        return error
    if kind == "mysql":
        return pymysql.OperationalError(2013, "Lost connection to MySQL server during query")
    return psycopg.OperationalError("server closed the connection unexpectedly")


@pytest.mark.parametrize("is_lost", [False, True])
def test_a_commit_that_fails_has_an_unknown_outcome(
    url: DatabaseUrl,
    kind: str,
    dialect: Dialect,
    empty_table: TableSql,
    connection: Connection,
    lost: list[DatabaseError],
    is_lost: bool,
) -> None:
    faults = Faults()
    faults.commit = [commit_failed(kind)]
    faults.lost = is_lost
    committer = Committer(dialect, lost.append)
    committer.adopt(Flaky(dialect.connect(url), faults))
    outcome = committer.commit([entry("k", Upsert(empty_table, 1, ("o", 0, None)))])
    assert isinstance(outcome.errors[0], OutcomeUnknown)
    assert outcome.unknown() == ["k"]
    assert len(lost) == is_lost
    if is_lost:
        outcome = committer.commit([entry("k2", Upsert(empty_table, 1, ("o", 0, None)))])
        assert type(outcome.errors[0]) is Unavailable, "of this one the outcome is known"
        faults.lost = False
        committer.adopt(Flaky(dialect.connect(url), faults))
    assert committer.commit([entry("k3", Upsert(empty_table, 1, ("o", 0, None)))]).errors == {}
    assert owners(connection) == ["o"]
    committer.close()


def test_without_a_connection_everything_is_refused_at_once(
    dialect: Dialect, lost: list[DatabaseError]
) -> None:
    committer = Committer(dialect, lost.append)
    table = TableSql(dialect, "mailbox", ["owner"], {})
    begun = time.monotonic()
    for key in "ab":
        outcome = committer.commit([entry(key, Delete(table, 1))])
        assert type(outcome.errors[0]) is Unavailable
    assert time.monotonic() - begun < 0.3


@with_server
def test_an_idle_connection_that_was_lost_is_found(
    committer: Committer, kind: str, connection: Connection, lost: list[DatabaseError]
) -> None:
    committer.keep_alive()
    assert lost == []
    (own,) = fetch(connection, f"SELECT {'connection_id()' if kind == 'mysql' else 'pg_backend_pid()'}")[0]
    session = committer._session
    assert session is not None
    session[1].execute("SELECT connection_id()" if kind == "mysql" else "SELECT pg_backend_pid()")
    (other,) = session[1].fetchall()[0]
    assert other != own
    execute(connection, f"KILL {other}" if kind == "mysql" else f"SELECT pg_terminate_backend({other})")
    deadline = time.monotonic() + 5
    while not lost and time.monotonic() < deadline:
        committer.keep_alive()
    assert len(lost) == 1
    assert isinstance(lost[0], Unavailable)


def test_a_mistake_of_ours_is_logged_and_refuses_its_submission(
    committer: Committer, empty_table: TableSql, connection: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    broken: Sequence[Any] = [("no operation",)]
    with caplog.at_level(logging.ERROR):
        outcome = committer.commit(
            [("k", broken, ignore), entry("k2", Upsert(empty_table, 1, ("o", 0, None)))]
        )
    assert type(outcome.errors[0]) is DatabaseError
    assert owners(connection) == ["o"]
    assert "not the database's" in caplog.text


OWNERS = st.sampled_from(["alice", "bob", "carol", None])
ENTRIES = st.lists(
    st.tuples(
        st.sampled_from("kl"),
        st.sampled_from(["upsert", "update", "delete", "forgive", "commit"]),
        st.integers(1, 4),
        OWNERS,
    ),
    max_size=25,
)


class Owned(Table):
    owner = peewee.CharField(64, unique=True)
    note = peewee.IntegerField()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ENTRIES)
def test_the_table_holds_what_was_acknowledged_and_nothing_else(
    committer: Committer,
    dialect: Dialect,
    connection: Connection,
    steps: list[tuple[str, str, int, str | None]],
) -> None:
    schema.create(dialect, connection, [Owned])
    execute(connection, "DELETE FROM owned")
    table = TableSql(dialect, "owned", ["owner", "note"], {})
    table.adapt(dialect.real_columns(connection, "owned"))
    update = table.update("owner")
    model: dict[int, tuple[Any, Any]] = {}
    failed: set[str] = set()
    committer.commit([Forgiven(key) for key in "kl"])
    queued: list[Submission | Forgiven] = []

    def commit() -> None:
        outcome = committer.commit(queued)
        answers = iter(range(len(outcome.batch)))
        for item in queued:
            if isinstance(item, Forgiven):
                failed.discard(item.key)
                continue
            key, operations, _ = item
            if next(answers) in outcome.errors:
                failed.add(str(key))
                continue
            assert key not in failed
            for operation in operations:
                if isinstance(operation, Upsert):
                    model[operation.id] = operation.values[0], operation.values[1]
                elif isinstance(operation, Delete):
                    model.pop(operation.id, None)
                elif isinstance(operation, Update) and operation.id in model:
                    model[operation.id] = operation.values[0], model[operation.id][1]
        queued.clear()

    for number, (key, step, id_, owner) in enumerate(steps):
        if step == "commit":
            commit()
        elif step == "forgive":
            queued.append(Forgiven(key))
        elif step == "upsert":
            queued.append(entry(key, Upsert(table, id_, (owner, number))))
        elif step == "update":
            queued.append(entry(key, Update(update, id_, (owner,))))
        else:
            queued.append(entry(key, Delete(table, id_)))
    commit()
    assert {id_: values for id_, *values in fetch(connection, table.select)} == {
        id_: list(values) for id_, values in model.items()
    }
