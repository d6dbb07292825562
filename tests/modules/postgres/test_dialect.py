import sys

import pytest

from openpy.db import schema
from openpy.db.dialect import ColumnInfo, Connection, EachRow, execute, fetch
from openpy.db.errors import Unavailable, Unusable
from openpy.db.tables import ddl
from openpy.db.url import DatabaseUrl
from openpy.modules.postgres.dialect import DIALECT
from openpy.modules.presence.tables import TABLES
from tests.modules.servers import a_database_of_openser_serves, a_table_is_read_however_long_it_takes

V64 = "VARCHAR(64) NOT NULL"

OPENSER = (
    "CREATE TABLE version (table_name VARCHAR(32) NOT NULL, table_version INTEGER DEFAULT 0 NOT NULL)",
    "INSERT INTO version VALUES ('presentity', 2), ('active_watchers', 9), ('watchers', 3)",
    f"CREATE TABLE presentity (id SERIAL PRIMARY KEY NOT NULL, username {V64}, domain {V64}, event {V64}, etag {V64}, "
    "expires INTEGER NOT NULL, received_time INTEGER NOT NULL, body BYTEA NOT NULL, "
    "CONSTRAINT presentity_presentity_idx UNIQUE (username, domain, event, etag))",
    f"CREATE TABLE active_watchers (id SERIAL PRIMARY KEY NOT NULL, presentity_uri VARCHAR(128) NOT NULL, "
    f"watcher_username {V64}, watcher_domain {V64}, to_user {V64}, to_domain {V64}, "
    f"event VARCHAR(64) DEFAULT 'presence' NOT NULL, event_id VARCHAR(64), to_tag {V64}, from_tag {V64}, callid {V64}, "
    f"local_cseq INTEGER NOT NULL, remote_cseq INTEGER NOT NULL, contact {V64}, record_route TEXT, "
    f"expires INTEGER NOT NULL, status INTEGER DEFAULT 2 NOT NULL, reason {V64}, version INTEGER DEFAULT 0 NOT NULL, "
    f"socket_info {V64}, local_contact VARCHAR(128) NOT NULL)",
    f"CREATE TABLE watchers (id SERIAL PRIMARY KEY NOT NULL, presentity_uri VARCHAR(128) NOT NULL, "
    f"watcher_username {V64}, watcher_domain {V64}, event VARCHAR(64) DEFAULT 'presence' NOT NULL, "
    "status INTEGER NOT NULL, reason VARCHAR(64), inserted_time INTEGER NOT NULL)",
)
"""The tables of presence as OpenSER 1.3 lays them out in PostgreSQL."""


def test_real_columns(connection: Connection) -> None:
    execute(
        connection,
        "CREATE TABLE t (id SERIAL PRIMARY KEY NOT NULL, a VARCHAR(64) NOT NULL, gone INT, b TEXT, "
        "c CHAR(8) NOT NULL DEFAULT '', d BYTEA NOT NULL, e INT GENERATED ALWAYS AS IDENTITY)",
    )
    execute(connection, "ALTER TABLE t DROP COLUMN gone")
    assert DIALECT.real_columns(connection, "t") == {
        "id": ColumnInfo(None, False, True, "integer"),
        "a": ColumnInfo(64, False, False, "character varying"),
        "b": ColumnInfo(None, True, False, "text"),
        "c": ColumnInfo(8, False, True, "character"),
        "d": ColumnInfo(None, False, False, "bytea"),
        "e": ColumnInfo(None, False, True, "integer"),
    }
    assert DIALECT.real_columns(connection, "nosuch") == {}


def test_the_tables_of_presence_can_be_made(connection: Connection) -> None:
    schema.create(DIALECT, connection, TABLES)
    assert schema.check(DIALECT, connection, TABLES) == []
    assert schema.advice(DIALECT, connection, TABLES) == []


def test_a_database_of_openser_serves_as_it_is(connection: Connection, url: DatabaseUrl) -> None:
    assert a_database_of_openser_serves(DIALECT, url, connection, OPENSER) == []


def test_rows_go_one_by_one_only_until_the_types_are_known(connection: Connection) -> None:
    execute(connection, "CREATE TABLE t (id INTEGER PRIMARY KEY, a VARCHAR(8))")
    unknown, known = {"id": "", "a": ""}, {"id": "integer", "a": "character varying"}
    cursor = connection.cursor()
    for kinds in (unknown, known):
        upsert = DIALECT.upsert("t", kinds)
        update = DIALECT.update("t", dict(reversed(kinds.items())))
        assert isinstance(upsert, EachRow) == isinstance(update, EachRow) == (kinds is unknown)
        assert upsert.run(cursor, [(1, "a"), (2, "b")]) == 2
        assert update.run(cursor, [("c", 2), ("d", 3)]) == 1
        assert fetch(connection, "SELECT * FROM t ORDER BY id") == [(1, "a"), (2, "c")]
        assert DIALECT.delete("t").run(cursor, [(1,), (2,), (3,)]) == 2


def test_ddl_needs_no_server_and_rows_stream(connection: Connection) -> None:
    assert "CREATE TABLE" in ddl(DIALECT, TABLES)
    assert list(DIALECT.stream(connection, "SELECT 1 UNION SELECT 2 ORDER BY 1")) == [(1,), (2,)]


def test_a_table_is_read_however_long_it_takes(connection: Connection, url: DatabaseUrl) -> None:
    a_table_is_read_however_long_it_takes(DIALECT, url, connection)


def test_without_the_driver_the_extra_is_named(url: DatabaseUrl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "openpy.modules.postgres.driver", raising=False)
    monkeypatch.delattr("openpy.modules.postgres.driver", raising=False)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(Unusable, match=r'pip install "openpy\[postgres\]"'):
        DIALECT.connect(url)


def test_a_closed_connection_is_unavailable_and_may_be_closed_again(connection: Connection) -> None:
    connection.close()
    with pytest.raises(Unavailable), DIALECT.explained():
        fetch(connection, "SELECT 1")
    connection.close()
