"""A line that several phones share (`dialog;sla`): all are told but the one who speaks."""

from __future__ import annotations

import pytest

from tests.scenarios.site import Site
from tests.scenarios.wire import Phone, SipMessage

pytestmark = [pytest.mark.scenario, pytest.mark.timeout(60)]

SLA = "dialog;sla"
TYPE = "application/dialog-info+xml"

BODY = (
    '<?xml version="1.0"?><dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="{version}" '
    'state="partial" entity="{uri}"><dialog id="d"><state>{state}</state></dialog></dialog-info>'
)


def seize(phone: Phone, uri: str, state: str, etag: str = "", version: int = 0) -> SipMessage:
    """The phone says what it does with the line, and that it is it who says so."""
    return phone.publish(
        uri,
        BODY.format(uri=uri, state=state, version=version).encode(),
        etag=etag,
        event=SLA,
        content_type=TYPE,
        headers=[f"Sender: <{phone.contact}>"],
    )


@pytest.mark.parametrize("restart", [False, True])
def test_a_call_on_a_shared_line(site: Site, uri: str, restart: bool) -> None:
    with site.phone("desk") as desk, site.phone("hall") as hall:
        own, first = desk.watch(uri, event=SLA)
        other, _ = hall.watch(uri, event=SLA)
        assert first.get("Content-Type") == TYPE
        assert b"<dialog " not in first.body

        published = seize(desk, uri, "trying")
        assert published.status == 200
        etag = published.get("SIP-ETag")
        assert b"trying" in hall.notify(other).body
        assert desk.nothing_more(0.1)
        if restart:
            site.restart()
        again = seize(desk, uri, "confirmed", etag, 1)
        assert again.status == 200
        assert again.get("SIP-ETag") == etag, "a publication of a line keeps its tag"
        hall.told(other, b"confirmed")
        assert desk.nothing_more(0.1)
        if restart:
            site.restart()
        assert seize(hall, uri, "terminated").status == 200
        desk.subscribe(uri, dialog=own, event=SLA)
        assert b"confirmed" in desk.notify(own).body, (
            "who is idle does not free a line on which another talks"
        )
        assert desk.publish(uri, etag=etag, expires=0, event=SLA).status == 200
        desk.told(own, b"terminated")
        for dialog in (own, other):
            versions = [int(told.body.split(b'version="')[2].split(b'"')[0]) for told in dialog.notifies]
            assert versions == sorted(set(versions))
            assert all(b'state="full"' in told.body for told in dialog.notifies)
