from __future__ import annotations

import xml.etree.ElementTree as ET

from bench.messages import Call, Phone, Presentity, Sender, Watcher, branch_of, header, ok, options, picked_up
from openpy.sip.message import Request, parse_message

SENDER = Sender("127.0.0.1", 5999, "run")


def _parsed(datagram: bytes) -> Request:
    message = parse_message(datagram)
    assert isinstance(message, Request)
    return message


def test_every_request_has_a_branch_of_its_own() -> None:
    first, second = SENDER.branch(), SENDER.branch()
    assert first != second
    assert branch_of(options(SENDER, first, 1)) == first.encode()


def test_what_is_sent_is_sip() -> None:
    user = Presentity(SENDER, "alice")
    watcher = Watcher(SENDER, "bob", user)
    sent = [options(SENDER, SENDER.branch(), 1), user.publish(SENDER.branch(), document=True)]
    sent.append(watcher.subscribe(SENDER.branch()))
    assert [_parsed(one).method for one in sent] == ["OPTIONS", "PUBLISH", "SUBSCRIBE"]


def test_a_publication_lives_by_its_entity_tag() -> None:
    user = Presentity(SENDER, "alice")
    initial = user.publish("b1", document=True)
    assert header(initial, b"SIP-If-Match") == b""
    user.answered(b"SIP/2.0 200 OK\r\nSIP-ETag: one\r\n\r\n")
    refresh = user.publish("b2", document=False)
    assert header(refresh, b"sip-if-match") == b"one"
    assert refresh.endswith(b"Content-Length: 0\r\n\r\n")
    user.answered(b"SIP/2.0 412 Conditional Request Failed\r\n\r\n")
    assert user.entity_tag == "one"


def test_documents_are_well_formed_and_never_the_same() -> None:
    user = Presentity(SENDER, "alice")
    bodies = {user.publish("b", document=True).partition(b"\r\n\r\n")[2] for _ in range(3)}
    assert len(bodies) == 3
    for body in bodies:
        assert ET.fromstring(body).get("entity") == user.uri


def test_a_watcher_stays_in_its_dialog() -> None:
    watcher = Watcher(SENDER, "bob", Presentity(SENDER, "alice"))
    assert watcher.subscribe("b1").startswith(b"SUBSCRIBE sip:alice@bench.test SIP/2.0\r\n")
    watcher.answered(b"SIP/2.0 200 OK\r\nTo: <sip:a@b>;tag=xy;p=1\r\nContact: <sip:1.2.3.4:5>;q=1\r\n\r\n")
    again = watcher.subscribe("b2")
    assert again.startswith(b"SUBSCRIBE sip:1.2.3.4:5 SIP/2.0\r\n")
    assert header(again, b"To") == b"<sip:alice@bench.test>;tag=xy"
    assert header(again, b"CSeq") == b"2 SUBSCRIBE"


def test_a_reply_copies_what_it_must() -> None:
    notify = (
        b"NOTIFY sip:bob@1.1.1.1 SIP/2.0\r\nVia: SIP/2.0/UDP 2.2.2.2;branch=z9hG4bKx\r\nMax-Forwards: 70\r\n"
        b"f: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\ni: call\r\nCSeq: 7 NOTIFY\r\nContent-Length: 3\r\n\r\nVia"
    )
    assert ok(notify) == (
        b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 2.2.2.2;branch=z9hG4bKx\r\nf: <sip:a@b>;tag=1\r\n"
        b"To: <sip:c@d>;tag=2\r\ni: call\r\nCSeq: 7 NOTIFY\r\nContent-Length: 0\r\n\r\n"
    )


def test_no_branch_is_no_branch() -> None:
    assert branch_of(b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 1.1.1.1;branch=old\r\n\r\n") == b""


def test_a_phone_registers_again_with_a_higher_cseq() -> None:
    phone = Phone(SENDER, "desk")
    first = phone.register("b1")
    second = phone.register("b2", expires=60)
    registered = []
    for status in (b"503 Service Unavailable", b"200 OK"):
        phone.answered(b"SIP/2.0 " + status + b"\r\n\r\n")
        registered.append(phone.is_registered)
    assert registered == [False, True]
    assert [_parsed(one).cseq.number for one in (first, second)] == [1, 2]
    assert header(first, b"Call-ID") == header(second, b"Call-ID")
    assert header(second, b"Expires") == b"60"
    assert header(second, b"Contact") == b"<sip:desk@127.0.0.1:5999>"


def test_a_call_is_a_dialog_along_the_recorded_route() -> None:
    call = Call(SENDER, "alice")
    invite = call.invite("b1")
    assert _parsed(invite).method == "INVITE"
    ringing, answer = picked_up(
        invite.replace(b"Max-Forwards", b"Record-Route: <sip:proxy;lr>\r\nMax-Forwards"), "sip:callee@h"
    )
    assert ringing.startswith(b"SIP/2.0 180 ")
    call.answered(answer)
    for request, cseq in ((call.ack("b2"), b"1 ACK"), (call.bye("b3"), b"2 BYE")):
        assert _parsed(request).uri == "sip:callee@h"
        assert header(request, b"Route") == b"<sip:proxy;lr>"
        assert header(request, b"To") == b"<sip:callee@127.0.0.1:5999>;tag=callee"
        assert header(request, b"CSeq") == cseq
    call.ended(b"SIP/2.0 200 OK\r\n\r\n")
    assert call.is_over
