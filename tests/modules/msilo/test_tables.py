from __future__ import annotations

from pathlib import Path

from openpy.db.dialect import execute
from openpy.db.schema import check
from openpy.db.tables import columns_of, name_of
from openpy.db.url import DatabaseUrl
from openpy.modules.msilo.tables import COLUMNS, TABLES, Silo
from tests.servers import DIALECTS, Databases

LEGACY = """CREATE TABLE silo (id INTEGER PRIMARY KEY, src_addr varchar(128) NOT NULL DEFAULT '',
dst_addr varchar(128) NOT NULL DEFAULT '', username varchar(64) NOT NULL DEFAULT '', domain varchar(64) NOT NULL
DEFAULT '', inc_time int NOT NULL DEFAULT 0, exp_time int NOT NULL DEFAULT 0, snd_time int NOT NULL DEFAULT 0,
ctype varchar(32) NOT NULL DEFAULT 'text/plain', body blob NOT NULL DEFAULT '')"""


def test_the_layout_is_that_of_1_3() -> None:
    assert list(TABLES) == [Silo]
    assert (name_of(Silo), Silo.table_version) == ("silo", 5)
    assert tuple(columns_of(Silo)) == COLUMNS
    assert COLUMNS[:4] == ("src_addr", "dst_addr", "username", "domain")
    assert COLUMNS[4:] == ("inc_time", "exp_time", "snd_time", "ctype", "body")


def test_a_table_that_1_3_made(tmp_path: Path) -> None:
    dialect = DIALECTS["sqlite"]
    url: DatabaseUrl = Databases().empty("sqlite", tmp_path)
    connection = dialect.connect(url)
    execute(connection, LEGACY)
    execute(connection, "CREATE TABLE version (table_name varchar(32), table_version int)")
    execute(connection, "INSERT INTO version VALUES ('silo', 5)")
    assert check(dialect, connection, [Silo]) == []
    execute(connection, "UPDATE version SET table_version = 6")
    assert check(dialect, connection, [Silo]) != []
    connection.close()
