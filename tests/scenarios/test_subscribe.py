"""Subscriptions: RFC 6665 seen from the watcher."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.scenarios.database import locked, subscriptions
from tests.scenarios.wire import Phone, ServerProcess, Subscription, parse, pidf

pytestmark = pytest.mark.scenario


def test_subscription_lives_from_first_to_last_word(
    phone: Phone, watcher: Phone, server: ServerProcess, uri: str
) -> None:
    phone.publish(uri, pidf(uri, note="here"))
    dialog, reply = watcher.subscribe(uri)
    assert (reply.status, reply.get("Expires")) == (200, "600")
    assert dialog.target.startswith(f"sip:127.0.0.1:{server.ports['udp']}"), "EVT-07"
    first = watcher.notify(dialog)
    assert first.uri == watcher.contact
    assert f";tag={dialog.to_tag}" in first.get("From"), "EVT-12"
    assert f";tag={dialog.from_tag}" in first.get("To")
    assert first.get("Event") == "presence"
    assert b"here" in first.body

    _, reply = watcher.subscribe(uri, dialog=dialog, expires=300)
    assert (reply.status, reply.get("Expires")) == (200, "300")
    again = watcher.notify(dialog)
    assert again.cseq == first.cseq + 1, "EVT-37"
    assert again.get("Subscription-State") in ("active;expires=300", "active;expires=299"), "EVT-24"
    assert again.body == first.body, "EVT-14: full state after a refresh"
    assert len(subscriptions(server, uri)) == 1

    _, reply = watcher.subscribe(uri, dialog=dialog, expires=0)
    assert (reply.status, reply.get("Expires")) == (200, "0"), "EVT-15"
    last = watcher.notify(dialog)
    assert last.get("Subscription-State") == "terminated;reason=timeout", "EVT-25"
    assert subscriptions(server, uri) == []
    phone.publish(uri, pidf(uri, note="later"))
    assert watcher.nothing_more(0.2), "EVT-31: nothing after the last word"
    assert watcher.subscribe(uri, dialog=dialog)[1].status == 481, "EVT-17"


def test_fetch(phone: Phone, watcher: Phone, server: ServerProcess, uri: str) -> None:
    """EVT-16."""
    phone.publish(uri, pidf(uri, note="seen-once"))
    dialog, told = watcher.watch(uri, expires=0)
    assert told.get("Subscription-State") == "terminated;reason=timeout"
    assert b"seen-once" in told.body
    assert subscriptions(server, uri) == []
    phone.publish(uri, pidf(uri, note="unseen"))
    assert watcher.nothing_more(0.2)
    assert watcher.subscribe(uri, dialog=dialog)[1].status == 481


def test_expiry_is_told_within_a_second(watcher: Phone, server: ServerProcess, uri: str) -> None:
    """EVT-27, EVT-47."""
    dialog, _ = watcher.watch(uri, expires=2)
    since = time.monotonic()
    last = watcher.notify(dialog)
    assert 1.8 < time.monotonic() - since < 3.3
    assert last.get("Subscription-State") == "terminated;reason=timeout"
    assert subscriptions(server, uri) == []


def test_refresh_moves_the_end(watcher: Phone, uri: str) -> None:
    dialog, _ = watcher.watch(uri, expires=1)
    assert watcher.subscribe(uri, dialog=dialog, expires=60)[1].status == 200
    watcher.notify(dialog)
    assert watcher.nothing_more(2.2)


def test_refresh_moves_the_target(watcher: Phone, phones: Callable[[], Phone], uri: str) -> None:
    """EVT-19, D14."""
    dialog, _ = watcher.watch(uri)
    moved = phones()
    watcher.subscribe(uri, dialog=dialog, contact=moved.contact)
    assert moved.notify(dialog).uri == moved.contact
    assert watcher.nothing_more(0.1)


@pytest.mark.parametrize("change", ["to_tag", "from_tag", "call_id"])
def test_unknown_dialog(watcher: Phone, uri: str, change: str) -> None:
    """EVT-17."""
    dialog, _ = watcher.watch(uri)
    stranger = Subscription(dialog.call_id, dialog.from_tag, dialog.to_tag, dialog.target, dialog.cseq)
    setattr(stranger, change, "unheard-of")
    assert watcher.subscribe(uri, dialog=stranger)[1].status == 481
    assert watcher.subscribe(uri, dialog=dialog)[1].status == 200


def test_cseq_must_grow(watcher: Phone, uri: str) -> None:
    """EVT-18."""
    dialog, _ = watcher.watch(uri)
    dialog.cseq = 10
    assert watcher.subscribe(uri, dialog=dialog)[1].status == 200
    watcher.notify(dialog)
    for stale in (10, 4):
        dialog.cseq = stale - 1
        assert watcher.subscribe(uri, dialog=dialog)[1].status == 500
    dialog.cseq = 11
    assert watcher.subscribe(uri, dialog=dialog)[1].status == 200, "gaps are allowed"


def test_event_id_makes_a_subscription_of_its_own(
    phone: Phone, watcher: Phone, server: ServerProcess, uri: str
) -> None:
    """EVT-03, EVT-04, EVT-05, EVT-20, D10."""
    dialog, first = watcher.watch(uri, event="presence;id=7")
    assert first.get("Event") == "presence;id=7"
    assert watcher.subscribe(uri, dialog=dialog, event="presence ; id=8 ; colour=red")[1].status == 200
    assert watcher.notify(dialog).get("Event") == "presence;id=8"
    assert len(subscriptions(server, uri)) == 2

    phone.publish(uri, pidf(uri))
    assert {watcher.notify(dialog).get("Event") for _ in range(2)} == {"presence;id=7", "presence;id=8"}
    watcher.subscribe(uri, dialog=dialog, event="presence;id=7", expires=0)
    last = watcher.notify(dialog)
    assert (last.get("Event"), last.get("Subscription-State")[:10]) == ("presence;id=7", "terminated")
    phone.publish(uri, pidf(uri, "mobile"))
    assert watcher.notify(dialog).get("Event") == "presence;id=8"
    assert watcher.nothing_more(0.1)


def test_two_subscriptions_of_one_watcher(phone: Phone, watcher: Phone, uri: str) -> None:
    """EVT-45, D24."""
    one, _ = watcher.watch(uri)
    two, _ = watcher.watch(uri)
    assert one.to_tag != two.to_tag
    watcher.subscribe(uri, dialog=one, expires=0)
    watcher.notify(one)
    phone.publish(uri, pidf(uri, note="for-two"))
    assert b"for-two" in watcher.notify(two).body
    assert watcher.nothing_more(0.1)


def test_retransmission_gets_the_same_reply(watcher: Phone, server: ServerProcess, uri: str) -> None:
    """It makes no second subscription, also while the commit of the first runs."""
    headers = ["Event: presence", f"Contact: <{watcher.contact}>", "Expires: 60"]
    data = watcher.build("SUBSCRIBE", uri, headers=headers)
    with locked(server):
        watcher.send(data)
        time.sleep(0.02)
        watcher.send(data)
        assert watcher.nothing_more(0.05)
    reply = watcher.final_reply(parse(data))
    watcher.answer(watcher.await_message(lambda m: m.method == "NOTIFY"))
    assert reply.status == 200
    for _ in range(2):
        watcher.send(data)
        assert watcher.final_reply(parse(data)).raw == reply.raw
    assert [tag for tag, _ in subscriptions(server, uri)] == [reply.to_tag]
    assert watcher.nothing_more(0.1)


@pytest.mark.parametrize(
    ("headers", "status", "answer"),
    [
        (["Contact: <sip:bob@127.0.0.1>"], 489, ("Allow-Events", "presence, presence.winfo, dialog;sla")),
        (
            ["Event: weather", "Contact: <sip:bob@127.0.0.1>"],
            489,
            ("Allow-Events", "presence, presence.winfo, dialog;sla"),
        ),
        (["Event: presence"], 400, ("Contact", "")),
        (["Event: presence", "Contact: *"], 400, ("Contact", "")),
        (["Event: presence", "Contact: <tel:+1>"], 400, ("Contact", "")),
        (
            ["Event: presence", "Contact: <sip:bob@127.0.0.1>", "Require: foo"],
            420,
            ("Unsupported", "foo"),
        ),
        (
            ["Event: presence", "Contact: <sip:bob@127.0.0.1>", "Accept: text/plain"],
            406,
            ("Accept", "application/pidf+xml"),
        ),
        (["Event: presence", "Contact: <sip:bob@127.0.0.1>", "Expires: x"], 400, ("Contact", "")),
    ],
)
def test_refusals(
    watcher: Phone, server: ServerProcess, uri: str, headers: list[str], status: int, answer: tuple[str, str]
) -> None:
    """EVT-01, EVT-02, EVT-21, EVT-38, EVT-43, D58."""
    reply = watcher.request("SUBSCRIBE", uri, headers=headers)
    assert (reply.status, reply.get(answer[0])) == (status, answer[1])
    assert subscriptions(server, uri) == []
    assert watcher.nothing_more(0.05)
