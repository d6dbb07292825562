"""The n-th call to a real driver fails, or the process dies at it: each submission is kept or not, never half.

A submission writes to two tables; thirty of them are one transaction.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import peewee
import pytest

from openpy.db import schema
from openpy.db.committer import Committer, Forgiven, Outcome, Submission
from openpy.db.dialect import Dialect, fetch
from openpy.db.errors import DatabaseError, OutcomeUnknown
from openpy.db.statements import Delete, Operation, TableSql, Update, Upsert
from openpy.db.tables import Table, columns_of, name_of
from openpy.db.url import DatabaseUrl
from tests.faults.calls import FAULTS, Calls, Died, Fault, FaultyMysql, FaultyPostgres, FaultySqlite
from tests.servers import DIALECTS, PATIENCE, Databases, databases

__all__ = ["databases"]

FAULTY: dict[str, Callable[[Calls], Dialect]] = {
    "sqlite": FaultySqlite,
    "mysql": FaultyMysql,
    "postgres": FaultyPostgres,
}

PART = 10
"""Submissions that make rows, that change some, and that delete some."""

BEFORE, AFTER = "before", "after"


class Parcel(Table):
    """One half of what a submission writes."""

    table_version = 1
    state = peewee.CharField(16)


class Label(Table):
    """The other half."""

    table_version = 1
    state = peewee.CharField(16)


class Store:
    """A database with these tables; `submissions` make of what is BEFORE what is AFTER."""

    def __init__(self, kind: str, url: DatabaseUrl) -> None:
        self.url = url
        self.calls = Calls(lambda: None)
        self.dialect: Dialect = FAULTY[kind](self.calls)
        self._plain = DIALECTS[kind]
        with closing(self._plain.connect(url, patience=PATIENCE)) as connection:
            schema.create(self._plain, connection, [Parcel, Label])
        self._tables = [
            TableSql(self.dialect, name_of(table), list(columns_of(table)), columns_of(table))
            for table in (Parcel, Label)
        ]

    def reset(self) -> None:
        """Everything is BEFORE."""
        self.calls.stop()
        committer = self.committer()
        operations: list[Operation] = [Delete(table, id_) for table in self._tables for id_ in IDS]
        operations += [Upsert(table, id_, (BEFORE,)) for table in self._tables for id_ in OLD]
        assert not committer.commit([self._submission(0, operations)]).errors
        committer.close()

    def committer(self) -> Committer:
        """What writes, on a connection."""
        committer = Committer(self.dialect, lambda reason: None)
        committer.adopt(self.dialect.connect(self.url, patience=PATIENCE))
        return committer

    def submissions(self) -> list[Submission]:
        """All of one batch."""
        return [self._submission(id_, [_change(table, id_) for table in self._tables]) for id_ in IDS]

    def rows(self) -> dict[int, tuple[str, str]]:
        """The state of both halves of each submission, as somebody else sees them; "" for no row."""
        halves: list[dict[int, str]] = []
        with closing(self._plain.connect(self.url, patience=PATIENCE)) as connection:
            for table in self._tables:
                halves.append(dict(fetch(connection, f"SELECT id, state FROM {table.name}")))
        return {id_: (halves[0].get(id_, ""), halves[1].get(id_, "")) for id_ in IDS}

    def _submission(self, key: int, operations: list[Operation]) -> Submission:
        return key, operations, lambda error: None


IDS = range(1, 3 * PART + 1)
OLD = range(PART + 1, 3 * PART + 1)


def _change(table: TableSql, id_: int) -> Operation:
    if id_ <= PART:
        return Upsert(table, id_, (AFTER,))
    if id_ <= 2 * PART:
        return Update(table.update("state"), id_, (AFTER,))
    return Delete(table, id_)


def halves(id_: int, *, done: bool) -> tuple[str, str]:
    """What both halves of a submission are before and after it."""
    state = (AFTER if id_ <= 2 * PART else "") if done else (BEFORE if id_ > PART else "")
    return state, state


def check(store: Store, outcome: Outcome) -> None:
    """Each answer is true."""
    rows = store.rows()
    unknown = set()
    for place, id_ in enumerate(IDS):
        error = outcome.errors.get(place)
        if isinstance(error, OutcomeUnknown):
            unknown.add(rows[id_] == halves(id_, done=True))
            assert rows[id_] in (halves(id_, done=False), halves(id_, done=True))
        else:
            assert rows[id_] == halves(id_, done=error is None), error
    assert len(unknown) < 2, "half of a transaction is kept"


def mend(store: Store, committer: Committer, errors: dict[int, DatabaseError]) -> None:
    """What failed is written again."""
    submissions = store.submissions()
    again = [submissions[place] for place in errors]
    committer.adopt(store.dialect.connect(store.url, patience=PATIENCE))
    outcome = committer.commit([*(Forgiven(key) for key, _, _ in again), *again])
    unmended = [error for error in outcome.errors.values() if "has lost a row" not in str(error)]
    assert not unmended
    assert all(state == halves(id_, done=True) for id_, state in store.rows().items())


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
@pytest.mark.parametrize("kind", list(DIALECTS))
def test_each_submission_is_kept_or_not(
    kind: str, fault: Fault, databases: Databases, tmp_path: Path
) -> None:
    store = Store(kind, databases.empty(kind, tmp_path))
    place = 0
    while True:
        store.reset()
        committer = store.committer()
        store.calls.count(fault, place)
        try:
            outcome = committer.commit(store.submissions())
        except Died:
            kept = store.rows()
            done = {id_ for id_ in IDS if kept[id_] == halves(id_, done=True)}
            assert len(done) in (0, len(IDS)), "half of a transaction is kept"
            assert all(kept[id_] == halves(id_, done=False) for id_ in IDS if id_ not in done)
        else:
            met = place < len(store.calls.made)
            store.calls.stop()
            check(store, outcome)
            mend(store, committer, outcome.errors)
            if not met:
                break
        finally:
            committer.close()
        place += 1
    assert place > 3
    assert not outcome.errors
