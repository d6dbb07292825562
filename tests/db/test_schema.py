import sqlite3

import pytest

from openpy.db import schema
from openpy.db.dialect import Connection, execute
from openpy.db.tables import Table, named
from openpy.modules.sqlite.dialect import DIALECT


class Newer(Table):
    """A table of which OpenSER asks for "at least" a version."""

    table_version = 5
    newer_accepted = True


def set_version(connection: Connection, version: int) -> None:
    execute(connection, "UPDATE version SET table_version = ?", (version,))


def test_create_check_version_drop(connection: Connection, mailbox: type[Table]) -> None:
    tables = [mailbox, named(mailbox, "voicemail")]
    assert schema.versions(DIALECT, connection, tables) == {"mailbox": None, "voicemail": None}
    assert schema.create(DIALECT, connection, tables) == ["mailbox", "voicemail"]
    assert schema.create(DIALECT, connection, tables) == []
    assert schema.check(DIALECT, connection, tables) == []
    assert schema.versions(DIALECT, connection, tables) == {"mailbox": 3, "voicemail": 3}
    assert schema.drop(DIALECT, connection, [mailbox]) == ["mailbox"]
    assert schema.drop(DIALECT, connection, [mailbox]) == []
    assert schema.versions(DIALECT, connection, tables) == {"mailbox": None, "voicemail": 3}
    assert "does not exist; openpydbctl create" in schema.check(DIALECT, connection, [mailbox])[0]


def test_a_table_without_version_row_is_refused_with_the_row_to_add(
    connection: Connection, mailbox: type[Table]
) -> None:
    schema.create(DIALECT, connection, [mailbox])
    execute(connection, "DELETE FROM version")
    (problem,) = schema.check(DIALECT, connection, [mailbox])
    assert "table mailbox has no version, needed is 3" in problem
    execute(connection, problem[problem.index("INSERT") :])
    assert schema.check(DIALECT, connection, [mailbox]) == []


def test_a_version_row_is_written_only_with_its_table(connection: Connection, mailbox: type[Table]) -> None:
    schema.create(DIALECT, connection, [mailbox])
    execute(connection, "DELETE FROM version")
    assert schema.create(DIALECT, connection, [mailbox]) == []
    assert schema.versions(DIALECT, connection, [mailbox]) == {"mailbox": None}


@pytest.mark.parametrize(("version", "good"), [(2, False), (3, True), (4, False)])
def test_the_version_is_exactly_the_needed_one(
    connection: Connection, mailbox: type[Table], version: int, good: bool
) -> None:
    schema.create(DIALECT, connection, [mailbox])
    set_version(connection, version)
    assert (schema.check(DIALECT, connection, [mailbox]) == []) is good


def test_where_newer_is_accepted_older_is_not(connection: Connection) -> None:
    schema.create(DIALECT, connection, [Newer])
    set_version(connection, 6)
    assert schema.check(DIALECT, connection, [Newer]) == []
    set_version(connection, 4)
    (problem,) = schema.check(DIALECT, connection, [Newer])
    assert problem.startswith("table newer has version 4, needed is at least 5; alter it, or")


@pytest.mark.parametrize(
    ("columns", "problems"),
    [
        ("owner VARCHAR(16), unread INT, note VARCHAR(16)", []),
        ("owner VARCHAR(16), unread INT, note TEXT, extra INT, more INT NOT NULL DEFAULT 1", []),
        ("owner VARCHAR(16), unread INT, note VARCHAR(15)", ["column mailbox.note is 15 wide, needed is 16"]),
        (
            "owner VARCHAR(8), note VARCHAR(64)",
            ["column mailbox.owner is 8 wide, needed is 16", "table mailbox has no column unread"],
        ),
        (
            "owner VARCHAR(16), unread INT, note TEXT, sender TEXT NOT NULL",
            ["column mailbox.sender is unknown, and takes no row without a value"],
        ),
    ],
)
def test_columns_as_openser_or_we_made_them_will_do(
    connection: Connection, mailbox: type[Table], columns: str, problems: list[str]
) -> None:
    schema.create(DIALECT, connection, [mailbox])
    execute(connection, "DROP TABLE mailbox")
    execute(connection, f"CREATE TABLE mailbox (id INTEGER PRIMARY KEY, {columns})")
    found = schema.check(DIALECT, connection, [mailbox])
    assert [problem.partition("; alter it, or make it anew")[0] for problem in found] == problems


def test_widths_are_the_real_ones(connection: Connection) -> None:
    execute(connection, "CREATE TABLE mailbox (id INTEGER PRIMARY KEY, owner VARCHAR(8), note TEXT)")
    assert schema.widths(DIALECT, connection, "mailbox") == {"id": None, "owner": 8, "note": None}


def test_create_is_all_or_nothing(connection: Connection, mailbox: type[Table]) -> None:
    execute(connection, "CREATE TABLE version (other INT)")
    with pytest.raises(sqlite3.Error):
        schema.create(DIALECT, connection, [mailbox])
    assert not DIALECT.real_columns(connection, "mailbox")


def test_drop_is_all_or_nothing(connection: Connection, mailbox: type[Table]) -> None:
    schema.create(DIALECT, connection, [mailbox])
    execute(connection, "ALTER TABLE version RENAME COLUMN table_name TO other")
    with pytest.raises(sqlite3.Error):
        schema.drop(DIALECT, connection, [mailbox])
    assert DIALECT.real_columns(connection, "mailbox")
