"""What is kept when the server is killed, and what is told when it is back."""

from __future__ import annotations

import socket
import time
from contextlib import closing

import pytest

from tests.scenarios.conftest import Launch
from tests.scenarios.database import publications, subscriptions
from tests.scenarios.wire import ALICE, Phone, ServerProcess, TcpPhone, pidf

pytestmark = pytest.mark.scenario


@pytest.fixture
def server(launch: Launch) -> ServerProcess:
    return launch()


class Restart:
    """Ends the server, by kill -9 or SIGTERM, and starts it again."""

    def __init__(self, server: ServerProcess, how: str) -> None:
        self._server = server
        self._how = how

    def __call__(self, pause: float = 0.0) -> None:
        if self._how == "kill":
            self._server.kill()
        else:
            assert self._server.stop() == 0
        time.sleep(pause)
        self._server.start()


@pytest.fixture(params=["kill", "stop"])
def restart(request: pytest.FixtureRequest, server: ServerProcess) -> Restart:
    return Restart(server, request.param)


def test_all_goes_on(phone: Phone, watcher: Phone, restart: Restart) -> None:
    etag = phone.publish(body=pidf(note="before")).get("SIP-ETag")
    dialog, _ = watcher.watch(event="presence;id=5")
    for note in ("one", "two"):
        etag = phone.publish(body=pidf(note=note), etag=etag).get("SIP-ETag")
        watcher.notify(dialog)
    restart()
    reply = phone.publish(body=pidf(note="after"), etag=etag)
    assert reply.status == 200
    told = watcher.notify(dialog)
    assert b"after" in told.body
    assert told.get("Event") == "presence;id=5"
    state, _, remaining = told.get("Subscription-State").partition(";expires=")
    assert state == "active"
    assert 590 < int(remaining) <= 601, "the database keeps whole seconds"
    assert watcher.subscribe(dialog=dialog, event="presence;id=5")[1].status == 200
    watcher.notify(dialog)
    assert phone.publish(etag=reply.get("SIP-ETag")).status == 200
    cseqs = [message.cseq for message in dialog.notifies]
    assert cseqs == sorted(set(cseqs)), "EVT-37"


def test_cseq_grows_over_many_restarts_and_blocks(
    phone: Phone, watcher: Phone, server: ServerProcess
) -> None:
    dialog, _ = watcher.watch()
    etag = phone.publish(body=pidf()).get("SIP-ETag")
    watcher.notify(dialog)
    for round_ in range(3):
        for number in range(150):
            body = pidf(note=f"{round_}-{number}")
            etag = phone.publish(body=body, etag=etag).get("SIP-ETag")
            watcher.notify(dialog)
        server.kill()
        server.start()
    cseqs = [message.cseq for message in dialog.notifies]
    assert len(cseqs) == 452
    assert cseqs == sorted(set(cseqs))


def test_what_was_removed_stays_removed(phone: Phone, watcher: Phone, restart: Restart) -> None:
    etag = phone.publish(body=pidf(note="gone")).get("SIP-ETag")
    dialog, _ = watcher.watch()
    phone.publish(etag=etag, expires=0)
    watcher.notify(dialog)
    watcher.subscribe(dialog=dialog, expires=0)
    watcher.notify(dialog)
    restart()
    assert phone.publish(etag=etag).status == 412
    assert watcher.subscribe(dialog=dialog)[1].status == 481
    _, told = watcher.watch(expires=0)
    assert b"closed" in told.body, "the last state is known"
    assert b"gone" not in told.body


def test_expired_meanwhile_is_told(
    phone: Phone, watcher: Phone, server: ServerProcess, restart: Restart
) -> None:
    lasting, first = watcher.watch()
    brief, _ = watcher.watch(expires=2)
    etag = phone.publish(body=pidf(note="brief"), expires=2).get("SIP-ETag")
    watcher.notify(lasting)
    watcher.notify(brief)
    restart(pause=2.1)
    told = watcher.notify(lasting, 2)
    assert b"closed" in told.body
    assert b"brief" not in told.body
    assert told.cseq > first.cseq
    assert watcher.notify(brief, 2).get("Subscription-State") == "terminated;reason=timeout"
    assert phone.publish(etag=etag).status == 412
    assert publications(server, ALICE) == []
    assert len(subscriptions(server, ALICE)) == 1


def test_watcher_with_a_connection_is_called_back(phone: Phone, server: ServerProcess) -> None:
    """Its connection is gone with the server; its Contact says where it listens."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener, TcpPhone(server.tcp_address) as by_tcp:
        listener.settimeout(5)
        contact = f"sip:bob@127.0.0.1:{listener.getsockname()[1]};transport=tcp"
        dialog, _ = by_tcp.watch(contact=contact)
        server.kill()
        server.start()
        phone.publish(body=pidf(note="back"))
        connection, _ = listener.accept()
        with TcpPhone(server.tcp_address, accepted=connection) as called:
            assert b"back" in called.notify(dialog).body


def test_route_set_is_kept(phone: Phone, watcher: Phone, server: ServerProcess) -> None:
    with Phone(server.address) as proxy:
        hop = f"<sip:127.0.0.1:{proxy.port};lr>"
        dialog, _ = watcher.subscribe(headers=[f"Record-Route: {hop}", "Record-Route: <sip:192.0.2.7;lr>"])
        before = proxy.notify(dialog)
        server.kill()
        server.start()
        phone.publish(body=pidf())
        after = proxy.notify(dialog)
        assert (after.uri, after.all("Route")) == (before.uri, before.all("Route"))
