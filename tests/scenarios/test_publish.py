"""Publications: RFC 3903 seen from the publisher and from a watcher."""

from __future__ import annotations

import time

import pytest

from tests.scenarios.conftest import Launch
from tests.scenarios.database import locked, publications
from tests.scenarios.scripts import presence, presence_script
from tests.scenarios.wire import Phone, ServerProcess, parse, pidf

pytestmark = pytest.mark.scenario


@pytest.fixture(scope="module")
def server(launch_shared: Launch) -> ServerProcess:
    return launch_shared(presence_script(presence(min_expires=2)))


def test_publication_lives_from_first_to_last_word(phone: Phone, watcher: Phone, uri: str) -> None:
    dialog, first = watcher.watch(uri)
    assert first.get("Subscription-State").startswith("active;expires=")
    assert (first.body, first.get("Content-Type")) == (b"", "")

    published = phone.publish(uri, pidf(uri, note="here"))
    assert (published.status, published.get("Expires"), len(published.all("SIP-ETag"))) == (200, "600", 1)
    assert published.to_tag
    told = watcher.notify(dialog)
    assert b"<note>here</note>" in told.body
    assert told.get("Content-Type") == "application/pidf+xml"

    refreshed = phone.publish(uri, etag=published.get("SIP-ETag"))
    assert refreshed.status == 200
    assert refreshed.get("SIP-ETag") != published.get("SIP-ETag")
    assert watcher.nothing_more(0.2), "PUB-17: a refresh is no news"

    modified = phone.publish(uri, pidf(uri, basic="closed", note="away"), etag=refreshed.get("SIP-ETag"))
    assert modified.status == 200
    told = watcher.notify(dialog)
    assert b"<note>away</note>" in told.body
    assert b"here" not in told.body, "PUB-18: the whole publication is replaced"

    removed = phone.publish(uri, etag=modified.get("SIP-ETag"), expires=0)
    assert (removed.status, removed.get("Expires")) == (200, "0")
    told = watcher.notify(dialog)
    assert b"closed" in told.body
    assert b"note" not in told.body
    assert phone.publish(uri, etag=modified.get("SIP-ETag")).status == 412


def test_old_and_unknown_tags_are_refused_without_effect(phone: Phone, watcher: Phone, uri: str) -> None:
    """PUB-07, PUB-08, D04."""
    old = phone.publish(uri, pidf(uri, note="one")).get("SIP-ETag")
    new = phone.publish(uri, etag=old).get("SIP-ETag")
    _, told = watcher.watch(uri)
    assert b"<note>one</note>" in told.body
    for etag in (old, "never.given.out", f"{new}x"):
        reply = phone.publish(uri, pidf(uri, note="two"), etag=etag)
        assert (reply.status, reply.get("SIP-ETag")) == (412, "")
    assert phone.publish("sip:somebody-else@example.org", etag=new).status == 412
    assert watcher.nothing_more(0.2)
    assert phone.publish(uri, etag=new).status == 200


def test_of_two_changes_with_one_tag_one_wins(phone: Phone, uri: str) -> None:
    """PUB-29."""
    etag = phone.publish(uri, pidf(uri)).get("SIP-ETag")
    both = [phone.publication(uri, pidf(uri, note=note), etag=etag) for note in ("a", "b")]
    for data in both:
        phone.send(data)
    assert sorted(phone.final_reply(parse(data)).status for data in both) == [200, 412]


@pytest.mark.parametrize("event", ["", "Event: weather", "Event: presence.winfo", "o: dialog"])
def test_unknown_event(phone: Phone, uri: str, event: str) -> None:
    """PUB-02, PUB-03, PUB-04, PUB-37."""
    headers = ["Content-Type: application/pidf+xml", *filter(None, [event])]
    reply = phone.request("PUBLISH", uri, headers=headers, body=pidf(uri))
    assert (reply.status, reply.get("Allow-Events")) == (489, "presence, presence.winfo, dialog;sla")


@pytest.mark.parametrize("media_type", ["", "text/plain", "application/sdp"])
def test_wrong_type_of_body(phone: Phone, uri: str, media_type: str) -> None:
    """PUB-19, PUB-20."""
    headers = ["Event: presence", *([f"Content-Type: {media_type}"] if media_type else [])]
    reply = phone.request("PUBLISH", uri, headers=headers, body=pidf(uri))
    assert (reply.status, reply.get("Accept")) == (415, "application/pidf+xml")
    assert phone.nothing_more(0.05), "one reply only (D03)"


@pytest.mark.parametrize(
    ("headers", "body", "status", "answer"),
    [
        (["Expires: 1"], True, 423, ("Min-Expires", "2")),
        (["Require: foo, bar"], True, 420, ("Unsupported", "foo, bar")),
        (["Content-Encoding: gzip"], True, 415, ("Accept-Encoding", "identity")),
        (["Expires: soon"], True, 400, ("SIP-ETag", "")),
        (["Expires: -5"], True, 400, ("SIP-ETag", "")),
        (["SIP-If-Match: a", "SIP-If-Match: b"], True, 400, ("SIP-ETag", "")),
        ([], False, 400, ("SIP-ETag", "")),
    ],
)
def test_refusals(
    phone: Phone,
    server: ServerProcess,
    uri: str,
    headers: list[str],
    body: bool,
    status: int,
    answer: tuple[str, str],
) -> None:
    """PUB-06, PUB-11, PUB-12, PUB-15, PUB-21, PUB-32."""
    sent = ["Event: presence", "Content-Type: application/pidf+xml", *headers]
    reply = phone.request("PUBLISH", uri, headers=sent, body=pidf(uri) if body else b"")
    assert (reply.status, reply.get(answer[0])) == (status, answer[1])
    assert publications(server, uri) == []


def test_lifetimes(phone: Phone, server: ServerProcess, uri: str) -> None:
    """PUB-09, PUB-10, PUB-14."""
    assert phone.publish(uri, pidf(uri), expires=None).get("Expires") == "3600"
    assert phone.publish(uri, pidf(uri), expires=86_400).get("Expires") == "3600"
    assert phone.publish(uri, pidf(uri), expires=2**32 - 1).get("Expires") == "3600"
    stored = len(publications(server, uri))
    assert phone.publish(uri, pidf(uri), expires=0).status == 200
    assert len(publications(server, uri)) == stored == 3


def test_subscription_that_is_too_brief(watcher: Phone, uri: str) -> None:
    """EVT-10, at the start and as a refresh."""
    _, reply = watcher.subscribe(uri, expires=1)
    assert (reply.status, reply.get("Min-Expires")) == (423, "2")
    dialog, _ = watcher.watch(uri)
    _, reply = watcher.subscribe(uri, dialog=dialog, expires=1)
    assert (reply.status, reply.get("Min-Expires")) == (423, "2")
    assert watcher.subscribe(uri, dialog=dialog, expires=2)[1].status == 200


def test_publications_are_composed(phone: Phone, watcher: Phone, uri: str) -> None:
    """PUB-28: tuples of all publications, of one id the newest."""
    phone.publish(uri, pidf(uri, "desk", note="at-the-desk"))
    mobile = phone.publish(uri, pidf(uri, "mobile", note="on-the-road")).get("SIP-ETag")
    phone.publish(uri, pidf("sip:wrong@example.org", "desk", note="back-at-the-desk"))
    dialog, told = watcher.watch(uri)
    assert told.body.count(b"<tuple ") == 2
    assert b"on-the-road" in told.body
    assert b"back-at-the-desk" in told.body
    assert f'entity="{uri}"'.encode() in told.body
    phone.publish(uri, etag=mobile, expires=0)
    told = watcher.notify(dialog)
    assert told.body.count(b"<tuple ") == 1


@pytest.mark.parametrize(
    "spelling",
    [
        "sip:{user}@EXAMPLE.org",
        "sips:{user}@example.org",
        "sip:{user}@example.org:5070;transport=tcp",
        "sip:{user}:secret@example.org",
        "sip:%{first:02x}{rest}@example.org",
    ],
)
def test_spellings_of_one_presentity(phone: Phone, watcher: Phone, uri: str, spelling: str) -> None:
    user = uri.partition(":")[2].partition("@")[0]
    other = spelling.format(user=user, first=ord(user[0]), rest=user[1:])
    etag = phone.publish(other, pidf(note="same")).get("SIP-ETag")
    _, told = watcher.watch(uri, expires=0)
    assert b"same" in told.body
    assert f'entity="{uri}"'.encode() in told.body
    assert phone.publish(uri, etag=etag).status == 200


def test_users_differ_by_case(phone: Phone, watcher: Phone, uri: str) -> None:
    phone.publish(uri.upper().replace("SIP:", "sip:"), pidf())
    _, told = watcher.watch(uri, expires=0)
    assert told.body == b""


def test_expiry_is_told_within_a_second(
    phone: Phone, watcher: Phone, server: ServerProcess, uri: str
) -> None:
    """PUB-27, EVT-47."""
    dialog, _ = watcher.watch(uri)
    published = phone.publish(uri, pidf(uri, note="brief"), expires=2)
    since = time.monotonic()
    watcher.notify(dialog)
    told = watcher.notify(dialog)
    assert 1.9 < time.monotonic() - since < 3.3
    assert b"closed" in told.body
    assert b"brief" not in told.body
    assert phone.publish(uri, etag=published.get("SIP-ETag")).status == 412
    assert publications(server, uri) == []


def test_retransmission_gets_the_same_reply(phone: Phone, server: ServerProcess, uri: str) -> None:
    """PUB-30: after t_release, byte for byte, and nothing is published twice."""
    data = phone.publication(uri, pidf(uri))
    phone.send(data)
    reply = phone.final_reply(parse(data))
    for _ in range(3):
        phone.send(data)
        assert phone.final_reply(parse(data)).raw == reply.raw
    assert [etag for etag, _ in publications(server, uri)] == [reply.get("SIP-ETag")]


def test_retransmission_while_the_commit_runs(phone: Phone, server: ServerProcess, uri: str) -> None:
    """PUB-30: it is absorbed, and answered once."""
    data = phone.publication(uri, pidf(uri))
    with locked(server):
        phone.send(data)
        time.sleep(0.03)
        phone.send(data)
        phone.send(data)
        assert phone.nothing_more(0.05)
    reply = phone.final_reply(parse(data))
    assert reply.status == 200
    assert phone.nothing_more(0.2)
    phone.send(data)
    assert phone.final_reply(parse(data)).raw == reply.raw
    assert [etag for etag, _ in publications(server, uri)] == [reply.get("SIP-ETag")]


def test_own_news_is_not_told_to_the_sender(launch: Launch, uri: str) -> None:
    server = launch(presence_script(publish='handle_publish("$hdr(Sender)")'))
    with Phone(server.address) as desk, Phone(server.address) as other:
        own, _ = desk.watch(uri)
        foreign, _ = other.watch(uri)
        assert desk.publish(uri, pidf(uri), headers=[f"Sender: <{desk.contact}>"]).status == 200
        assert other.notify(foreign).body
        assert desk.nothing_more(0.2)
        assert desk.publish(uri, pidf(uri, note="from elsewhere")).status == 200
        assert b"elsewhere" in desk.notify(own).body
