"""The table, in 1.3's layout and in other words."""

from __future__ import annotations

from pathlib import Path

import pytest

from openpy.db.dialect import execute
from openpy.db.schema import check, create
from openpy.db.tables import Table, columns_of, name_of, with_columns
from openpy.modules.dialog.tables import COLUMNS, TABLES, DialogTable
from tests.servers import DIALECTS, Databases, databases

__all__ = ["databases"]

LEGACY = """CREATE TABLE dialog (id INTEGER PRIMARY KEY, hash_entry int(10) NOT NULL, hash_id int(10) NOT NULL,
callid varchar(255) NOT NULL, from_uri varchar(128) NOT NULL, from_tag varchar(64) NOT NULL,
to_uri varchar(128) NOT NULL, to_tag varchar(64) NOT NULL,
caller_cseq varchar(7) NOT NULL, callee_cseq varchar(7) NOT NULL,
caller_route_set varchar(512), callee_route_set varchar(512),
caller_contact varchar(128) NOT NULL, callee_contact varchar(128) NOT NULL,
caller_sock varchar(64) NOT NULL, callee_sock varchar(64) NOT NULL,
state int(10) NOT NULL, start_time int(10) NOT NULL, timeout int(10) NOT NULL)"""


def test_name_version_and_columns() -> None:
    assert [(name_of(table), table.table_version) for table in TABLES] == [("dialog", 2)]
    assert (
        *("hash_entry", "hash_id", "callid", "from_uri", "from_tag", "to_uri", "to_tag"),
        *("caller_cseq", "callee_cseq", "caller_route_set", "callee_route_set"),
        *("caller_contact", "callee_contact", "caller_sock", "callee_sock"),
        *("state", "start_time", "timeout"),
    ) == COLUMNS


@pytest.mark.parametrize("kind", list(DIALECTS))
def test_made_and_found_in_order(kind: str, databases: Databases, tmp_path: Path) -> None:
    dialect = DIALECTS[kind]
    connection = dialect.connect(databases.empty(kind, tmp_path), patience=20.0)
    tables: list[type[Table]] = [*TABLES, with_columns(DialogTable, "calls", {"state": "how"})]
    create(dialect, connection, tables)
    assert check(dialect, connection, tables) == []
    execute(connection, "UPDATE version SET table_version = 3 WHERE table_name = 'dialog'")
    assert "needed is 2" in check(dialect, connection, [DialogTable])[0]
    connection.close()


def test_the_table_of_openser(tmp_path: Path, databases: Databases) -> None:
    dialect = DIALECTS["sqlite"]
    connection = dialect.connect(databases.empty("sqlite", tmp_path), patience=20.0)
    execute(connection, LEGACY)
    execute(connection, "CREATE TABLE version (table_name varchar(64) PRIMARY KEY, table_version int)")
    execute(connection, "INSERT INTO version VALUES ('dialog', 2)")
    assert check(dialect, connection, [DialogTable]) == []
    connection.close()


def test_columns_by_other_names() -> None:
    assert "how" in columns_of(with_columns(DialogTable, "calls", {"state": "how"}))
