import logging
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openpy.db.committer import Committer, Forgiven, Submission
from openpy.db.dialect import Connection, Cursor, Row, execute, fetch
from openpy.db.errors import DatabaseError, OutcomeUnknown, RowGone, RowRefused, Unavailable, WrongTable
from openpy.db.statements import Delete, Operation, TableSql, Update, Upsert
from openpy.db.url import DatabaseUrl
from openpy.modules.sqlite.dialect import DIALECT


@pytest.fixture
def committer(url: DatabaseUrl) -> Iterator[Committer]:
    committer = Committer(lambda: DIALECT.connect(url), DIALECT)
    yield committer
    committer.close()


def ignore(error: DatabaseError | None) -> None:
    """The committer answers in its outcome; the writer calls back."""


def entry(key: str, *operations: Operation) -> Submission:
    return key, operations, ignore


def owners(connection: Connection) -> list[str]:
    return [owner for (owner,) in fetch(connection, "SELECT owner FROM mailbox ORDER BY id")]


class Flaky:
    """A connection of which COMMIT fails as often as `faults` says, and ROLLBACK where `lost`."""

    def __init__(self, inner: Connection, faults: list[Exception], lost: bool = False) -> None:
        self.inner = inner
        self.faults = faults
        self.lost = lost

    def cursor(self) -> Cursor:
        return self.inner.cursor()

    def commit(self) -> None:
        if self.faults:
            raise self.faults.pop()
        self.inner.commit()

    def rollback(self) -> None:
        if self.lost:
            raise sqlite3.OperationalError("the connection is lost")
        self.inner.rollback()

    def close(self) -> None:
        self.inner.close()
        if self.lost:
            raise sqlite3.ProgrammingError("already closed")


def disk_failed() -> Exception:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
    return error


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
    committer: Committer, empty_table: TableSql, connection: Connection
) -> None:
    lost = TableSql(DIALECT, "lost", ["a"], {})
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


def test_a_locked_database_refuses_the_whole_batch_and_serves_again(
    committer: Committer, empty_table: TableSql, connection: Connection
) -> None:
    execute(connection, "BEGIN IMMEDIATE")
    entries = [entry(f"k{n}", Upsert(empty_table, n, (f"o{n}", 0, None))) for n in range(3)]
    outcome = committer.commit(entries)
    assert [type(error) for error in outcome.errors.values()] == [Unavailable] * 3
    assert outcome.failures == ["k0", "k1", "k2"]
    connection.rollback()
    outcome = committer.commit([*map(Forgiven, outcome.failures), *entries])
    assert outcome.errors == {}
    assert len(owners(connection)) == 3


def test_a_database_that_goes_and_returns_is_logged_once_each(
    committer: Committer, empty_table: TableSql, connection: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    entries = [entry("k", Upsert(empty_table, 1, ("o", 0, None)))]
    execute(connection, "BEGIN IMMEDIATE")
    for _ in range(2):
        committer.commit([Forgiven("k"), *entries])
    connection.rollback()
    for _ in range(2):
        committer.commit([Forgiven("k"), *entries])
    assert [text.split(",")[0] for text in caplog.messages] == [
        "the database takes no writes",
        "the database takes writes again",
    ]


def test_a_database_that_locks_while_the_culprit_is_sought_refuses_the_rest(
    url: DatabaseUrl, empty_table: TableSql, connection: Connection
) -> None:
    class LocksAfterRollback(Flaky):
        """Somebody else takes the lock as soon as a transaction is dropped."""

        def rollback(self) -> None:
            super().rollback()
            connection.rollback()
            execute(connection, "BEGIN IMMEDIATE")

    committer = Committer(lambda: LocksAfterRollback(DIALECT.connect(url), []), DIALECT)
    entries = [entry(f"k{n}", Upsert(empty_table, n, (None, 0, None))) for n in range(4)]
    outcome = committer.commit(entries)
    assert [type(error) for error in outcome.errors.values()] == [Unavailable] * 4
    committer.close()


def test_a_full_database_refuses_and_serves_again(
    committer: Committer, empty_table: TableSql, connection: Connection
) -> None:
    writing, _ = committer.open()
    pages = fetch(writing, "PRAGMA page_count")[0][0]
    execute(writing, f"PRAGMA max_page_count = {pages + 2}")
    big = Upsert(empty_table, 1, ("o1", 0, "x" * 100_000))
    assert isinstance(committer.commit([entry("k", big)]).errors[0], Unavailable)
    small = Upsert(empty_table, 2, ("o2", 0, None))
    assert committer.commit([entry("other", small)]).errors == {}
    execute(writing, "PRAGMA max_page_count = 100000")
    assert committer.commit([Forgiven("k"), entry("k", big)]).errors == {}
    assert owners(connection) == ["o1", "o2"]


def test_a_commit_that_fails_in_the_disk_has_an_unknown_outcome(
    url: DatabaseUrl, empty_table: TableSql
) -> None:
    committer = Committer(lambda: Flaky(DIALECT.connect(url), [disk_failed()]), DIALECT)
    outcome = committer.commit([entry("k", Upsert(empty_table, 1, ("o", 0, None)))])
    assert isinstance(outcome.errors[0], OutcomeUnknown)
    assert outcome.unknown() == ["k"]
    assert committer.commit([entry("k2", Upsert(empty_table, 1, ("o", 0, None)))]).errors == {}
    committer.close()


def test_a_lost_connection_is_made_anew(
    url: DatabaseUrl, empty_table: TableSql, connection: Connection
) -> None:
    connections = [Flaky(DIALECT.connect(url), []), Flaky(DIALECT.connect(url), [disk_failed()], lost=True)]
    committer = Committer(connections.pop, DIALECT)
    write = Upsert(empty_table, 1, ("o", 0, None))
    assert list(committer.commit([entry("k", write)]).errors) == [0]
    assert committer.commit([Forgiven("k"), entry("k", write)]).errors == {}
    assert owners(connection) == ["o"]
    assert connections == []
    committer.close()


def test_a_database_that_is_away_refuses_each_batch(empty_table: TableSql) -> None:
    def away() -> Connection:
        raise Unavailable("no route to the database")

    committer = Committer(away, DIALECT)
    for key in "ab":
        outcome = committer.commit([entry(key, Delete(empty_table, 1))])
        assert str(outcome.errors[0]) == "no route to the database"


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


@settings(max_examples=60, deadline=None)
@given(ENTRIES)
def test_the_table_holds_what_was_acknowledged_and_nothing_else(
    steps: list[tuple[str, str, int, str | None]],
) -> None:
    connection = DIALECT.connect(DatabaseUrl("sqlite", "", "", "", None, ""))
    execute(connection, "CREATE TABLE t (id INTEGER PRIMARY KEY, owner TEXT NOT NULL UNIQUE, note INT)")
    table = TableSql(DIALECT, "t", ["owner", "note"], {})
    update = table.update("owner")
    committer = Committer(lambda: connection, DIALECT)
    model: dict[int, tuple[Any, Any]] = {}
    failed: set[str] = set()
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
                elif operation.id in model:
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
    committer.close()
