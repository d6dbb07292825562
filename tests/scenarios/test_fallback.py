"""Two servers on one database: what one acknowledges, the other knows; and either may be killed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.scenarios.shared import script_for, with_tables
from tests.scenarios.wire import ALICE, Phone, ServerProcess, SipMessage, Subscription, pidf
from tests.servers import DIALECTS, Databases, databases

__all__ = ["databases"]

pytestmark = [pytest.mark.scenario, pytest.mark.timeout(120)]

SOON = 3.0
"""Seconds in which a watcher hears of what was published at the other server."""


@dataclass
class Site:
    """A server, and the phone that talks to it."""

    server: ServerProcess
    phone: Phone


@pytest.fixture(params=list(DIALECTS))
def sites(
    request: pytest.FixtureRequest, databases: Databases, tmp_path: Path
) -> Iterator[tuple[Site, Site]]:
    kind = request.param
    url = with_tables(databases, kind, tmp_path)
    with ExitStack() as stack:
        made = []
        for name in ("a", "b"):
            path = tmp_path / f"{name}.cfg"
            path.write_text(script_for(kind, url, fallback2db=1))
            server = ServerProcess(path).start()
            stack.callback(_end, server)
            made.append(Site(server, stack.enter_context(Phone(server.address))))
        yield made[0], made[1]


def _end(server: ServerProcess) -> None:
    if server.running:
        assert server.stop() == 0
    assert "Traceback" not in server.log.read_text()


def told(site: Site, dialog: Subscription, text: bytes) -> SipMessage:
    """The first NOTIFY with this in its body."""
    deadline = time.monotonic() + SOON
    while text not in (notify := site.phone.notify(dialog, SOON)).body:
        assert time.monotonic() < deadline
    return notify


def refresh(site: Site, dialog: Subscription) -> SipMessage:
    """SUBSCRIBE in a dialog at a server, by the phone that talks to it; tried again where it is not to be had."""
    dialog.target = f"sip:{site.server.host}:{site.server.ports['udp']}"
    for _ in range(20):
        _, reply = site.phone.subscribe(dialog=dialog)
        if reply.status != 503:
            break
        time.sleep(0.1)
    return reply


def test_publish_at_one_and_watch_at_the_other(sites: tuple[Site, Site]) -> None:
    here, there = sites
    etag = here.phone.publish(body=pidf()).get("SIP-ETag")
    dialog, first = there.phone.watch()
    assert b"open" in first.body
    etag = here.phone.publish(body=pidf(basic="closed"), etag=etag).get("SIP-ETag")
    told(there, dialog, b"closed")
    refreshed = there.phone.publish(etag=etag)
    assert refreshed.status == 200
    assert here.phone.publish(etag=etag).status == 412
    etag = refreshed.get("SIP-ETag")
    changed = here.phone.publish(body=pidf(), etag=etag)
    assert changed.status == 200
    told(there, dialog, b"open")
    assert there.phone.publish(etag=changed.get("SIP-ETag"), expires=0).status == 200
    told(there, dialog, b"closed")


def test_kills_lose_nothing_and_no_cseq_is_used_twice(sites: tuple[Site, Site]) -> None:
    here, there = sites
    etag = here.phone.publish(body=pidf(note="round-0")).get("SIP-ETag")
    dialog, _ = here.phone.watch()
    for number in range(1, 5):
        here.server.kill()
        changed = there.phone.publish(body=pidf(note=f"round-{number}"), etag=etag)
        assert changed.status == 200, changed.start
        etag = changed.get("SIP-ETag")
        assert refresh(there, dialog).status == 200
        told(there, dialog, f"round-{number}".encode())
        here.server.start()
        other, first = here.phone.watch()
        assert f"round-{number}".encode() in first.body
        assert here.phone.subscribe(dialog=other, expires=0)[1].status == 200
        here, there = there, here
    cseqs = [int(notify.get("CSeq").split()[0]) for notify in dialog.notifies]
    assert cseqs == sorted(set(cseqs))
    assert len(cseqs) >= 5


def test_many_at_both_have_rows_of_their_own(sites: tuple[Site, Site]) -> None:
    tags: dict[str, tuple[Site, str]] = {}
    for number in range(40):
        site = sites[number % 2]
        uri = ALICE.replace("alice", f"user{number}")
        tags[uri] = site, site.phone.publish(uri, pidf()).get("SIP-ETag")
    for uri, (site, etag) in tags.items():
        other = sites[0] if site is sites[1] else sites[1]
        assert other.phone.publish(uri, etag=etag).status == 200
