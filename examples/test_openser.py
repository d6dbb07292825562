"""The tests of openser.cfg: `openpy test examples` runs them; docs/testing.md says how to write such tests."""

from __future__ import annotations

import pytest

from openpy.testing.messages import pidf
from openpy.testing.script import Script

BOB = "sip:bob@example.com"


def test_a_publish_with_a_sender_calls_handle_publish_with_its_value(script: Script) -> None:
    calls = script.spy("handle_publish")
    reply = script.send("PUBLISH", BOB, Sender="sip:alice@example.com")
    assert calls == [("sip:alice@example.com",)]
    assert reply.status == 200


def test_a_publish_without_one_calls_it_without(script: Script) -> None:
    calls = script.spy("handle_publish")
    assert script.send("PUBLISH", BOB).status == 200
    assert calls == [()]


def test_what_is_published_is_kept_until_it_expires(script: Script) -> None:
    reply = script.send("PUBLISH", BOB, Expires=60)
    (row,) = script.rows("presentity")
    assert (row["username"], row["domain"], row["etag"]) == ("bob", "example.com", reply.get("SIP-ETag"))
    script.run_for(200)
    assert script.rows("presentity") == []


def test_a_watcher_is_told_each_change(script: Script) -> None:
    script.send("SUBSCRIBE", BOB, source="192.0.2.7")
    published = script.send("PUBLISH", BOB)
    script.send("PUBLISH", BOB, body=pidf(BOB, "closed"), SIP_If_Match=published.get("SIP-ETag"))
    first, opened, closed = script.requests("NOTIFY")
    assert first.target == "udp:192.0.2.7:5060"
    assert first.get("Subscription-State") == "active;expires=3600"
    assert b"<basic>open" in opened.body
    assert b"<basic>closed" in closed.body


def test_a_watcher_leaves(script: Script) -> None:
    subscription = script.send("SUBSCRIBE", BOB)
    assert script.send("SUBSCRIBE", within=subscription, Expires=0).status == 200
    assert script.requests("NOTIFY")[-1].get("Subscription-State") == "terminated;reason=timeout"
    assert script.rows("active_watchers") == []


def test_options_tell_what_is_served(script: Script) -> None:
    reply = script.send("OPTIONS", "sip:example.com")
    assert reply.status == 200
    assert reply.get("Allow") == "OPTIONS, PUBLISH, SUBSCRIBE"
    assert "presence" in (reply.get("Allow-Events") or "")


def test_a_request_that_went_round_in_circles_ends(script: Script) -> None:
    assert script.send("OPTIONS", "sip:example.com", Max_Forwards=0).status == 483


def test_a_stray_ack_or_cancel_is_dropped(script: Script) -> None:
    assert script.send("ACK", BOB).sent == []
    assert script.send("CANCEL", BOB).sent == []


@pytest.mark.parametrize("method", ["INVITE", "MESSAGE", "REGISTER"])
def test_nothing_else_is_served(script: Script, method: str) -> None:
    assert script.send(method, BOB).status == 405


def test_a_request_for_which_there_is_no_transaction_is_refused(script: Script) -> None:
    script.stub("t_newtran", returns=-1)
    calls = script.spy("handle_subscribe")
    assert script.send("SUBSCRIBE", BOB).status == 500
    assert calls == []
