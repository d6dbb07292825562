"""The table, in 1.3's layout and in other words."""

from __future__ import annotations

from pathlib import Path

import pytest

from openpy.db.dialect import execute
from openpy.db.schema import check, create
from openpy.db.tables import Table, columns_of, name_of, with_columns
from openpy.modules.usrloc.tables import COLUMNS, TABLES, Location
from tests.servers import DIALECTS, Databases, databases

__all__ = ["databases"]

LEGACY = """CREATE TABLE location (id INTEGER PRIMARY KEY, username varchar(64) NOT NULL DEFAULT '',
domain varchar(64), contact varchar(255) NOT NULL DEFAULT '', received varchar(128), path varchar(128),
expires datetime NOT NULL DEFAULT '2020-05-28 21:32:15', q float(10,2) NOT NULL DEFAULT 1.0,
callid varchar(255) NOT NULL DEFAULT 'Default-Call-ID', cseq int(11) NOT NULL DEFAULT 13,
last_modified datetime NOT NULL DEFAULT '1900-01-01 00:00:01', flags int(11) NOT NULL DEFAULT 0,
cflags int(11) NOT NULL DEFAULT 0, user_agent varchar(255) NOT NULL DEFAULT '', socket varchar(64), methods int(11))"""


def test_names_versions_and_columns() -> None:
    assert [(name_of(table), table.table_version) for table in TABLES] == [
        ("location", 1004),
        ("aliases", 1004),
    ]
    assert (
        *("username", "domain", "contact", "received", "path", "expires", "q", "callid", "cseq"),
        *("last_modified", "flags", "cflags", "user_agent", "socket", "methods"),
    ) == COLUMNS


def test_another_table_and_other_columns() -> None:
    plain = with_columns(Location, "inside", {"username": "username"})
    assert (name_of(plain), list(columns_of(plain))) == ("inside", list(COLUMNS))
    other = with_columns(Location, "outside", {"username": "who", "q": "priority"})
    assert list(columns_of(other)) == [
        {"username": "who", "q": "priority"}.get(name, name) for name in COLUMNS
    ]
    assert other.legacy_widths["who"] == 64
    assert (other.table_version, other.newer_accepted) == (1004, True)


@pytest.mark.parametrize("kind", list(DIALECTS))
def test_made_and_found_in_order(kind: str, databases: Databases, tmp_path: Path) -> None:
    dialect = DIALECTS[kind]
    connection = dialect.connect(databases.empty(kind, tmp_path), patience=20.0)
    tables: list[type[Table]] = [*TABLES, with_columns(Location, "outside", {"username": "who"})]
    create(dialect, connection, tables)
    assert check(dialect, connection, tables) == []
    execute(connection, "UPDATE version SET table_version = 1005")
    assert check(dialect, connection, tables) == []
    execute(connection, "UPDATE version SET table_version = 1003")
    assert "needed is at least 1004" in check(dialect, connection, [Location])[0]
    connection.close()


def test_a_table_that_1_3_made(tmp_path: Path) -> None:
    dialect = DIALECTS["sqlite"]
    connection = dialect.connect(Databases().empty("sqlite", tmp_path))
    execute(connection, LEGACY)
    execute(connection, "CREATE TABLE version (table_name varchar(32), table_version int)")
    execute(connection, "INSERT INTO version VALUES ('location', 1004)")
    assert check(dialect, connection, [Location]) == []
    connection.close()
