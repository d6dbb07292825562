"""Tables of subscriptions for other modules."""

from dataclasses import replace
from typing import cast

import pytest

from openpy.db.database import Database
from openpy.db.errors import DatabaseError
from openpy.db.statements import TableSql
from openpy.modules.presence.api import LOCAL_TYPE, REMOTE_TYPE, EventPackage, Subs
from openpy.modules.presence.shtable import SubscriptionTable, key_of
from openpy.modules.presence.subs import INSERT, NO_UPDATE, UPDATE
from openpy.modules.presence.tables import ActiveWatchers
from tests.modules.presence.kit import ALICE, Memory

PACKAGE = EventPackage("presence", "application/rlmi+xml")
SUBS = Subs(ALICE, PACKAGE, callid="c", to_tag="t", from_tag="f", contact="sip:a@b", expires=100)
KEY = key_of(SUBS)


@pytest.fixture
def table() -> SubscriptionTable:
    made = SubscriptionTable()
    made.insert(KEY, SUBS, 1000.0)
    return made


def test_an_entry_is_a_copy_that_lives_from_now_on(table: SubscriptionTable) -> None:
    entry = table.search(KEY, "c", "t", "f")
    assert entry is not None
    assert (entry.expires, entry.db_flag, SUBS.expires) == (1100.0, INSERT, 100)
    assert len(table) == 1
    assert table.search((ALICE, "other"), "c", "t", "f") is None


def test_d24_an_entry_is_found_and_deleted_by_its_whole_dialog(table: SubscriptionTable) -> None:
    for dialog in (("x", "t", "f"), ("c", "x", "f"), ("c", "t", "x")):
        assert table.search(KEY, *dialog) is None
        assert table.delete(KEY, *dialog) == -1
    table.update(KEY, replace(SUBS), LOCAL_TYPE, 1000.0)
    assert table.delete(KEY, "c", "t", "f") == 1
    assert len(table) == 0


def test_updates_of_both_types(table: SubscriptionTable) -> None:
    entry = table.search(KEY, "c", "t", "f")
    assert entry is not None
    entry.db_flag = NO_UPDATE
    request = replace(SUBS, expires=50, remote_cseq=9, contact="sip:new@b", status=2)
    assert table.update(KEY, request, REMOTE_TYPE, 1010.0)
    assert (entry.expires, entry.remote_cseq, entry.contact, entry.status) == (1060.0, 9, "sip:new@b", 2)
    assert (entry.db_flag, request.db_flag) == (UPDATE, NO_UPDATE)
    for cseq, version in ((1, 0), (2, 1)):
        notify = replace(SUBS)
        assert table.update(KEY, notify, LOCAL_TYPE, 1010.0)
        assert (notify.local_cseq, notify.version) == (cseq, version)
    assert not table.update(KEY, replace(SUBS, to_tag="x"), LOCAL_TYPE, 0.0)


def test_what_changed_is_written_once(table: SubscriptionTable) -> None:
    memory = Memory()
    sql = memory.use(ActiveWatchers, "rls_watchers")
    database = cast(Database, memory)

    def sync(now: float) -> DatabaseError | None:
        done = table.sync(database, sql, now, None)
        assert done.done
        return done.value

    assert sync(1000.0) is None
    (row,) = memory.named("rls_watchers")
    assert (row["id"], row["presentity_uri"], row["expires"], row["version"]) == (1, ALICE, 1100, 0)
    commits = memory.writer.commits
    sync(1000.0)
    assert memory.writer.commits == commits
    table.update(KEY, replace(SUBS), LOCAL_TYPE, 1000.0)
    sync(1000.0)
    (row,) = memory.named("rls_watchers")
    assert (row["local_cseq"], row["version"]) == (1, 1)
    table.delete(KEY, "c", "t", "f")
    sync(1000.0)
    assert memory.named("rls_watchers") == []


def test_what_has_expired_is_told_and_removed(table: SubscriptionTable) -> None:
    memory = Memory()
    sql: TableSql = memory.use(ActiveWatchers)
    database = cast(Database, memory)
    table.sync(database, sql, 1000.0, None)
    table.insert(KEY, replace(SUBS, to_tag="other", expires=500), 1000.0)
    told: list[str] = []
    table.sync(database, sql, 1200.0, lambda subs: told.append(subs.to_tag))
    assert told == ["t"]
    assert [row["to_tag"] for row in memory.named("active_watchers")] == ["other"]
    table.clear()
    assert len(table) == 0


def test_d20_what_could_not_be_written_is_written_the_next_time(table: SubscriptionTable) -> None:
    memory = Memory()
    sql: TableSql = memory.use(ActiveWatchers)
    database = cast(Database, memory)
    memory.writer.failing = DatabaseError("away")
    assert table.sync(database, sql, 1000.0, None).value is memory.writer.failing
    memory.writer.failing = None
    assert table.sync(database, sql, 1000.0, None).value is None
    assert len(memory.named("active_watchers")) == 1
