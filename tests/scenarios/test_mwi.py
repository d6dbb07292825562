"""Messages that wait in a mailbox (RFC 3842)."""

from __future__ import annotations

import pytest

from tests.scenarios.site import Site
from tests.scenarios.wire import Phone, SipMessage

pytestmark = [pytest.mark.scenario, pytest.mark.timeout(60)]

EVENT = "message-summary"
TYPE = "application/simple-message-summary"


@pytest.fixture
def user(uri: str) -> str:
    """The owner of the mailbox of this test."""
    return uri.removeprefix("sip:").partition("@")[0]


def summary(new: int) -> bytes:
    waiting = "yes" if new else "no"
    return f"Messages-Waiting: {waiting}\r\nVoice-Message: {new}/8 (0/2)\r\n".encode()


def deposit(machine: Phone, uri: str, body: bytes, etag: str = "", expires: int = 600) -> SipMessage:
    return machine.publish(uri, body, etag=etag, expires=expires, event=EVENT, content_type=TYPE)


@pytest.mark.parametrize("restart", [False, True])
def test_messages_come_and_are_heard(site: Site, user: str, uri: str, restart: bool) -> None:
    with site.phone(user) as owner, site.phone("machine") as machine:
        dialog, first = owner.watch(uri, event=EVENT)
        assert first.get("Content-Type") == TYPE
        assert b"Messages-Waiting: no" in first.body
        published = deposit(machine, uri, summary(1))
        assert published.status == 200
        assert owner.notify(dialog).body == summary(1)
        if restart:
            site.restart()
        etag = deposit(machine, uri, summary(3), published.get("SIP-ETag")).get("SIP-ETag")
        told = owner.notify(dialog)
        assert told.body == summary(3)
        assert told.get("Event") == EVENT
        if restart:
            site.restart()
        owner.subscribe(uri, dialog=dialog, event=EVENT)
        assert owner.notify(dialog).body == summary(3)
        assert deposit(machine, uri, b"", etag, expires=0).status == 200
        assert b"Messages-Waiting: no" in owner.notify(dialog).body
        cseqs = [notify.cseq for notify in dialog.notifies]
        assert cseqs == sorted(set(cseqs))


def test_of_two_machines_the_newest_word_counts(site: Site, user: str, uri: str) -> None:
    with site.phone(user) as owner, site.phone("machine") as machine:
        deposit(machine, uri, summary(1))
        second = deposit(machine, uri, summary(2)).get("SIP-ETag")
        dialog, first = owner.watch(uri, event=EVENT)
        assert first.body == summary(2)
        deposit(machine, uri, b"", second, expires=0)
        assert owner.notify(dialog).body == summary(1)


@pytest.mark.parametrize(
    "body",
    [b"nonsense", b"Messages-Waiting: perhaps\r\n", b"Voice-Message: 1/2\r\n", b"\x00\xff", b"<a/>"],
)
def test_nonsense_is_refused(site: Site, uri: str, body: bytes) -> None:
    with site.phone("machine") as machine:
        assert deposit(machine, uri, body).status == 400
        assert machine.options().status == 200
        user = uri.removeprefix("sip:").partition("@")[0]
        assert site.rows("SELECT id FROM presentity WHERE username = ?", user) == []


def test_a_mailbox_is_its_owners(site: Site, uri: str) -> None:
    with site.phone("bob") as bob:
        assert bob.subscribe(uri, event=EVENT)[1].status == 403
        assert bob.nothing_more(0.1)
