from __future__ import annotations

import pytest

from openpy.sip.dialog import Dialog
from openpy.sip.errors import RemoteError
from openpy.sip.message import Request
from openpy.useragent.agent import Answer
from tests.useragent.peer import Peer

NOTIFY = """
    NOTIFY sip:agent@192.0.2.2:5070 SIP/2.0
    Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1
    From: <sip:alice@example.com>;tag=peer
    To: <sip:bob@example.com>;tag=ours
    Call-ID: call
    CSeq: 1 NOTIFY
"""


def test_draft_outside_a_dialog() -> None:
    agent = Peer().agent
    draft = agent.draft(
        "SUBSCRIBE", "sip:proxy", from_uri="sip:alice@example.com", to_uri="sip:bob@example.com"
    )
    assert (draft.uri, draft.from_, draft.to) == (
        "sip:proxy",
        "<sip:alice@example.com>;tag=random1",
        "<sip:bob@example.com>",
    )
    assert (draft.call_id, draft.cseq, draft.routes) == ("random2", 1, ())
    assert agent.draft("SUBSCRIBE", "sip:bob", from_uri="sip:alice").to == "<sip:bob>"


@pytest.mark.parametrize(
    ("contact", "uri", "said"),
    [
        ("sip:a@h:5061;transport=tls", "sips:alice@example.com", "sips:a@h:5061"),
        ("sip:a@h:5061;transport=tls", "SIPS:alice@example.com", "sips:a@h:5061"),
        ("sip:a@h:5061;transport=tls", "sip:alice@example.com", "sip:a@h:5061;transport=tls"),
        ("sip:a@h:5060;transport=tcp", "sips:alice@example.com", "sip:a@h:5060;transport=tcp"),
    ],
)
def test_our_contact_is_secure_where_the_target_is(contact: str, uri: str, said: str) -> None:
    agent = Peer().agent
    agent.local_contact = contact
    assert agent.contact_for(uri) == said


def test_draft_within_a_dialog_takes_its_route_and_the_next_cseq() -> None:
    dialog = Dialog(
        call_id="call",
        local_tag="ours",
        remote_tag="peer",
        local_uri="sip:alice@example.com",
        remote_uri="sip:bob@example.com",
        target="sip:bob@192.0.2.1",
        route_set=("<sip:p1;lr>", "<sip:p2;lr>"),
        local_cseq=7,
    )
    draft = Peer().agent.draft_within(dialog, "SUBSCRIBE")
    assert (draft.uri, draft.routes, draft.cseq) == ("sip:bob@192.0.2.1", ("<sip:p1;lr>", "<sip:p2;lr>"), 8)
    assert (draft.from_, draft.to) == ("<sip:alice@example.com>;tag=ours", "<sip:bob@example.com>;tag=peer")
    assert dialog.local_cseq == 8
    dialog.remote_tag = ""
    assert Peer().agent.draft_within(dialog, "SUBSCRIBE").to == "<sip:bob@example.com>"


def test_notify_goes_to_the_handler_of_its_dialog() -> None:
    peer, taken = Peer(), list[Request]()

    def handler(notify: Request, answer: Answer) -> None:
        taken.append(notify)
        answer(202, "X-Seen: yes\r\n")

    peer.agent.handle_notifies("call", "ours", handler)
    assert peer.deliver(NOTIFY)
    assert (peer.replies[0].status, peer.replies[0].get("X-Seen")) == (202, "yes")
    assert peer.deliver(NOTIFY)  # a retransmission is answered again, and not handled again
    assert [reply.status for reply in peer.replies] == [202, 202]
    assert len(taken) == 1
    peer.agent.ignore_notifies("call", "ours")
    assert peer.deliver(NOTIFY.replace("z9hG4bK1", "z9hG4bK2"))
    assert peer.replies[-1].status == 481


@pytest.mark.parametrize(("old", "new"), [("tag=ours", "tag=else"), ("Call-ID: call", "Call-ID: else")])
def test_notify_of_no_dialog_of_ours_is_answered_by_481(old: str, new: str) -> None:
    peer = Peer()
    peer.agent.handle_notifies("call", "ours", lambda notify, answer: answer(200, ""))
    assert peer.deliver(NOTIFY.replace(old, new))
    assert [reply.status for reply in peer.replies] == [481]


def test_notify_that_cannot_be_read_is_answered_by_400() -> None:
    peer = Peer()
    assert peer.deliver(NOTIFY.replace("Call-ID: call", "X-Call: call"))
    assert peer.replies[-1].status == 400

    def handler(notify: Request, answer: Answer) -> None:
        raise RemoteError(489, "Bad Event")

    peer.agent.handle_notifies("call", "ours", handler)
    assert peer.deliver(NOTIFY)
    assert peer.replies[-1].status == 489


def test_other_requests_are_the_callers() -> None:
    peer = Peer()
    assert not peer.deliver(NOTIFY.replace("NOTIFY", "MESSAGE"))
    assert peer.replies == []
    assert peer.layer.servers_in_use == 0
