"""Presence rules on the wire: who waits, who is refused, and what is hidden from whom."""

from __future__ import annotations

import pytest

from tests.modules.presence.kit import ruleset
from tests.scenarios.site import Site
from tests.scenarios.wire import Phone, Subscription, pidf

pytestmark = [pytest.mark.scenario, pytest.mark.timeout(60)]

BOB = "sip:bob@example.org"
CAROL = "sip:carol@example.org"

RICH = (
    '<?xml version="1.0"?><presence xmlns="urn:ietf:params:xml:ns:pidf" '
    'xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model" xmlns:r="urn:ietf:params:xml:ns:pidf:rpid" '
    'entity="{uri}"><tuple id="desk"><status><basic>open</basic></status><contact>sip:desk@192.0.2.1</contact>'
    '<note>{note}</note></tuple><dm:person id="p"><r:mood><r:secretly-happy/></r:mood>'
    "<r:activities><r:away/></r:activities></dm:person></presence>"
)


def rich(uri: str, note: str) -> bytes:
    return RICH.format(uri=uri, note=note).encode()


def state(site: Site, uri: str) -> list[tuple[str, int]]:
    """Status of each subscription in the database, and what was decided."""
    statement = "SELECT watcher_username, status FROM {} WHERE presentity_uri = ? ORDER BY watcher_username"
    kept = [site.rows(statement.format(table), uri) for table in ("active_watchers", "watchers")]
    assert kept[0] == kept[1]
    return [(str(user), int(status)) for user, status in kept[0]]


def waits(phone: Phone, uri: str) -> Subscription:
    """Subscribe and be told to wait."""
    dialog, told = phone.watch(uri)
    assert told.get("Subscription-State").startswith("pending;expires=")
    assert told.body == b""
    return dialog


@pytest.mark.parametrize("restart", [False, True])
def test_pending_becomes_active_by_a_change_of_rules(site: Site, uri: str, restart: bool) -> None:
    with site.phone("bob") as bob, site.phone("carol") as carol:
        etag = bob.publish(uri, pidf(uri, note="for-friends")).get("SIP-ETag")
        dialog, other = waits(bob, uri), waits(carol, uri)
        assert [status for _, status in state(site, uri)] == [2, 2]
        etag = bob.publish(uri, pidf(uri, note="for-bob"), etag=etag).get("SIP-ETag")
        assert bob.nothing_more(0.1)
        if restart:
            site.restart()
        site.set_rules(uri, ruleset(f"{BOB} allow"))
        told = bob.notify(dialog)
        assert told.get("Subscription-State").startswith("active;expires=")
        assert b"for-bob" in told.body
        assert carol.nothing_more(0.1)
        assert state(site, uri) == [("bob", 1), ("carol", 2)]
        if restart:
            site.restart()
        bob.publish(uri, pidf(uri, note="later"), etag=etag)
        assert b"later" in bob.notify(dialog).body
        assert carol.subscribe(uri, dialog=other)[1].status == 200
        assert carol.notify(other).get("Subscription-State").startswith("pending;")
        cseqs = [notify.cseq for notify in dialog.notifies]
        assert cseqs == sorted(set(cseqs))


@pytest.mark.parametrize("restart", [False, True])
def test_who_is_blocked_later_is_told_and_forgotten(site: Site, uri: str, restart: bool) -> None:
    site.set_rules(uri, ruleset("* allow"))
    with site.phone("bob") as bob, site.phone("carol") as carol:
        etag = bob.publish(uri, pidf(uri)).get("SIP-ETag")
        dialog, _ = bob.watch(uri)
        other, _ = carol.watch(uri)
        if restart:
            site.restart()
        site.set_rules(uri, ruleset(f"{BOB} block", f"{CAROL} allow"))
        told = bob.notify(dialog)
        assert told.get("Subscription-State") == "terminated;reason=rejected"
        assert told.body == b""
        bob.publish(uri, pidf(uri, note="behind-his-back"), etag=etag)
        carol.told(other, b"behind-his-back")
        assert bob.nothing_more(0.1)
        assert bob.subscribe(uri, dialog=dialog)[1].status == 481
        statement = "SELECT watcher_username FROM active_watchers WHERE presentity_uri = ?"
        assert site.rows(statement, uri) == [("carol",)]


def test_who_is_blocked_gets_one_word(site: Site, uri: str) -> None:
    site.set_rules(uri, ruleset(f"{BOB} block"))
    with site.phone("bob") as bob:
        bob.publish(uri, pidf(uri, note="secret"))
        dialog, told = bob.watch(uri)
        assert told.get("Subscription-State") == "terminated;reason=rejected"
        assert told.body == b""
        assert bob.subscribe(uri, dialog=dialog)[1].status == 481
        assert site.rows("SELECT id FROM active_watchers WHERE presentity_uri = ?", uri) == []


@pytest.mark.parametrize("restart", [False, True])
def test_who_is_blocked_politely_sees_a_closed_state_that_never_changes(
    site: Site, uri: str, restart: bool
) -> None:
    site.set_rules(uri, ruleset(f"{BOB} polite-block", f"{CAROL} allow"))
    with site.phone("bob") as bob, site.phone("carol") as carol:
        etag = carol.publish(uri, pidf(uri, note="secret")).get("SIP-ETag")
        dialog, told = bob.watch(uri)
        assert told.get("Subscription-State").startswith("active;expires=")
        assert b"<basic>closed</basic>" in told.body
        assert b"secret" not in told.body
        other, shown = carol.watch(uri)
        assert b"secret" in shown.body
        if restart:
            site.restart()
        carol.publish(uri, pidf(uri, note="secret-2"), etag=etag)
        assert b"secret-2" in carol.notify(other).body
        if restart:  # nobody knows any more what he was told last
            bob.notify(dialog)
        assert bob.nothing_more(0.1)
        assert bob.subscribe(uri, dialog=dialog)[1].status == 200
        bob.notify(dialog)
        assert {notify.body for notify in dialog.notifies} == {told.body}


def test_what_is_hidden_is_in_no_notify_on_any_path(site: Site, uri: str) -> None:
    """At the start, by a change, a refresh, after a restart, at the end of the publication, and in a fetch."""
    hides = "<p:provide-mood>false</p:provide-mood>"
    site.set_rules(uri, ruleset(f"{BOB} allow {hides}", f"{CAROL} allow"))
    with site.phone("bob") as bob, site.phone("carol") as carol:
        etag = carol.publish(uri, rich(uri, "one")).get("SIP-ETag")
        dialog, first = bob.watch(uri)
        other, whole = carol.watch(uri)
        assert b"secretly-happy" in whole.body
        assert b"away" in first.body

        etag = carol.publish(uri, rich(uri, "two"), etag=etag).get("SIP-ETag")
        assert b"secretly-happy" in carol.notify(other).body
        assert b"two" in bob.notify(dialog).body
        bob.subscribe(uri, dialog=dialog)
        assert b"two" in bob.notify(dialog).body
        site.restart()
        bob.subscribe(uri, dialog=dialog)
        assert b"two" in bob.notify(dialog).body
        site.refresh_watchers(uri, refresh_type=1)
        assert b"two" in bob.notify(dialog).body
        fetch, _ = bob.watch(uri, expires=0)
        assert b"two" in fetch.notifies[0].body
        carol.publish(uri, etag=etag, expires=0)
        assert b"closed" in bob.notify(dialog).body
        for notify in (*dialog.notifies, *fetch.notifies):
            assert b"mood" not in notify.body
            assert b"happy" not in notify.body


@pytest.mark.parametrize("rule", ["allow <p:provide-mood>false</p:provide-mood>", "polite-block", "confirm"])
def test_d07_what_waited_is_shown_by_the_rules_of_the_moment(site: Site, uri: str, rule: str) -> None:
    """A NOTIFY that waits for the answer to the one before hides what is hidden when it is sent."""
    site.set_rules(uri, ruleset("* allow"))
    with site.phone("bob") as bob:
        etag = bob.publish(uri, rich(uri, "one")).get("SIP-ETag")
        dialog, _ = bob.watch(uri)
        etag = bob.publish(uri, rich(uri, "two"), etag=etag).get("SIP-ETag")
        unanswered = bob.notify(dialog, answer=0)
        assert b"secretly-happy" in unanswered.body
        bob.publish(uri, rich(uri, "three"), etag=etag)
        site.set_rules(uri, ruleset(f"{BOB} {rule}"))
        bob.answer(unanswered)
        told = bob.await_message(
            lambda message: message.method == "NOTIFY" and message.cseq > unanswered.cseq
        )
        assert b"happy" not in told.body
