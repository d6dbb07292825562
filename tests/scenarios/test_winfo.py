"""Who watches alice, as she is told: watchers come, wait and go (RFC 3857, RFC 3858)."""

from __future__ import annotations

import time

import pytest

from openpy.documents.watcherinfo import Watcher, WatcherInfo, parse
from tests.modules.presence.kit import ruleset
from tests.scenarios.site import Site
from tests.scenarios.wire import Phone, SipMessage, Subscription, pidf

pytestmark = [pytest.mark.scenario, pytest.mark.timeout(60)]

WINFO = "presence.winfo"
BOB = "sip:bob@example.org"
CAROL = "sip:carol@example.org"


@pytest.fixture
def user(uri: str) -> str:
    """The user part of the presentity of this test."""
    return uri.removeprefix("sip:").partition("@")[0]


def document(notify: SipMessage) -> WatcherInfo:
    assert notify.get("Content-Type") == "application/watcherinfo+xml"
    return parse(notify.body)


def heard(phone: Phone, dialog: Subscription) -> set[tuple[str, str, str]]:
    """Who is what, and why, in the next NOTIFY, which is a partial one."""
    info = document(phone.notify(dialog))
    assert not info.full
    return seen(info)


def seen(info: WatcherInfo) -> set[tuple[str, str, str]]:
    return {(watcher.uri, watcher.status, watcher.event) for watcher in watchers(info)}


def watchers(info: WatcherInfo) -> tuple[Watcher, ...]:
    (only,) = info.lists
    assert only.package == "presence"
    return only.watchers


def refreshed(phone: Phone, dialog: Subscription, uri: str) -> WatcherInfo:
    """The document that answers a refresh, which is a full one."""
    assert phone.subscribe(uri, dialog=dialog, event=WINFO)[1].status == 200
    info = document(phone.notify(dialog))
    assert info.full
    return info


def test_watchers_come_wait_and_go(site: Site, user: str, uri: str) -> None:
    with site.phone(user) as alice, site.phone("bob") as bob, site.phone("carol") as carol:
        own, first = alice.watch(uri, event=WINFO)
        assert (document(first).version, document(first).full, seen(document(first))) == (0, True, set())

        his, _ = bob.watch(uri)
        assert heard(alice, own) == {(BOB, "pending", "subscribe")}
        site.set_rules(uri, ruleset(f"{BOB} allow"))
        bob.notify(his)
        assert heard(alice, own) == {(BOB, "active", "approved")}
        hers, _ = carol.watch(uri)
        assert heard(alice, own) == {(CAROL, "pending", "subscribe")}
        carol.subscribe(uri, dialog=hers, expires=0)
        assert heard(alice, own) == {(CAROL, "waiting", "timeout")}
        assert seen(refreshed(alice, own, uri)) == {
            (BOB, "active", "approved"),
            (CAROL, "waiting", "timeout"),
        }
        site.set_rules(uri, ruleset(f"{BOB} block", f"{CAROL} allow"))
        assert heard(alice, own) == {(BOB, "terminated", "rejected"), (CAROL, "terminated", "approved")}
        assert seen(refreshed(alice, own, uri)) == set()

        infos = [document(notify) for notify in own.notifies]
        assert [info.version for info in infos] == list(range(len(infos)))
        ids = {(watcher.uri, watcher.id) for info in infos for watcher in watchers(info)}
        assert len(ids) == 2, "each has one id as long as it is told of"


def test_a_restart_tells_all_with_a_higher_version(site: Site, user: str, uri: str) -> None:
    with site.phone(user) as alice, site.phone("bob") as bob, site.phone("carol") as carol:
        own, _ = alice.watch(uri, event=WINFO)
        bob.watch(uri)
        alice.notify(own)
        hers, _ = carol.watch(uri)
        alice.notify(own)
        carol.subscribe(uri, dialog=hers, expires=0)
        before = document(alice.notify(own))
        site.restart()
        after = refreshed(alice, own, uri)
        assert after.version > before.version
        assert seen(after) == {(BOB, "pending", "subscribe"), (CAROL, "waiting", "timeout")}
        site.set_rules(uri, ruleset("* allow"))
        assert (BOB, "active", "approved") in heard(alice, own)
        last = document(own.notifies[-1])
        assert last.version == after.version + 1
        (same,) = {watcher.id for watcher in watchers(after) if watcher.uri == BOB}
        assert same in {watcher.id for watcher in watchers(last)}


def test_one_that_runs_out_is_told_of(site: Site, user: str, uri: str) -> None:
    site.set_rules(uri, ruleset("* allow"))
    with site.phone(user) as alice, site.phone("bob") as bob:
        own, _ = alice.watch(uri, event=WINFO)
        bob.watch(uri, expires=1)
        assert heard(alice, own) == {(BOB, "active", "subscribe")}
        since = time.monotonic()
        assert heard(alice, own) == {(BOB, "terminated", "timeout")}
        assert time.monotonic() - since < 3


def test_a_change_of_presence_is_no_news_of_watchers(site: Site, user: str, uri: str) -> None:
    site.set_rules(uri, ruleset("* allow"))
    with site.phone(user) as alice, site.phone("bob") as bob:
        own, _ = alice.watch(uri, event=WINFO)
        his, _ = bob.watch(uri)
        alice.notify(own)
        alice.publish(uri, pidf(uri, note="news"))
        bob.told(his, b"news")
        assert alice.nothing_more(0.1)


def test_nobody_else_may_look(site: Site, uri: str) -> None:
    with site.phone("bob") as bob:
        assert bob.subscribe(uri, event=WINFO)[1].status == 403
        assert bob.publish(uri, pidf(uri), event=WINFO).status == 489
        assert bob.subscribe(uri, event=f"{WINFO}.winfo")[1].status == 489
        assert site.rows("SELECT id FROM active_watchers WHERE presentity_uri = ?", uri) == []
