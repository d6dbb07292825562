"""A database server that is killed, hangs, is locked or full, or restarts in a transaction, while it is needed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from openpy.db.dialect import execute
from openpy.db.url import DatabaseUrl
from tests.gate import Gate
from tests.scenarios.away import BACK, all_refused, refused, until_accepted
from tests.scenarios.conftest import Launch
from tests.scenarios.shared import query, run_sql, script_for, with_tables
from tests.scenarios.wire import ALICE, Phone, ServerProcess, parse, pidf
from tests.servers import DIALECTS, PATIENCE, Databases, databases, with_server

__all__ = ["databases"]

pytestmark = [pytest.mark.scenario, with_server]

LOCK = {
    "mysql": ["LOCK TABLES presentity WRITE, active_watchers WRITE"],
    "postgres": ["BEGIN", "LOCK TABLE presentity, active_watchers IN ACCESS EXCLUSIVE MODE"],
}

FULL = {
    "mysql": "FOR EACH ROW SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 1021, MESSAGE_TEXT = 'Disk full'",
    "postgres": "FOR EACH ROW EXECUTE FUNCTION disk_full()",
}
"""A trigger that says what the server says when its disk is full."""

END_OTHERS = {
    "mysql": "SELECT concat('KILL ', id) FROM information_schema.processlist WHERE db = DATABASE() "
    "AND id <> connection_id()",
    "postgres": "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
    "AND pid <> pg_backend_pid()",
}
"""What ends all other connections, or says how."""


@dataclass
class Place:
    """A server of presence, whose way to its database is a gate."""

    kind: str
    url: DatabaseUrl
    gate: Gate
    server: ServerProcess

    def rows(self) -> list[list[tuple[object, ...]]]:
        """What is kept."""
        wanted = ("etag, body FROM presentity", "to_tag, local_cseq FROM active_watchers")
        return [query(self.kind, self.url, f"SELECT {what} ORDER BY id") for what in wanted]

    def end_connections(self) -> None:
        """What an administrator does, or a server that restarts."""
        for (made,) in query(self.kind, self.url, END_OTHERS[self.kind]):
            if self.kind == "mysql":
                run_sql(self.kind, self.url, made)


@pytest.fixture
def place(kind: str, databases: Databases, tmp_path: Path, launch: Launch) -> Iterator[Place]:
    url = with_tables(databases, kind, tmp_path)
    assert url.port is not None
    gate = Gate((url.host, url.port))
    yield Place(kind, url, gate, launch(script_for(kind, replace(url, port=gate.port))))
    gate.close()


@pytest.fixture
def phone(place: Place) -> Iterator[Phone]:
    with Phone(place.server.address, "publisher") as phone:
        yield phone


@pytest.fixture
def watcher(place: Place) -> Iterator[Phone]:
    with Phone(place.server.address, "watcher") as phone:
        yield phone


@contextmanager
def killed(place: Place) -> Iterator[None]:
    """It is not there."""
    place.gate.shut()
    yield
    place.gate.open()


@contextmanager
def hanging(place: Place) -> Iterator[None]:
    """It takes what it is told, and says nothing."""
    place.gate.freeze()
    yield
    place.gate.open()


@contextmanager
def locked(place: Place) -> Iterator[None]:
    """Somebody else has locked the tables."""
    with closing(DIALECTS[place.kind].connect(place.url, patience=PATIENCE)) as connection:
        for statement in LOCK[place.kind]:
            execute(connection, statement)
        yield


@contextmanager
def full(place: Place) -> Iterator[None]:
    """Its disk is full."""
    if place.kind == "postgres":
        body = "BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END"
        function = f"CREATE FUNCTION disk_full() RETURNS trigger AS $$ {body} $$ LANGUAGE plpgsql"
        run_sql(place.kind, place.url, function)
    triggers = [
        (f"{what}_{table}", table, what)
        for table in ("presentity", "active_watchers")
        for what in ("insert", "update", "delete")
    ]
    for name, table, what in triggers:
        sql = f"CREATE TRIGGER {name} BEFORE {what} ON {table} {FULL[place.kind]}"
        run_sql(place.kind, place.url, sql)
    yield
    for name, table, _ in triggers:
        on = f" ON {table}" if place.kind == "postgres" else ""
        run_sql(place.kind, place.url, f"DROP TRIGGER {name}{on}")


AWAY: dict[str, Callable[[Place], AbstractContextManager[None]]] = {
    "killed": killed,
    "hanging": hanging,
    "locked": locked,
    "full": full,
}


@pytest.mark.parametrize("how", list(AWAY))
def test_refused_quickly_and_back_by_itself(place: Place, phone: Phone, watcher: Phone, how: str) -> None:
    answered = phone.publication(ALICE, pidf(note="kept"))
    phone.send(answered)
    etag = phone.final_reply(parse(answered)).get("SIP-ETag")
    dialog, told = watcher.watch()
    rows = place.rows()
    with AWAY[how](place):
        for _ in range(3):
            all_refused(phone, watcher, ALICE, etag, dialog)
            assert phone.options(0.3).status == 200
        _, seen = watcher.watch(expires=0)
        assert seen.body == told.body, "a fetch needs no write"
        phone.send(answered)
        again = phone.final_reply(parse(answered), 0.3)
        assert (again.status, again.get("SIP-ETag")) == (200, etag), "a retransmission needs no write"
    assert watcher.nothing_more(0.3), "nobody is told what was refused"
    reply = until_accepted(phone, ALICE, pidf(note="after"), etag)
    assert reply.status == 200
    assert b"after" in watcher.notify(dialog).body
    assert watcher.subscribe(dialog=dialog)[1].status == 200
    assert [len(table) for table in place.rows()] == [len(table) for table in rows]
    place.server.kill()
    place.server.start()
    assert phone.publish(etag=reply.get("SIP-ETag")).status == 200, "nothing acknowledged is lost"


def test_notify_after_the_200_leaves_while_it_is_away(place: Place, phone: Phone, watcher: Phone) -> None:
    dialog, _ = watcher.watch()
    phone.publish(ALICE, pidf(note="first"))
    first = watcher.notify(dialog, answer=0)
    phone.publish(ALICE, pidf(note="second", tuple_id="other"))
    with killed(place):
        watcher.answer(first)
        assert b"second" in watcher.notify(dialog, 0.5).body


@pytest.mark.parametrize("asked", ["initial", "modify", "remove", "subscribe", "unsubscribe"])
def test_restarted_in_a_transaction(place: Place, phone: Phone, watcher: Phone, asked: str) -> None:
    """Nobody knows whether the COMMIT was done: it is refused, and then undone."""
    etag = phone.publish(ALICE, pidf(note="kept")).get("SIP-ETag")
    dialog, _ = watcher.watch()
    rows = place.rows()
    place.gate.cut_at(b"COMMIT")
    since = time.monotonic()
    if asked == "initial":
        refused(phone.publish(ALICE, pidf(note="new", tuple_id="other")), since)
    elif asked == "modify":
        refused(phone.publish(ALICE, pidf(note="new"), etag=etag), since)
    elif asked == "remove":
        refused(phone.publish(ALICE, etag=etag, expires=0), since)
    elif asked == "subscribe":
        refused(watcher.subscribe()[1], since)
    else:
        refused(watcher.subscribe(dialog=dialog, expires=0)[1], since)
    deadline = time.monotonic() + BACK
    while (found := place.rows()) != rows:
        assert time.monotonic() < deadline, f"{found} and not {rows}"
        time.sleep(0.02)
    assert watcher.nothing_more(0.1), "nobody is told what was refused"
    assert until_accepted(phone, ALICE, pidf(note="after"), etag).status == 200
    assert b"after" in watcher.notify(dialog).body


def test_connections_that_end_lose_nothing(place: Place, phone: Phone, watcher: Phone) -> None:
    etag = phone.publish(ALICE, pidf(note="v0")).get("SIP-ETag")
    dialog, _ = watcher.watch()
    for version in range(1, 6):
        place.end_connections()
        body = pidf(note=f"v{version}.")
        reply = until_accepted(phone, ALICE, body, etag)
        assert reply.status == 200
        etag = reply.get("SIP-ETag")
        watcher.told(dialog, f"v{version}.".encode())
    place.server.kill()
    place.server.start()
    assert phone.publish(etag=etag).status == 200
