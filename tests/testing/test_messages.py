"""Messages from a few words."""

from __future__ import annotations

import pytest

from openpy.sip.message import Request, Response, parse_message
from openpy.sip.validity import check_request, check_response
from openpy.testing.messages import SDP, named, pidf, reply, request

URI = "sip:bob@example.com"


def made(method: str, headers: dict[str, object] | None = None, **options: object) -> Request:
    message = parse_message(request(method, URI, headers, **options))  # type: ignore[arg-type]
    assert isinstance(message, Request)
    return message


@pytest.mark.parametrize(
    "method", ["OPTIONS", "INVITE", "PUBLISH", "REGISTER", "SUBSCRIBE", "NOTIFY", "REFER", "ACK", "INFO"]
)
def test_a_request_is_complete_without_a_word(method: str) -> None:
    message = made(method)
    check_request(message)
    assert (message.method, message.uri, message.cseq.method) == (method, URI, method)
    assert message.get("To") == f"<{URI}>"


@pytest.mark.parametrize(
    ("method", "name", "value"),
    [
        ("PUBLISH", "Event", "presence"),
        ("PUBLISH", "Expires", "3600"),
        ("PUBLISH", "Content-Type", "application/pidf+xml"),
        ("SUBSCRIBE", "Contact", "<sip:alice@192.0.2.1:5060>"),
        ("REGISTER", "Contact", "<sip:alice@192.0.2.1:5060>"),
        ("INVITE", "Content-Type", "application/sdp"),
        ("OPTIONS", "Contact", None),
    ],
)
def test_what_a_method_has_besides(method: str, name: str, value: str | None) -> None:
    assert made(method).get(name) == value


def test_bodies_that_are_filled_in() -> None:
    assert made("PUBLISH").body == pidf(URI)
    assert made("INVITE").body == SDP
    assert made("INVITE", body=b"").has("Content-Type") is False
    assert made("PUBLISH", body="x").body == b"x"
    assert made("PUBLISH", {"Content_Type": "text/plain"}).body == b""
    assert b"<note>away</note>" in pidf(URI, "closed", "away")


def test_what_is_said_replaces_what_would_be_filled_in() -> None:
    message = made("PUBLISH", {"expires": 60, "From": "<sip:x@y>;tag=1", "Event": None, "X": ["1", "2"]})
    assert message.expires == 60
    assert message.all("From") == ["<sip:x@y>;tag=1"]
    assert not message.has("Event")
    assert message.all("X") == ["1", "2"]


def test_braces_that_were_said_stay() -> None:
    assert made("OPTIONS", {"X": "{contact}"}).get("X") == "{contact}"


def test_where_it_comes_from() -> None:
    message = made("REGISTER", source=("tcp", "192.0.2.9", 5070), number=7)
    assert (message.via.transport, message.via.host, message.via.port) == ("TCP", "192.0.2.9", 5070)
    assert message.get("Contact") == "<sip:alice@192.0.2.9:5070;transport=tcp>"
    assert message.call_id != made("REGISTER").call_id


def test_names_are_those_of_headers() -> None:
    assert named({"SIP_If_Match": "a", "call_id": "b"}) == {"SIP-If-Match": "a", "Call-ID": "b"}


@pytest.mark.parametrize(
    ("status", "reason", "phrase", "tag"),
    [(100, None, "Trying", ""), (180, None, "Ringing", "peer"), (486, "Out", "Out", "peer")],
)
def test_a_reply_of_the_next_hop(status: int, reason: str | None, phrase: str, tag: str) -> None:
    invite = made("INVITE", {"Record-Route": ["<sip:a>", "<sip:b>"]})
    message = parse_message(reply(invite, status, reason, {"Contact": "<sip:b@c>"}, "x"))
    assert isinstance(message, Response)
    check_response(message)
    assert (message.status, message.reason, message.to.tag, message.body) == (status, phrase, tag, b"x")
    assert message.all("Record-Route") == ["<sip:a>", "<sip:b>"]
    assert message.get("Contact") == "<sip:b@c>"


def test_a_tag_that_is_there_stays() -> None:
    bye = made("BYE", {"To": f"<{URI}>;tag=b"})
    assert parse_message(reply(bye, 200)).to.tag == "b"
