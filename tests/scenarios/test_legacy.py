"""A database as OpenSER 1.3's own scripts make it serves as it is: its columns, widths, engine and index names."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scenarios.conftest import Launch
from tests.scenarios.shared import query, run_sql, script_for
from tests.scenarios.wire import Phone, pidf
from tests.servers import Databases

pytestmark = pytest.mark.scenario

ID = {"mysql": "int(10) unsigned NOT NULL auto_increment PRIMARY KEY", "postgres": "SERIAL PRIMARY KEY"}
BLOB = {"mysql": "BLOB", "postgres": "BYTEA"}
ENGINE = {"mysql": " ENGINE=MyISAM", "postgres": ""}

PRESENTITY = """
id {id}, username VARCHAR(64) NOT NULL, domain VARCHAR(64) NOT NULL, event VARCHAR(64) NOT NULL,
etag VARCHAR(64) NOT NULL, expires INT NOT NULL, received_time INT NOT NULL, body {blob} NOT NULL,
CONSTRAINT presentity_idx UNIQUE (username, domain, event, etag)"""
ACTIVE_WATCHERS = """
id {id}, presentity_uri VARCHAR(128) NOT NULL, watcher_username VARCHAR(64) NOT NULL,
watcher_domain VARCHAR(64) NOT NULL, to_user VARCHAR(64) NOT NULL, to_domain VARCHAR(64) NOT NULL,
event VARCHAR(64) NOT NULL default 'presence', event_id VARCHAR(64), to_tag VARCHAR(64) NOT NULL,
from_tag VARCHAR(64) NOT NULL, callid VARCHAR(64) NOT NULL, local_cseq INT NOT NULL, remote_cseq INT NOT NULL,
contact VARCHAR(64) NOT NULL, record_route TEXT, expires INT NOT NULL, status INT NOT NULL default '2',
reason VARCHAR(64) NOT NULL, version INT NOT NULL default '0', socket_info VARCHAR(64) NOT NULL,
local_contact VARCHAR(128) NOT NULL,
CONSTRAINT active_watchers_idx UNIQUE (presentity_uri, callid, to_tag, from_tag)"""
WATCHERS = """
id {id}, presentity_uri VARCHAR(128) NOT NULL, watcher_username VARCHAR(64) NOT NULL,
watcher_domain VARCHAR(64) NOT NULL, event VARCHAR(64) NOT NULL default 'presence', status INT NOT NULL,
reason VARCHAR(64), inserted_time INT NOT NULL,
CONSTRAINT watcher_idx UNIQUE (presentity_uri, watcher_username, watcher_domain, event)"""
TABLES = {
    "presentity": (PRESENTITY, 2),
    "active_watchers": (ACTIVE_WATCHERS, 9),
    "watchers": (WATCHERS, 3),
}


@pytest.mark.parametrize("kind", ["mysql", "postgres"])
def test_a_database_of_1_3_serves(kind: str, databases: Databases, launch: Launch, tmp_path: Path) -> None:
    url = databases.empty(kind, tmp_path)
    run_sql(kind, url, "CREATE TABLE version (table_name VARCHAR(32) NOT NULL, table_version INT NOT NULL)")
    for name, (columns, version) in TABLES.items():
        declared = columns.format(id=ID[kind], blob=BLOB[kind])
        run_sql(kind, url, f"CREATE TABLE {name} ({declared}){ENGINE[kind]}")
        run_sql(kind, url, "INSERT INTO version VALUES (?, ?)", (name, version))
    server = launch(script_for(kind, url, ""))
    with Phone(server.address) as phone:
        uri = "sip:old@example.org"
        etag = phone.publish(uri, pidf(uri, note="kept")).get("SIP-ETag")
        dialog, reply = phone.subscribe(uri)
        assert reply.status == 200
        assert b"kept" in phone.notify(dialog).body
        long = phone.subscribe(uri, contact=f"sip:{'x' * 64}@127.0.0.1:{phone.port}")[1]
        assert long.status == 400
        assert "Contact" in long.start
        server.kill()
        server.start()
        assert phone.publish(uri, pidf(uri, note="after"), etag=etag).status == 200
        assert b"after" in phone.notify(dialog).body
    assert query(kind, url, "SELECT username, event FROM presentity") == [("old", "presence")]
    if kind == "mysql":
        server.await_log("ALTER TABLE")  # MyISAM loses what was acknowledged in a power cut
