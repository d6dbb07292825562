from __future__ import annotations

import pytest

from openpy.sip.dialog import Dialog
from openpy.sip.errors import RemoteError
from openpy.sip.message import Request, Response, parse_message

HEADERS = (
    "From: <sip:bob@x>;tag=b\r\nCall-ID: c1\r\nCSeq: 8 SUBSCRIBE\r\n"
    "Record-Route: <sip:p1;lr>, <sip:p2;lr>\r\nRecord-Route: <sip:p3;lr>\r\n"
)


def subscribe(contact: str = "<sip:bob@host:5070;ob>") -> Request:
    head = f"SUBSCRIBE sip:alice@y SIP/2.0\r\n{HEADERS}To: <sip:alice@y>\r\nContact: {contact}\r\n\r\n"
    message = parse_message(head.encode())
    assert isinstance(message, Request)
    return message


def accepted() -> Response:
    message = parse_message(
        f"SIP/2.0 200 OK\r\n{HEADERS}To: <sip:alice@y>;tag=a\r\nContact: sip:pres@server\r\n\r\n".encode()
    )
    assert isinstance(message, Response)
    return message


def test_uas_keeps_the_route_set_in_order() -> None:
    dialog = Dialog.from_request(subscribe(), "a")
    assert (dialog.call_id, dialog.local_tag, dialog.remote_tag) == ("c1", "a", "b")
    assert (dialog.local_uri, dialog.remote_uri) == ("sip:alice@y", "sip:bob@x")
    assert dialog.target == "sip:bob@host:5070;ob"
    assert dialog.route_set == ("<sip:p1;lr>", "<sip:p2;lr>", "<sip:p3;lr>")
    assert (dialog.local_cseq, dialog.remote_cseq) == (0, 8)


def test_uac_reverses_it() -> None:
    dialog = Dialog.from_response(subscribe(), accepted())
    assert (dialog.call_id, dialog.local_tag, dialog.remote_tag) == ("c1", "b", "a")
    assert (dialog.local_uri, dialog.remote_uri) == ("sip:bob@x", "sip:alice@y")
    assert dialog.target == "sip:pres@server"
    assert dialog.route_set == ("<sip:p3;lr>", "<sip:p2;lr>", "<sip:p1;lr>")
    assert (dialog.local_cseq, dialog.remote_cseq) == (8, None)


@pytest.mark.parametrize("contact", ["*", "alice", ""])
def test_no_dialog_without_a_contact_uri(contact: str) -> None:
    with pytest.raises(RemoteError):
        Dialog.from_request(subscribe(contact), "a")


def dialog_with(*routes: str) -> Dialog:
    return Dialog(
        call_id="c",
        local_tag="l",
        remote_tag="r",
        local_uri="sip:l",
        remote_uri="sip:r",
        target="sip:t@h",
        route_set=routes,
    )


def test_direct() -> None:
    assert dialog_with().request_parts() == ("sip:t@h", (), "sip:t@h")


def test_loose_routing() -> None:
    dialog = dialog_with("<sip:p1;lr>", "<sip:p2>")
    assert dialog.request_parts() == ("sip:t@h", ("<sip:p1;lr>", "<sip:p2>"), "sip:p1;lr")


def test_strict_routing() -> None:
    dialog = dialog_with("<sip:p1;method=INVITE;x=y?a=b>", "<sip:p2;lr>")
    parts = dialog.request_parts()
    assert parts == ("sip:p1;x=y", ("<sip:p2;lr>", "<sip:t@h>"), "sip:p1;method=INVITE;x=y?a=b")
    assert dialog_with("<sip:p1>").request_parts() == ("sip:p1", ("<sip:t@h>",), "sip:p1")


def test_target_refresh() -> None:
    dialog = dialog_with()
    dialog.refresh_target(accepted())
    assert dialog.target == "sip:pres@server"
    ok = parse_message(b"SIP/2.0 200 OK\r\n\r\n")
    dialog.refresh_target(ok)
    assert dialog.target == "sip:pres@server"


def test_malformed_record_route_makes_no_dialog() -> None:
    head = b"SUBSCRIBE sip:a@y SIP/2.0\r\nFrom: <sip:b@x>;tag=b\r\nTo: <sip:a@y>\r\nCall-ID: c\r\nCSeq: 1 SUBSCRIBE\r\n"
    message = parse_message(head + b"Contact: <sip:b@h>\r\nRecord-Route: nonsense\r\n\r\n")
    assert isinstance(message, Request)
    with pytest.raises(RemoteError):
        Dialog.from_request(message, "a")
