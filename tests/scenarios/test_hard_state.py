"""State that a user keeps by XCAP (pidf-manipulation, RFC 4827), whether he publishes or not."""

from __future__ import annotations

import pytest

from openpy.modules.presence_xml.tables import PIDF_MANIPULATION
from tests.modules.presence.kit import ruleset
from tests.scenarios.site import Site
from tests.scenarios.wire import pidf

pytestmark = [pytest.mark.scenario, pytest.mark.timeout(60)]


@pytest.mark.parametrize("restart", [False, True])
def test_hard_state_stands_behind_what_is_published(site: Site, uri: str, restart: bool) -> None:
    site.set_rules(uri, ruleset("* allow"))
    with site.phone("bob") as bob:
        dialog, _ = bob.watch(uri)
        site.write_document(uri, pidf(uri, "vacation", note="at-sea"), PIDF_MANIPULATION)
        site.refresh_watchers(uri, refresh_type=1)
        bob.told(dialog, b"at-sea")
        if restart:
            site.restart()
        etag = bob.publish(uri, pidf(uri, note="at-the-desk")).get("SIP-ETag")
        told = bob.told(dialog, b"at-the-desk")
        assert b"at-sea" in told.body
        etag = bob.publish(uri, pidf(uri, "vacation", note="not-at-sea"), etag=etag).get("SIP-ETag")
        told = bob.told(dialog, b"not-at-sea")
        assert told.body.count(b"<tuple ") == 1, "what is published wins"
        if restart:
            site.restart()
        bob.publish(uri, etag=etag, expires=0)
        told = bob.told(dialog, b">at-sea")
        assert told.body.count(b"<tuple ") == 1


def test_state_that_is_changed_by_another_hand(site: Site, uri: str) -> None:
    """A row that somebody else has written is told with refreshWatchers 1."""
    site.set_rules(uri, ruleset("* allow"))
    user, _, domain = uri.removeprefix("sip:").partition("@")
    with site.phone("bob") as bob:
        etag = bob.publish(uri, pidf(uri, note="mine")).get("SIP-ETag")
        dialog, _ = bob.watch(uri)
        changed = pidf(uri, note="by-another-hand")
        site.change("UPDATE presentity SET body = ? WHERE username = ? AND domain = ?", changed, user, domain)
        assert bob.nothing_more(0.1)
        site.refresh_watchers(uri, refresh_type=1)
        assert b"by-another-hand" in bob.notify(dialog).body
        assert bob.publish(uri, etag=etag).status == 200
        site.change("DELETE FROM presentity WHERE username = ? AND domain = ?", user, domain)
        site.refresh_watchers(uri, refresh_type=1)
        assert b"by-another-hand" not in bob.notify(dialog).body
