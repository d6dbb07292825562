import pytest

from openpy.db import schema
from openpy.db.dialect import Connection, Dialect, execute
from openpy.db.errors import WrongTable
from openpy.db.tables import Table, named, reading


class Newer(Table):
    """A table of which OpenSER asks for "at least" a version."""

    table_version = 5
    newer_accepted = True


class Unlooked(Table):
    """A table whose version OpenSER never looks at."""

    table_version = 2
    any_version = True


def set_version(connection: Connection, version: int) -> None:
    execute(connection, f"UPDATE version SET table_version = {version}")


def test_create_check_version_drop(dialect: Dialect, connection: Connection, mailbox: type[Table]) -> None:
    tables = [mailbox, named(mailbox, "voicemail")]
    assert schema.versions(dialect, connection, tables) == {"mailbox": None, "voicemail": None}
    assert schema.create(dialect, connection, tables) == ["mailbox", "voicemail"]
    assert schema.create(dialect, connection, tables) == []
    assert schema.check(dialect, connection, tables) == []
    assert schema.versions(dialect, connection, tables) == {"mailbox": 3, "voicemail": 3}
    assert schema.drop(dialect, connection, [mailbox]) == ["mailbox"]
    assert schema.drop(dialect, connection, [mailbox]) == []
    assert schema.versions(dialect, connection, tables) == {"mailbox": None, "voicemail": 3}
    assert "does not exist; openpydbctl create" in schema.check(dialect, connection, [mailbox])[0]


def test_a_table_without_version_row_is_refused_with_the_row_to_add(
    dialect: Dialect, connection: Connection, mailbox: type[Table]
) -> None:
    schema.create(dialect, connection, [mailbox])
    execute(connection, "DELETE FROM version")
    (problem,) = schema.check(dialect, connection, [mailbox])
    assert "table mailbox has no version, needed is 3" in problem
    execute(connection, problem[problem.index("INSERT") :])
    assert schema.check(dialect, connection, [mailbox]) == []


def test_a_version_row_is_written_only_with_its_table(
    dialect: Dialect, connection: Connection, mailbox: type[Table]
) -> None:
    schema.create(dialect, connection, [mailbox])
    execute(connection, "DELETE FROM version")
    assert schema.create(dialect, connection, [mailbox]) == []
    assert schema.versions(dialect, connection, [mailbox]) == {"mailbox": None}


@pytest.mark.parametrize(("version", "good"), [(2, False), (3, True), (4, False)])
def test_the_version_is_exactly_the_needed_one(
    dialect: Dialect, connection: Connection, mailbox: type[Table], version: int, good: bool
) -> None:
    schema.create(dialect, connection, [mailbox])
    set_version(connection, version)
    assert (schema.check(dialect, connection, [mailbox]) == []) is good


def test_where_newer_is_accepted_older_is_not(dialect: Dialect, connection: Connection) -> None:
    schema.create(dialect, connection, [Newer])
    set_version(connection, 6)
    assert schema.check(dialect, connection, [Newer]) == []
    set_version(connection, 4)
    (problem,) = schema.check(dialect, connection, [Newer])
    assert problem.startswith("table newer has version 4, needed is at least 5; alter it, or")


@pytest.mark.parametrize("version", [0, 2, 9])
def test_where_openser_never_looked_any_version_is_good(
    dialect: Dialect, connection: Connection, version: int
) -> None:
    schema.create(dialect, connection, [Unlooked])
    set_version(connection, version)
    assert schema.check(dialect, connection, [Unlooked]) == []
    execute(connection, "DELETE FROM version")
    assert schema.check(dialect, connection, [Unlooked]) == []


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
    dialect: Dialect, connection: Connection, mailbox: type[Table], columns: str, problems: list[str]
) -> None:
    schema.create(dialect, connection, [mailbox])
    execute(connection, "DROP TABLE mailbox")
    execute(connection, f"CREATE TABLE mailbox (id INTEGER PRIMARY KEY, {columns})")
    found = schema.check(dialect, connection, [mailbox])
    assert [problem.partition("; alter it, or make it anew")[0] for problem in found] == problems


def test_create_is_all_or_nothing(
    kind: str, dialect: Dialect, connection: Connection, mailbox: type[Table]
) -> None:
    execute(connection, "CREATE TABLE version (other INT)")
    with pytest.raises(WrongTable), dialect.explained():
        schema.create(dialect, connection, [mailbox])
    if kind != "mysql":  # where each DDL statement commits itself
        assert not dialect.real_columns(connection, "mailbox")


def test_drop_is_all_or_nothing(
    kind: str, dialect: Dialect, connection: Connection, mailbox: type[Table]
) -> None:
    schema.create(dialect, connection, [mailbox])
    execute(connection, "ALTER TABLE version RENAME COLUMN table_name TO other")
    with pytest.raises(WrongTable), dialect.explained():
        schema.drop(dialect, connection, [mailbox])
    if kind != "mysql":
        assert dialect.real_columns(connection, "mailbox")


def test_tables_made_here_need_no_advice(
    dialect: Dialect, connection: Connection, mailbox: type[Table]
) -> None:
    schema.create(dialect, connection, [mailbox])
    assert schema.advice(dialect, connection, [mailbox]) == []


@pytest.mark.parametrize(("version", "good"), [(1, False), (2, True), (3, True), (4, False)])
def test_an_older_version_may_serve(
    dialect: Dialect, connection: Connection, mailbox: type[Table], version: int, good: bool
) -> None:
    schema.create(dialect, connection, [mailbox])
    set_version(connection, version)
    problems = schema.check(dialect, connection, [reading(mailbox, ["owner"], oldest=2)])
    assert (problems == []) is good


def test_who_only_reads_asks_for_columns_alone(
    dialect: Dialect, connection: Connection, mailbox: type[Table]
) -> None:
    schema.create(dialect, connection, [mailbox])
    execute(connection, "DROP TABLE mailbox")
    execute(connection, "CREATE TABLE mailbox (owner VARCHAR(4), theirs VARCHAR(10) NOT NULL)")
    assert len(schema.check(dialect, connection, [mailbox])) > 2
    assert schema.check(dialect, connection, [reading(mailbox, ["owner"])]) == []
    (problem,) = schema.check(dialect, connection, [reading(mailbox, ["owner", "note"])])
    assert problem == (
        "table mailbox has no column note; alter it, or make it anew, empty, "
        "with openpydbctl drop and create, both with --tables mailbox"
    )
