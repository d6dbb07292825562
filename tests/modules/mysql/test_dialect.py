import sys

import peewee
import pytest

from openpy.db import schema
from openpy.db.dialect import ColumnInfo, Connection, Dialect, EachRow, execute, fetch
from openpy.db.errors import RowRefused, Unavailable, Unusable
from openpy.db.tables import Table, ddl
from openpy.db.url import DatabaseUrl
from openpy.modules.mysql.dialect import DIALECT
from openpy.modules.presence.tables import TABLES
from tests.modules.servers import a_database_of_openser_serves, a_table_is_read_however_long_it_takes

ID = "id int(10) unsigned AUTO_INCREMENT PRIMARY KEY NOT NULL"
OPTIONS = "ENGINE=MyISAM DEFAULT CHARSET=latin1"
V64 = "varchar(64) NOT NULL"

OPENSER = (
    "CREATE TABLE version (table_name varchar(32) NOT NULL, table_version int unsigned NOT NULL DEFAULT 0)",
    "INSERT INTO version VALUES ('presentity', 2), ('active_watchers', 9), ('watchers', 3)",
    f"CREATE TABLE presentity ({ID}, username {V64}, domain {V64}, event {V64}, etag {V64}, expires int(11) NOT NULL, "
    "received_time int(11) NOT NULL, body blob NOT NULL, "
    f"UNIQUE KEY presentity_idx (username, domain, event, etag)) {OPTIONS}",
    f"CREATE TABLE active_watchers ({ID}, presentity_uri varchar(128) NOT NULL, watcher_username {V64}, "
    f"watcher_domain {V64}, to_user {V64}, to_domain {V64}, event {V64} DEFAULT 'presence', event_id varchar(64), "
    f"to_tag {V64}, from_tag {V64}, callid {V64}, local_cseq int(11) NOT NULL, remote_cseq int(11) NOT NULL, "
    f"contact {V64}, record_route text, expires int(11) NOT NULL, status int(11) NOT NULL DEFAULT 2, reason {V64}, "
    f"version int(11) NOT NULL DEFAULT 0, socket_info {V64}, local_contact varchar(128) NOT NULL, "
    f"UNIQUE KEY active_watchers_idx (presentity_uri, callid, to_tag, from_tag)) {OPTIONS}",
    f"CREATE TABLE watchers ({ID}, presentity_uri varchar(128) NOT NULL, watcher_username {V64}, "
    f"watcher_domain {V64}, event {V64} DEFAULT 'presence', status int(11) NOT NULL, reason varchar(64), "
    "inserted_time int(11) NOT NULL, "
    f"UNIQUE KEY watcher_idx (presentity_uri, watcher_username, watcher_domain, event)) {OPTIONS}",
)
"""The tables of presence as OpenSER 1.3 lays them out in MySQL."""


class Mailbox(Table):
    table_version = 3
    owner = peewee.CharField(16, unique=True)


def test_real_columns(connection: Connection) -> None:
    execute(
        connection,
        "CREATE TABLE t (id int(10) unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, a varchar(64) NOT NULL, "
        "b text, c char(8) NOT NULL DEFAULT '', d blob NOT NULL)",
    )
    assert DIALECT.real_columns(connection, "t") == {
        "id": ColumnInfo(None, False, True, "int"),
        "a": ColumnInfo(64, False, False, "varchar"),
        "b": ColumnInfo(None, True, True, "text"),
        "c": ColumnInfo(8, False, True, "char"),
        "d": ColumnInfo(None, False, False, "blob"),
    }
    assert DIALECT.real_columns(connection, "nosuch") == {}


def test_tables_made_here_are_transactional_and_binary(connection: Connection) -> None:
    """All tables of presence can be made: no index is wider than InnoDB takes."""
    schema.create(DIALECT, connection, TABLES)
    assert schema.check(DIALECT, connection, TABLES) == []
    assert schema.advice(DIALECT, connection, TABLES) == []
    query = "SELECT DISTINCT engine, table_collation FROM information_schema.tables WHERE table_schema = DATABASE()"
    assert fetch(connection, query) == [("InnoDB", "utf8mb4_bin")]


def test_a_table_of_openser_serves_with_the_advice_to_alter_it(connection: Connection) -> None:
    schema.create(DIALECT, connection, [])
    execute(
        connection,
        "CREATE TABLE mailbox (id INT AUTO_INCREMENT PRIMARY KEY, owner VARCHAR(16) NOT NULL UNIQUE) "
        "ENGINE=MyISAM DEFAULT CHARSET=latin1",
    )
    execute(connection, "INSERT INTO version VALUES ('mailbox', 3)")
    execute(connection, "INSERT INTO mailbox VALUES (1, 'Zoë')")
    assert schema.check(DIALECT, connection, [Mailbox]) == []
    (text,) = schema.advice(DIALECT, connection, [Mailbox])
    assert "mailbox is of MyISAM" in text
    assert "latin1" in text
    execute(connection, text[text.index("ALTER TABLE") :])
    assert schema.advice(DIALECT, connection, [Mailbox]) == []
    assert fetch(connection, "SELECT owner FROM mailbox") == [("Zoë",)]


def test_a_view_has_no_engine_to_be_advised_about(connection: Connection) -> None:
    execute(connection, "CREATE TABLE t (id INT PRIMARY KEY)")
    execute(connection, "CREATE VIEW mailbox AS SELECT id FROM t")
    try:
        assert DIALECT.advice(connection, "mailbox") == []
    finally:
        execute(connection, "DROP VIEW mailbox")


def test_a_database_of_openser_serves_as_it_is(connection: Connection, url: DatabaseUrl) -> None:
    (answer,) = a_database_of_openser_serves(DIALECT, url, connection, OPENSER, "\U0001f600")
    assert isinstance(answer, RowRefused), "latin1 has no such character"


def test_a_table_that_knows_no_case_never_mixes_two_rows_up(connection: Connection) -> None:
    """Alice is refused there, rather than written over alice."""
    execute(
        connection,
        "CREATE TABLE mailbox (id INT PRIMARY KEY, owner VARCHAR(16) UNIQUE) DEFAULT CHARSET=latin1",
    )
    (text,) = DIALECT.advice(connection, "mailbox")
    assert "Alice is alice" in text
    upsert = DIALECT.upsert("mailbox", {"id": "", "owner": ""})
    cursor = connection.cursor()
    upsert.run(cursor, [(1, "alice")])
    with pytest.raises(RowRefused), DIALECT.explained():
        upsert.run(cursor, [(2, "Alice")])
    assert fetch(connection, "SELECT * FROM mailbox") == [(1, "alice")]


def test_ddl_needs_no_server_and_rows_stream(connection: Connection) -> None:
    assert "CREATE TABLE" in ddl(DIALECT, TABLES)
    assert list(DIALECT.stream(connection, "SELECT 1 UNION SELECT 2")) == [(1,), (2,)]


def test_no_statement_goes_row_by_row() -> None:
    dialect: Dialect = DIALECT
    for statement in (dialect.update("t", {"a": "", "id": ""}), dialect.delete("odd`name")):
        assert not isinstance(statement, EachRow)
    assert dialect.quote("odd`name") == "`odd``name`"


def test_a_table_is_read_however_long_it_takes(connection: Connection, url: DatabaseUrl) -> None:
    a_table_is_read_however_long_it_takes(DIALECT, url, connection)


def test_without_the_driver_the_extra_is_named(url: DatabaseUrl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "openpy.modules.mysql.driver", raising=False)
    monkeypatch.delattr("openpy.modules.mysql.driver", raising=False)
    monkeypatch.setitem(sys.modules, "pymysql", None)
    with pytest.raises(Unusable, match=r'pip install "openpy\[mysql\]"'):
        DIALECT.connect(url)


def test_a_closed_connection_is_unavailable_and_may_be_closed_again(connection: Connection) -> None:
    connection.close()
    with pytest.raises(Unavailable), DIALECT.explained():
        fetch(connection, "SELECT 1")
    connection.close()
