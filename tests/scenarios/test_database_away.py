"""A database that takes no writes: requests are refused quickly, the rest goes on, and it mends itself."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from tests.scenarios.away import all_refused, refused, until_accepted
from tests.scenarios.conftest import Launch
from tests.scenarios.database import change, locked, publications, subscriptions
from tests.scenarios.scripts import DATABASE
from tests.scenarios.wire import Phone, ServerProcess, pidf

pytestmark = pytest.mark.scenario


@pytest.fixture
def server(launch: Launch) -> ServerProcess:
    return launch()


@contextmanager
def full(server: ServerProcess, size: int | None = None) -> Iterator[None]:
    """Let no file of the server grow over a size; if none is given, that of SQLite's write-ahead log."""
    if size is None:
        size = (server.script.parent / f"{DATABASE}-wal").stat().st_size
        assert size > server.log.stat().st_size + 4096, "the server's own log has room"
    before = resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, before)


AWAY: dict[str, Callable[[ServerProcess], AbstractContextManager[None]]] = {
    "locked": locked,
    "exclusive": lambda server: locked(server, "EXCLUSIVE"),
    "full": full,
    "disk full": lambda server: full(server, 0),  # so full that the server's own log has no room either
}


@pytest.mark.parametrize("how", list(AWAY))
def test_refused_quickly_and_back_by_itself(
    phone: Phone, watcher: Phone, server: ServerProcess, uri: str, how: str
) -> None:
    etag = phone.publish(uri, pidf(uri, note="kept")).get("SIP-ETag")
    dialog, told = watcher.watch(uri)
    rows = publications(server, uri), subscriptions(server, uri)
    with AWAY[how](server):
        for _ in range(3):
            all_refused(phone, watcher, uri, etag, dialog)
            assert phone.options(0.3).status == 200
        _, seen = watcher.watch(uri, expires=0)
        assert seen.body == told.body, "a fetch needs no write"
    assert watcher.nothing_more(0.3), "nobody is told what was refused"
    assert (publications(server, uri), subscriptions(server, uri)) == rows
    assert until_accepted(phone, uri, pidf(uri, note="after"), etag).status == 200
    told = watcher.notify(dialog)
    assert b"after" in told.body
    assert watcher.subscribe(uri, dialog=dialog)[1].status == 200


def test_burst_while_locked_is_refused_at_once(phone: Phone, server: ServerProcess) -> None:
    """Rule 4 of the writer: no request waits for more than two locks."""
    with locked(server):
        since = time.monotonic()
        for number in range(100):
            uri = f"sip:u{number}@example.org"
            phone.send(phone.publication(uri, pidf(uri)))
        statuses = [phone.await_message(lambda m: m.status >= 200).status for _ in range(100)]
        assert time.monotonic() - since < 1.5  # one after the other they would take 20
    assert set(statuses) == {503}
    assert phone.publish(body=pidf()).status == 200


def test_expiry_while_locked_is_told_later(
    phone: Phone, watcher: Phone, server: ServerProcess, uri: str
) -> None:
    dialog, _ = watcher.watch(uri)
    phone.publish(uri, pidf(uri, note="brief"), expires=2)
    watcher.notify(dialog)
    time.sleep(1)
    with locked(server):
        time.sleep(2)
    told = watcher.notify(dialog, 3)
    assert b"brief" not in told.body
    deadline = time.monotonic() + 3
    while publications(server, uri):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_rows_that_somebody_deleted_come_back(phone: Phone, server: ServerProcess, uri: str) -> None:
    etag = phone.publish(uri, pidf(uri, note="mended")).get("SIP-ETag")
    change(server, "DELETE FROM presentity")
    reply = until_accepted(phone, uri, b"", etag)
    assert reply.status == 200
    server.kill()
    server.start()
    assert phone.publish(uri, etag=reply.get("SIP-ETag")).status == 200


def test_table_that_is_gone_for_a_while(phone: Phone, server: ServerProcess, uri: str) -> None:
    etag = phone.publish(uri, pidf(uri)).get("SIP-ETag")
    change(server, "ALTER TABLE presentity RENAME TO hidden")
    since = time.monotonic()
    refused(phone.publish(uri, pidf(uri, note="x"), etag=etag), since)
    assert phone.options().status == 200
    change(server, "ALTER TABLE hidden RENAME TO presentity")
    assert until_accepted(phone, uri, b"", etag).status == 200
