"""What messages say about the sides of a dialog."""

from __future__ import annotations

import pytest

from openpy.modules.dialog.legs import callee_of, caller_of, contact_of, other_callee, ours, socket_of
from openpy.sip.message import Request, Response, parse_message
from openpy.testing.messages import reply, request
from tests.engine.kit import KeptFlow

FLOW = KeptFlow([])
IS_OURS = ours("did", "1.2")
OWN, OWN_PAIR = "<sip:127.0.0.1;lr;did=1.2>", "<sip:127.0.0.1;r2=on;lr;did=1.2>"
P1, P2, P3 = "<sip:p1;lr>", "<sip:p2;lr;did=1.23>", "<sip:p3;lr>"


def invite(*recorded: str, **headers: str) -> Request:
    made = parse_message(
        request("INVITE", "sip:bob@192.0.2.9", {"Record-Route": list(recorded), **headers}, "")
    )
    assert isinstance(made, Request)
    return made


def accepted(asked: Request, *recorded: str, contact: str = "<sip:bob@192.0.2.9:5070>") -> Response:
    made = parse_message(reply(asked, 200, None, {"Record-Route": list(recorded), "Contact": contact}))
    assert isinstance(made, Response)
    return made


def test_the_caller() -> None:
    leg = caller_of(invite(P2, P1), FLOW)
    assert (leg.tag, leg.uri, leg.cseq) == ("alice", "sip:alice@example.com", 1)
    assert (leg.contact, leg.socket) == ("sip:alice@192.0.2.1:5060", "udp:127.0.0.1:5060")
    assert leg.routes == (P2, P1)


@pytest.mark.parametrize(
    ("before", "recorded", "routes"),
    [
        ((), (OWN,), ()),
        ((P1,), (P3, P2, OWN, P1), (P2, P3)),
        ((P1,), (P2, OWN_PAIR, OWN_PAIR, P1), (P2,)),
        ((P1,), (P3, P2, P1), (P2, P3)),
        ((), (), ()),
        ((P1, P2), (P1,), ()),
        ((), ("<sip:p1", OWN), ()),
    ],
)
def test_routes_to_the_callee(
    before: tuple[str, ...], recorded: tuple[str, ...], routes: tuple[str, ...]
) -> None:
    asked = invite(*before)
    leg = callee_of(asked, accepted(asked, *recorded), FLOW, IS_OURS)
    assert leg.routes == routes
    assert (leg.tag, leg.uri, leg.contact) == ("peer", "sip:bob@192.0.2.9", "sip:bob@192.0.2.9:5070")


def test_another_callee() -> None:
    ack = parse_message(
        request("ACK", "sip:carol@192.0.2.8", {"To": "<sip:bob@x>;tag=c", "Route": f"{OWN}, {P2}"}, "")
    )
    assert isinstance(ack, Request)
    leg = other_callee(ack, "sip:carol@192.0.2.8", IS_OURS)
    assert (leg.tag, leg.contact, leg.routes, leg.socket) == ("c", "sip:carol@192.0.2.8", (P2,), "")


@pytest.mark.parametrize("contact", ["*", "<sip:", "<>"])
def test_a_contact_that_says_nothing(contact: str) -> None:
    asked = invite()
    assert contact_of(accepted(asked, contact=contact)) in ("", "sip:")


def test_sockets_of_ipv6() -> None:
    flow = KeptFlow([], "tcp", local_host="2001:db8::1", local_port=5062)
    assert socket_of(flow) == "tcp:[2001:db8::1]:5062"
