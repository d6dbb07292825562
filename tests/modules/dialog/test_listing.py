"""What dlg_list shows."""

from __future__ import annotations

from openpy.engine.mi import Reply
from openpy.modules.dialog.listing import add_dialog
from openpy.modules.dialog.record import Dialog, Name
from openpy.modules.dialog.states import State
from tests.modules.dialog.test_rows import CALLEE, CALLER


def test_the_children() -> None:
    reply = Reply()
    add_dialog(reply, Dialog(Name(12, 345), "call", CALLER, CALLEE, State.CONFIRMED, 1000, 44200), 900)
    add_dialog(reply, Dialog(Name(12, 346), "ring", CALLER, CALLEE), 900)
    first, second = reply.nodes
    assert (first.name, first.value, first.attributes) == ("dialog", None, {"hash": "12:345"})
    assert [(child.name, child.value) for child in first.children] == [
        ("state", "4"),
        ("timestart", "100"),
        ("timeout", "43300"),
        ("callid", "call"),
        ("from_uri", "sip:a@x"),
        ("from_tag", "a"),
        ("caller_contact", "sip:a@192.0.2.1"),
        ("caller_cseq", "7"),
        ("caller_route_set", '<sip:p2;lr>,"A, B" <sip:p1;lr>'),
        ("caller_bind_addr", "udp:127.0.0.1:5060"),
        ("to_uri", "sip:b@x"),
        ("to_tag", "b"),
        ("callee_contact", "sip:b@192.0.2.9"),
        ("callee_cseq", "2147483647"),
        ("callee_route_set", ""),
        ("callee_bind_addr", "tcp:[::1]:5060"),
    ]
    assert [child.value for child in second.children[:3]] == ["1", "0", "0"]
