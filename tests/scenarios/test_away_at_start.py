"""A database that is away when the server starts: it starts, and serves when the database comes."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from openpy.db.url import DatabaseUrl
from tests.gate import Gate, gate
from tests.scenarios.away import refused, until_accepted
from tests.scenarios.conftest import Launch
from tests.scenarios.shared import run_sql, script_for, with_tables
from tests.scenarios.wire import ALICE, Phone, ServerProcess, pidf
from tests.servers import Databases, databases, with_server

__all__ = ["databases", "gate"]

pytestmark = [pytest.mark.scenario, pytest.mark.timeout(60), with_server]


@pytest.fixture
def url(kind: str, databases: Databases, tmp_path: Path) -> DatabaseUrl:
    return with_tables(databases, kind, tmp_path)


@pytest.fixture
def script(kind: str, url: DatabaseUrl, gate: Gate) -> str:
    """A server that reaches its database through the gate."""
    return script_for(kind, replace(url, port=gate.port))


def restarted(server: ServerProcess, gate: Gate) -> ServerProcess:
    """The server, killed and started while its database is away."""
    server.kill()
    gate.shut()
    return server.start()


def test_everything_is_refused_until_the_rows_are_loaded(launch: Launch, script: str, gate: Gate) -> None:
    server = launch(script)
    with Phone(server.address) as phone:
        etag = phone.publish(ALICE, pidf()).get("SIP-ETag")
        dialog, _ = phone.watch()
        restarted(server, gate)
        for _ in range(3):
            begun = time.monotonic()
            refused(phone.publish(ALICE, etag=etag), begun)
            begun = time.monotonic()
            refused(phone.subscribe(dialog=dialog)[1], begun)
        assert phone.options().status == 200
        gate.open()
        assert until_accepted(phone, ALICE, pidf(note="again"), etag).status == 200
        assert b"again" in phone.notify(dialog).body
    text = server.log.read_text()
    assert "trying on" in text
    assert "again, after" in text


def test_one_that_comes_with_a_wrong_table_is_waited_for(
    launch: Launch, script: str, gate: Gate, kind: str, url: DatabaseUrl
) -> None:
    server = launch(script)
    restarted(server, gate)
    version = "UPDATE version SET table_version = {} WHERE table_name = 'presentity'"
    run_sql(kind, url, version.format(1))
    gate.open()
    with Phone(server.address) as phone:
        time.sleep(1.5)
        begun = time.monotonic()
        refused(phone.publish(ALICE, pidf()), begun)
        server.await_log("table presentity has version 1, needed is 2")
        run_sql(kind, url, version.format(2))
        assert until_accepted(phone, ALICE, pidf()).status == 200


def test_one_that_answers_at_the_start_with_a_wrong_table_stops_it(
    launch: Launch, script: str, kind: str, url: DatabaseUrl
) -> None:
    run_sql(kind, url, "UPDATE version SET table_version = 1 WHERE table_name = 'active_watchers'")
    with pytest.raises(AssertionError, match="active_watchers has version 1, needed is 9"):
        launch(script)
