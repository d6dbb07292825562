"""The tests of openser.cfg: `openpy test examples` runs them; docs/testing.md says how to write such tests."""

from __future__ import annotations

import pytest

from openpy.testing.exchange import Exchange
from openpy.testing.messages import pidf
from openpy.testing.script import Script

ALICE, BOB = "sip:alice@example.com", "sip:bob@example.com"
PHONE = "sip:bob@192.0.2.9:5070"


@pytest.fixture
def registered(script: Script) -> Exchange:
    """Bob's phone has registered."""
    return register(script)


def register(script: Script, contact: str = f"<{PHONE}>", **fields: str) -> Exchange:
    given = {"From": f"<{BOB}>;tag=bob", "To": f"<{BOB}>", "Contact": contact, **fields}
    return script.send("REGISTER", "sip:example.com", given)


def accounted(script: Script) -> list[str]:
    """What acc wrote: what became of a request, and which."""
    lines = [line.text for line in script.log if line.origin == "acc"]
    return [f"{line.split(':')[1].strip()} {line.split('method=')[1].split(';')[0]}" for line in lines]


# --- what comes first -------------------------------------------------------------------------------------------


def test_a_request_that_went_round_in_circles_ends(script: Script) -> None:
    assert script.send("OPTIONS", "sip:example.com", Max_Forwards=0).status == 483


def test_options_tell_what_is_served(script: Script) -> None:
    reply = script.send("OPTIONS", "sip:example.com")
    assert reply.status == 200
    assert {"INVITE", "PUBLISH", "REGISTER", "SUBSCRIBE"} <= set((reply.get("Allow") or "").split(", "))
    assert reply.get("Allow-Events") == "presence, presence.winfo, dialog;sla"


def test_a_keep_alive_is_answered(script: Script) -> None:
    reply = script.send("NOTIFY", "sip:example.com", Event="keep-alive")
    assert (reply.status, reply.reason) == (200, "Keep-alive")


def test_a_route_that_leads_elsewhere_is_not_followed(script: Script) -> None:
    call = script.send("INVITE", BOB, Route="<sip:192.0.2.66;lr>")
    assert (call.status, call.reason, call.relayed) == (403, "Preloaded Route Denied", [])


def test_a_route_that_leads_here_is_taken_off(script: Script, registered: Exchange) -> None:
    call = script.send("INVITE", BOB, Route="<sip:127.0.0.1;lr>")
    assert [item.target for item in call.relayed] == ["udp:192.0.2.9:5070"]
    assert call.relayed[0].get("Route") is None


# --- registrations -------------------------------------------------------------------------------------------------


def test_a_register_is_kept_in_the_database(script: Script, registered: Exchange) -> None:
    assert (registered.status, registered.get("Contact")) == (200, f"<{PHONE}>;expires=3600")
    (row,) = script.rows("location")
    assert (row["username"], row["contact"]) == ("bob", PHONE)


def test_a_register_that_means_nothing_is_refused(script: Script) -> None:
    assert register(script, "*").status == 400


def test_a_registration_ends(script: Script, registered: Exchange) -> None:
    assert register(script, f"<{PHONE}>;expires=0").all("Contact") == []
    assert script.send("INVITE", BOB).status == 404
    assert script.rows("location") == []


# --- calls ---------------------------------------------------------------------------------------------------------


def test_a_call_from_its_begin_to_its_end(script: Script, registered: Exchange) -> None:
    call = script.send("INVITE", BOB)
    (invite,) = call.relayed
    assert (invite.uri, invite.target) == (PHONE, "udp:192.0.2.9:5070")
    assert (invite.get("Record-Route"), invite.get("Max-Forwards")) == ("<sip:127.0.0.1;lr=on>", "69")
    invite.answer(180)
    invite.answer(200, Contact=f"<{PHONE}>")
    assert [reply.status for reply in call.replies] == [100, 180, 200]
    assert script.printed == [f"new branch at {PHONE}", "incoming reply", "incoming reply"]

    (ack,) = script.send("ACK", within=call).relayed
    assert (ack.uri, ack.target, ack.get("Route")) == (PHONE, "udp:192.0.2.9:5070", None)

    bye = script.send("BYE", within=call)
    bye.relayed[0].answer(200)
    assert (bye.status, bye.flags) == (200, {1, 3})
    assert accounted(script) == [
        "transaction answered INVITE",
        "request acknowledged ACK",
        "transaction answered BYE",
    ]


def test_all_phones_of_a_user_ring(script: Script, registered: Exchange) -> None:
    register(script, "<sip:bob@192.0.2.10>")
    call = script.send("INVITE", BOB)
    first, second = call.relayed
    assert {first.target, second.target} == {"udp:192.0.2.9:5070", "udp:192.0.2.10:5060"}
    second.answer(200, Contact="<sip:bob@192.0.2.10>")
    first.answer(180)
    assert [item.target for item in script.requests("CANCEL")] == [first.target]


def test_a_caller_gives_up(script: Script, registered: Exchange) -> None:
    call = script.send("INVITE", BOB)
    call.relayed[0].answer(180)
    cancel = script.send("CANCEL", BOB, Via=call.message.get("Via"), Call_ID=call.message.get("Call-ID"))
    assert cancel.status == 200
    assert [item.target for item in script.requests("CANCEL")] == ["udp:192.0.2.9:5070"]
    call.relayed[0].answer(487)
    assert call.status == 487


def test_a_callee_is_busy(script: Script, registered: Exchange) -> None:
    call = script.send("INVITE", BOB)
    call.relayed[0].answer(486)
    assert [reply.status for reply in call.replies] == [100, 486]
    assert [item.target for item in script.requests("ACK")] == ["udp:192.0.2.9:5070"]
    assert accounted(script) == ["call missed INVITE"]
    assert script.send("ACK", BOB, Via=call.message.get("Via"), To=call.get("To")).sent == []


def test_a_callee_does_not_answer(script: Script, registered: Exchange) -> None:
    call = script.send("INVITE", BOB)
    call.relayed[0].answer(180)
    script.run_for(200)
    assert call.status == 408
    assert accounted(script) == ["call missed INVITE"]


def test_a_redirect_is_passed_on(script: Script, registered: Exchange) -> None:
    call = script.send("INVITE", BOB)
    call.relayed[0].answer(302, Contact="<sip:bob@192.0.2.77>")
    assert (call.status, call.get("Contact")) == (302, "<sip:bob@192.0.2.77>")


@pytest.mark.parametrize("method", ["INVITE", "MESSAGE", "INFO", "OPTIONS"])
def test_nobody_is_registered_there(script: Script, method: str) -> None:
    reply = script.send(method, BOB)
    assert (reply.status, reply.reason) == (404, "Not Found")


def test_a_phone_that_cannot_do_it_is_not_asked(script: Script) -> None:
    register(script, f'<{PHONE}>;methods="INVITE,ACK,BYE,CANCEL"')
    assert script.send("MESSAGE", BOB).status == 405
    assert len(script.send("INVITE", BOB).relayed) == 1


def test_a_message_is_delivered_out_of_any_dialog(script: Script, registered: Exchange) -> None:
    message = script.send("MESSAGE", BOB, body="Lunch?", Content_Type="text/plain")
    (relayed,) = message.relayed
    assert (relayed.body, relayed.get("Record-Route")) == (b"Lunch?", None)
    relayed.answer(200)
    assert message.status == 200


def test_an_address_without_a_user_is_nobody(script: Script) -> None:
    reply = script.send("INVITE", "sip:example.com")
    assert (reply.status, reply.reason) == (484, "Address Incomplete")


# --- other domains ------------------------------------------------------------------------------------------------


def test_our_users_may_call_elsewhere(script: Script) -> None:
    (invite,) = script.send("INVITE", "sip:carol@192.0.2.77").relayed
    assert (invite.target, invite.get("P-hint")) == ("udp:192.0.2.77:5060", "outbound")


@pytest.mark.parametrize("method", ["INVITE", "MESSAGE", "PUBLISH", "REGISTER"])
def test_for_strangers_we_do_not_relay(script: Script, method: str) -> None:
    reply = script.send(method, "sip:carol@192.0.2.77", From="<sip:dave@elsewhere.example>;tag=dave")
    assert (reply.status, reply.reason, reply.relayed) == (403, "Relaying Denied", [])


def test_strangers_may_call_our_users(script: Script, registered: Exchange) -> None:
    assert len(script.send("INVITE", BOB, From="<sip:dave@elsewhere.example>;tag=dave").relayed) == 1


# --- what belongs to nothing ------------------------------------------------------------------------------------


def test_a_request_of_no_dialog_is_not_here(script: Script) -> None:
    assert script.send("BYE", BOB, To=f"<{BOB}>;tag=gone").status == 404
    assert script.send("ACK", BOB, To=f"<{BOB}>;tag=gone").sent == []


def test_a_stray_ack_or_cancel_is_dropped(script: Script) -> None:
    assert script.send("ACK", BOB).sent == []
    assert script.send("CANCEL", BOB).sent == []


def test_what_comes_twice_is_done_once(script: Script, registered: Exchange) -> None:
    call = script.send("INVITE", BOB)
    again = script.send(call.message.raw)
    assert [item.status for item in again.sent] == [100]
    assert len(script.requests("INVITE")) == 1


# --- presence -----------------------------------------------------------------------------------------------------


def test_a_publish_with_a_sender_calls_handle_publish_with_its_value(script: Script) -> None:
    calls = script.spy("handle_publish")
    reply = script.send("PUBLISH", BOB, Sender=ALICE)
    assert calls == [(ALICE,)]
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


def test_a_watcher_stays_and_leaves(script: Script) -> None:
    subscription = script.send("SUBSCRIBE", BOB)
    assert script.send("SUBSCRIBE", within=subscription, Expires=600).get("Expires") == "600"
    assert script.send("SUBSCRIBE", within=subscription, Expires=0).status == 200
    assert script.requests("NOTIFY")[-1].get("Subscription-State") == "terminated;reason=timeout"
    assert script.rows("active_watchers") == []


def test_a_watcher_with_a_route_to_us_stays(script: Script) -> None:
    subscription = script.send("SUBSCRIBE", BOB)
    again = script.send("SUBSCRIBE", within=subscription, Route="<sip:127.0.0.1;lr>")
    assert (again.status, again.relayed) == (200, [])


def test_a_request_for_which_there_is_no_transaction_is_refused(script: Script) -> None:
    script.stub("t_newtran", returns=-1)
    calls = script.spy("handle_subscribe")
    assert script.send("SUBSCRIBE", BOB).status == 500
    assert calls == []
