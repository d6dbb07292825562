"""The table, in 1.3's layout and in other words."""

from __future__ import annotations

from pathlib import Path

import pytest

from openpy.db.dialect import execute
from openpy.db.schema import check, create
from openpy.db.tables import Table, columns_of, name_of, with_columns
from openpy.modules.siptrace.tables import COLUMNS, TABLES, SipTrace
from tests.servers import DIALECTS, Databases, databases

__all__ = ["databases"]

LEGACY = """CREATE TABLE sip_trace (id INTEGER PRIMARY KEY, date datetime NOT NULL DEFAULT '1900-01-01 00:00:01',
callid varchar(255) NOT NULL DEFAULT '', traced_user varchar(128) NOT NULL DEFAULT '', msg text NOT NULL,
method varchar(50) NOT NULL DEFAULT '', status varchar(128) NOT NULL DEFAULT '',
fromip varchar(50) NOT NULL DEFAULT '', toip varchar(50) NOT NULL DEFAULT '',
 fromtag varchar(64) NOT NULL DEFAULT '', direction varchar(4) NOT NULL DEFAULT '')"""


def test_name_version_and_columns() -> None:
    assert [(name_of(table), table.table_version) for table in TABLES] == [("sip_trace", 1)]
    assert (
        *("date", "callid", "traced_user", "msg", "method", "status"),
        *("fromip", "toip", "fromtag", "direction"),
    ) == COLUMNS


@pytest.mark.parametrize("kind", list(DIALECTS))
def test_made_and_found_in_order(kind: str, databases: Databases, tmp_path: Path) -> None:
    dialect = DIALECTS[kind]
    connection = dialect.connect(databases.empty(kind, tmp_path), patience=20.0)
    tables: list[type[Table]] = [*TABLES, with_columns(SipTrace, "spies", {"msg": "message"})]
    create(dialect, connection, tables)
    assert check(dialect, connection, tables) == []
    execute(connection, "UPDATE version SET table_version = 9 WHERE table_name = 'sip_trace'")
    assert check(dialect, connection, [SipTrace]) == []
    connection.close()


def test_the_table_of_openser(tmp_path: Path, databases: Databases) -> None:
    dialect = DIALECTS["sqlite"]
    connection = dialect.connect(databases.empty("sqlite", tmp_path), patience=20.0)
    execute(connection, LEGACY)
    execute(connection, "CREATE TABLE version (table_name varchar(64) PRIMARY KEY, table_version int)")
    assert check(dialect, connection, [SipTrace]) == []
    assert "message" in columns_of(with_columns(SipTrace, "spies", {"msg": "message"}))
    connection.close()
