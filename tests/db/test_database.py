from collections.abc import Callable, Iterator
from queue import SimpleQueue
from typing import TypeAlias

import pytest

from openpy.db.database import Database
from openpy.db.dialect import Connection, execute
from openpy.db.errors import DatabaseError, Unavailable, WrongTable
from openpy.db.statements import Upsert
from openpy.db.tables import Table
from openpy.db.url import DatabaseUrl
from openpy.modules.sqlite.dialect import DIALECT, SqliteDialect

Posted: TypeAlias = SimpleQueue[Callable[[], None]]


@pytest.fixture
def posted() -> Posted:
    return SimpleQueue()


@pytest.fixture
def database(url: DatabaseUrl, posted: Posted) -> Iterator[Database]:
    database = Database(url, DIALECT, posted.put)
    database.open()
    yield database
    database.close()


def test_missing_tables_are_made_written_read_and_kept(
    database: Database, url: DatabaseUrl, posted: Posted, mailbox: type[Table]
) -> None:
    table = database.use(mailbox)
    assert database.use(mailbox) is table
    assert table.widths == {"id": None, "owner": 16, "unread": None, "note": 32}
    answers: list[DatabaseError | None] = []
    for owner in ("alice", "bob"):
        row = Upsert(table, database.next_id(table), (owner, 0, "ü"))
        database.writer.submit(owner, [row], answers.append)
    database.writer.flush()
    posted.get(timeout=10)()
    assert answers == [None, None]
    assert sorted(database.rows(table)) == [(1, "alice", 0, "ü"), (2, "bob", 0, "ü")]
    database.close()

    again = Database(url, DIALECT, posted.put)
    again.open()
    assert again.next_id(again.use(mailbox)) == 3
    again.close()


def test_a_table_under_another_name_is_another_table(database: Database, mailbox: type[Table]) -> None:
    table, other = database.use(mailbox), database.use(mailbox, "voicemail")
    assert other is not table
    assert other.name == "voicemail"
    assert (database.next_id(table), database.next_id(other)) == (1, 1)


def test_a_table_that_differs_is_refused_with_what_to_run(
    database: Database, connection: Connection, mailbox: type[Table]
) -> None:
    execute(
        connection, "CREATE TABLE mailbox (id INTEGER PRIMARY KEY, owner VARCHAR(16), unread INT, note TEXT)"
    )
    with pytest.raises(WrongTable, match=r"INSERT INTO version .*'mailbox', 3.* \(in sqlite:///"):
        database.use(mailbox)


def test_where_tables_are_not_made_a_missing_one_is_refused(
    url: DatabaseUrl, posted: Posted, mailbox: type[Table]
) -> None:
    class Strict(SqliteDialect):
        makes_tables = False

    database = Database(url, Strict(), posted.put)
    database.open()
    with pytest.raises(WrongTable, match="does not exist; openpydbctl create"):
        database.use(mailbox)
    database.close()


def test_a_lock_at_the_start_is_told_as_such(
    database: Database, connection: Connection, mailbox: type[Table]
) -> None:
    execute(connection, "BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match="locked"):
        database.use(mailbox)
