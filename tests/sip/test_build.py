from __future__ import annotations

import pytest

from openpy.sip.build import ack_for, cancel_for, reason_phrase, reply, request
from openpy.sip.errors import LocalError
from openpy.sip.message import Request, Response, parse_message

VIA = "SIP/2.0/UDP a.example:5070;branch=z9hG4bK1"
HEAD = "From: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: x@y\r\nCSeq: 3 INVITE\r\n"


def received(head: str, source: tuple[str, int] | None = ("192.0.2.1", 6000)) -> Request:
    message = parse_message(f"INVITE sip:c@d SIP/2.0\r\n{head}\r\n".encode("utf-8", "surrogateescape"))
    assert isinstance(message, Request)
    message.source = source
    return message


def read(data: bytes) -> Response:
    message = parse_message(data)
    assert isinstance(message, Response)
    return message


def test_reply_copies_what_the_request_has() -> None:
    invite = received(f"v: {VIA}\r\nVia: SIP/2.0/TCP b, SIP/2.0/UDP c\r\n{HEAD}Subject: s\r\n", None)
    assert (
        reply(invite, 200, "OK", to_tag="t", headers="Expires: 5\r\n", body=b"xyz")
        == (
            f"SIP/2.0 200 OK\r\nVia: {VIA}\r\nVia: SIP/2.0/TCP b, SIP/2.0/UDP c\r\n"
            "From: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=t\r\nCall-ID: x@y\r\nCSeq: 3 INVITE\r\n"
            "Expires: 5\r\nContent-Length: 3\r\n\r\nxyz"
        ).encode()
    )


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        ("<sip:c@d>", "<sip:c@d>;tag=t"),
        ("<sip:c@d;tag=0>", "<sip:c@d;tag=0>;tag=t"),
        ('"a;tag=0" <sip:c@d>', '"a;tag=0" <sip:c@d>;tag=t'),
        ("<sip:c@d>;tag=9", "<sip:c@d>;tag=9"),
        ("<sip:c@d> ; TAG = 9", "<sip:c@d> ; TAG = 9"),
        ("<sip:c@d>;x=1", "<sip:c@d>;x=1;tag=t"),
        ("<broken;a=b", "<broken;a=b"),
    ],
)
def test_to_tag_is_added_once(to: str, expected: str) -> None:
    invite = received(f"Via: {VIA}\r\nFrom: x\r\nTo: {to}\r\nCall-ID: 1\r\nCSeq: 3 INVITE\r\n")
    assert read(reply(invite, 486, "Busy Here", to_tag="t")).get("To") == expected
    assert read(reply(invite, 486, "Busy Here")).get("To") == to
    bare = received(f"Via: {VIA}\r\nTo: {to}\r\n")
    assert read(reply(bare, 400, "Bad Request", to_tag="t")).get("To") == expected


@pytest.mark.parametrize(
    ("via", "source", "expected"),
    [
        ("SIP/2.0/UDP 192.0.2.1;branch=b", ("192.0.2.1", 6000), "SIP/2.0/UDP 192.0.2.1;branch=b"),
        ("SIP/2.0/UDP a;branch=b", ("192.0.2.1", 6000), "SIP/2.0/UDP a;branch=b;received=192.0.2.1"),
        ("SIP/2.0/UDP [2001:DB8::1];branch=b", ("2001:db8::1", 6000), "SIP/2.0/UDP [2001:DB8::1];branch=b"),
        ("SIP/2.0/UDP [::1];branch=b", ("::2", 6000), "SIP/2.0/UDP [::1];branch=b;received=::2"),
        (
            "SIP/2.0/UDP a;branch=b;rport",
            ("192.0.2.1", 6000),
            "SIP/2.0/UDP a;branch=b;rport=6000;received=192.0.2.1",
        ),
        (
            "SIP/2.0/UDP a;rport;branch=b",
            ("192.0.2.1", 60),
            "SIP/2.0/UDP a;rport=60;received=192.0.2.1;branch=b",
        ),
        ("SIP/2.0/UDP a;rport, SIP/2.0/UDP c", ("h", 60), "SIP/2.0/UDP a;rport=60;received=h, SIP/2.0/UDP c"),
        ("SIP/2.0/UDP a, SIP/2.0/UDP c;rport", ("h", 60), "SIP/2.0/UDP a;received=h, SIP/2.0/UDP c;rport"),
        ("SIP/2.0/UDP a;received=9.9.9.9;b", ("h", 60), "SIP/2.0/UDP a;b;received=h"),
        ("SIP/2.0/UDP h;RECEIVED=9.9.9.9;B=2", ("h", 60), "SIP/2.0/UDP h;b=2;received=h"),
        (
            "SIP/2.0/UDP h;RECEIVED=9.9.9.9;branch=b;rport",
            ("h", 60),
            "SIP/2.0/UDP h;branch=b;rport=60;received=h",
        ),
        ("SIP/2.0/UDP h;BRANCH=B;RPORT", ("h", 60), "SIP/2.0/UDP h;branch=B;rport=60;received=h"),
        ("SIP/2.0/UDP a:1;rport=7;b=2", ("a", 60), "SIP/2.0/UDP a:1;b=2;rport=60;received=a"),
        ("nonsense", ("h", 60), "nonsense"),
        ("SIP/2.0/UDP a;branch=b;rport", None, "SIP/2.0/UDP a;branch=b;rport"),
    ],
)
def test_top_via_says_where_the_request_came_from(
    via: str, source: tuple[str, int] | None, expected: str
) -> None:
    answer = read(reply(received(f"Via: {via}\r\n{HEAD}", source), 200, "OK"))
    assert answer.get("Via") == expected
    assert read(reply(received(f"Via: {via}\r\n", source), 400, "Bad Request")).get("Via") == expected


@pytest.mark.parametrize(
    ("via", "expected"),
    [
        ("SIP/2.0/UDP a;branch=b", "SIP/2.0/UDP a;branch=b;rport=60;received=h"),
        ("SIP/2.0/UDP h:1;branch=b", "SIP/2.0/UDP h:1;branch=b;rport=60;received=h"),
        ("SIP/2.0/UDP a, SIP/2.0/UDP c", "SIP/2.0/UDP a;rport=60;received=h, SIP/2.0/UDP c"),
        ("SIP/2.0/UDP a;rport;branch=b", "SIP/2.0/UDP a;rport=60;received=h;branch=b"),
    ],
)
def test_a_via_can_be_taken_for_one_that_asks_for_the_port(via: str, expected: str) -> None:
    request = received(f"Via: {via}\r\n{HEAD}", ("h", 60))
    request.wants_rport = True
    assert read(reply(request, 200, "OK")).get("Via") == expected


def test_record_route_is_copied_if_asked() -> None:
    invite = received(
        f"Via: {VIA}\r\nRecord-Route: <sip:p1;lr>,<sip:p2;lr>\r\n{HEAD}Record-Route: <sip:p3>\r\n"
    )
    assert read(reply(invite, 200, "OK", record_route=True)).all("Record-Route") == [
        "<sip:p1;lr>,<sip:p2;lr>",
        "<sip:p3>",
    ]
    assert not read(reply(invite, 200, "OK")).has("Record-Route")


def test_request_without_headers_gets_a_reply() -> None:
    assert (
        reply(received(""), 400, "Bad Request", to_tag="t")
        == b"SIP/2.0 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
    )
    partial = read(
        reply(
            received(f"Via: {VIA}\r\nVia: SIP/2.0/UDP b\r\nCSeq: x\r\nTo: y\r\n"),
            400,
            "Bad Request",
            to_tag="t",
        )
    )
    assert partial.all("Via") == [VIA + ";received=192.0.2.1", "SIP/2.0/UDP b"]
    assert (partial.get("CSeq"), partial.get("To"), partial.has("From")) == ("x", "y;tag=t", False)


def test_octets_survive() -> None:
    invite = received(f"Via: {VIA}\r\nFrom: \udcff\r\nTo: ü\r\nCall-ID: 1\r\nCSeq: 3 INVITE\r\n")
    assert b"\r\nFrom: \xff\r\nTo: \xc3\xbc\r\n" in reply(invite, 200, "OK")


def test_reason_with_line_end_is_our_error() -> None:
    with pytest.raises(LocalError):
        reply(received(HEAD), 200, "OK\r\nX: y")


def test_reason_phrases() -> None:
    assert reason_phrase(423) == "Interval Too Brief"
    assert reason_phrase(499) == reason_phrase(498) == "Client Error"
    assert reason_phrase(799) == "Unknown"


def test_request() -> None:
    data = request(
        "NOTIFY",
        "sip:a@b",
        via=VIA,
        from_="<sip:c@d>;tag=1",
        to="<sip:a@b>;tag=2",
        call_id="x",
        cseq=5,
        routes=("<sip:p1;lr>", "<sip:p2;lr>"),
        headers="Event: presence\r\n",
        body=b"abc",
    )
    assert (
        data
        == (
            f"NOTIFY sip:a@b SIP/2.0\r\nVia: {VIA}\r\nRoute: <sip:p1;lr>\r\nRoute: <sip:p2;lr>\r\nMax-Forwards: 70\r\n"
            "From: <sip:c@d>;tag=1\r\nTo: <sip:a@b>;tag=2\r\nCall-ID: x\r\nCSeq: 5 NOTIFY\r\nEvent: presence\r\n"
            "Content-Length: 3\r\n\r\nabc"
        ).encode()
    )
    with pytest.raises(LocalError):
        request("NOTIFY", "sip:a@b\r\nX: y", via=VIA, from_="a", to="b", call_id="x", cseq=5)


def test_ack_and_cancel_repeat_the_request() -> None:
    invite = received(f"Via: {VIA}, SIP/2.0/UDP z\r\nRoute: <sip:p;lr>\r\n{HEAD}")
    busy = read(reply(invite, 486, "Busy Here", to_tag="t"))
    ack, cancel = parse_message(ack_for(invite, busy)), parse_message(cancel_for(invite.raw))
    for message, method, to in ((ack, "ACK", "<sip:c@d>;tag=t"), (cancel, "CANCEL", "<sip:c@d>")):
        assert isinstance(message, Request)
        assert (message.method, message.uri) == (method, "sip:c@d")
        assert (message.cseq.number, message.cseq.method) == (3, method)
        assert message.all("Via") == [VIA]
        assert message.all("Route") == ["<sip:p;lr>"]
        assert (message.get("To"), message.call_id, message.from_.tag) == (to, "x@y", "1")


def test_no_cancel_of_what_is_no_request() -> None:
    for data in (b"SIP/2.0 200 OK\r\n\r\n", b"INVITE sip:a@b SIP/2.0\r\n\r\n"):
        with pytest.raises(LocalError):
            cancel_for(data)


def test_a_100_alone_says_when_the_request_was_sent() -> None:
    invite = received(f"Via: {VIA}\r\n{HEAD}Timestamp: 54.3 0.1\r\n")
    assert read(reply(invite, 100, "Trying")).all("Timestamp") == ["54.3 0.1"]
    assert not read(reply(invite, 180, "Ringing")).has("Timestamp")
    assert not read(reply(received(f"Via: {VIA}\r\n{HEAD}"), 100, "Trying")).has("Timestamp")
