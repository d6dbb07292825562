from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openpy.sip.errors import RemoteError
from openpy.sip.headers import STAR
from openpy.sip.message import Message, Request, Response, find_body, parse_message
from openpy.sip.places import header_lines

PUBLISH = (
    b"PUBLISH sip:alice@example.com SIP/2.0\r\n"
    b"v: SIP/2.0/UDP a.example;branch=z9hG4bK1, SIP/2.0/UDP b.example;branch=z9hG4bK2\r\n"
    b"VIA : SIP/2.0/TCP c.example;branch=z9hG4bK3\r\n"
    b"f:<sip:alice@example.com>;tag=1\r\n"
    b"To: <sip:alice@example.com>\r\n"
    b"i: x@y\r\n"
    b"CSEQ: 7 PUBLISH\r\n"
    b"Max-Forwards: 300\r\n"
    b"Expires: 99999999999\r\n"
    b"Event: presence;id=9\r\n"
    b"Supported: a,\r\n b , ,c\r\n"
    b"k: d\r\n"
    b"X-Odd: \xff\xc3\xbc\r\n"
    b"Contact: <sip:alice@a.example>\r\n"
    b"Content-Type: application/pidf+xml\r\n"
    b"l: 4\r\n"
    b"\r\n"
    b"body and more"
)


def request(data: bytes) -> Request:
    message = parse_message(data)
    assert isinstance(message, Request)
    return message


def response(data: bytes) -> Response:
    message = parse_message(data)
    assert isinstance(message, Response)
    return message


def test_request_parts() -> None:
    publish = request(PUBLISH)
    assert (publish.method, publish.uri, publish.version) == ("PUBLISH", "sip:alice@example.com", "SIP/2.0")
    assert not publish.repaired
    assert publish.body == b"body"
    assert publish.raw == PUBLISH.removesuffix(b" and more")
    assert publish.source is None
    assert repr(publish) == "<Request PUBLISH sip:alice@example.com>"


def test_structured_values() -> None:
    publish = request(PUBLISH)
    assert publish.via.branch == "z9hG4bK1"
    assert [via.branch for via in publish.vias] == ["z9hG4bK1", "z9hG4bK2", "z9hG4bK3"]
    assert publish.from_.tag == "1"
    assert publish.to.tag == ""
    assert publish.call_id == "x@y"
    assert (publish.cseq.number, publish.cseq.method) == (7, "PUBLISH")
    assert publish.max_forwards == 255
    assert publish.expires == 2**32 - 1
    assert publish.content_length == 4
    assert publish.event is not None
    assert publish.event.id == "9"
    assert publish.content_type is not None
    assert publish.content_type.full == "application/pidf+xml"
    assert isinstance(publish.contacts, list)
    assert publish.contacts[0].uri_text == "sip:alice@a.example"
    assert publish.vias is publish.vias
    assert publish.to is publish.to


def test_values_by_name() -> None:
    publish = request(PUBLISH)
    assert publish.get("Call-ID") == publish.get("call-id") == publish.get("I") == "x@y"
    assert publish.get("Route") is None
    assert publish.has("Supported")
    assert publish.has("k")
    assert not publish.has("Route")
    assert publish.all("Supported") == ["a, b , ,c", "d"]
    assert publish.all("Route") == []
    assert publish.all("from") == ["<sip:alice@example.com>;tag=1"]
    assert publish.values("k") == ["a", "b", "c", "d"]
    assert set(publish.repeats()) == {"Via", "Supported"}
    assert [publish.count(name) for name in ("v", "From", "t", "Route")] == [2, 1, 1, 0]
    odd = publish.get("x-odd")
    assert odd is not None
    assert odd.encode("utf-8", "surrogateescape") == b"\xff\xc3\xbc"


def test_absent_values() -> None:
    options = request(b"OPTIONS sip:a@b SIP/2.0\r\n\r\n")
    assert (options.max_forwards, options.content_length, options.expires) == (None, None, None)
    assert (options.event, options.content_type, options.contacts) == (None, None, [])
    assert options.repeats() == ()
    assert header_lines(options) == []
    for name in ("via", "vias", "from_", "to", "call_id", "cseq"):
        with pytest.raises(RemoteError, match="Missing"):
            getattr(options, name)


def test_star_contact() -> None:
    assert request(b"REGISTER sip:b SIP/2.0\r\nm: *\r\n\r\n").contacts is STAR


@pytest.mark.parametrize("text", ["soon", "-1", "Thu, 01 Dec 1994 16:00:00 GMT", ""])
def test_malformed_expires_is_refused_when_read(text: str) -> None:
    message = request(f"PUBLISH sip:b SIP/2.0\r\nExpires: {text}\r\n\r\n".encode())
    with pytest.raises(RemoteError) as caught:
        _ = message.expires
    assert caught.value.status == 400


def test_response_parts() -> None:
    ok = response(b"SIP/2.0 200 All is well\r\nCSeq: 1 NOTIFY\r\n\r\n")
    assert (ok.version, ok.status, ok.reason) == ("SIP/2.0", 200, "All is well")
    assert repr(ok) == "<Response 200 All is well>"
    assert response(b"sip/2.0 100 \r\n\r\n").reason == ""
    assert response(b"SIP/2.0 100\r\n\r\n").status == 100
    assert response(b"SIP/2.0 4294967301 no\r\n\r\n").status == 4294967301


@pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
def test_line_ends(ending: bytes) -> None:
    data = b"\r\n\r\nOPTIONS sip:a@b SIP/2.0\nTo: x\n  y\nSubject: z\nContent-Length: 1\n\nbody\r\n\r\n"
    message = request(data.replace(b"\r\n", b"\n").replace(b"\n", ending))
    assert message.get("To") == "x y"
    assert message.get("Subject") == "z"
    assert message.body == b"b"
    assert message.raw.startswith(b"OPTIONS")
    assert [line.canonical for line in header_lines(message)] == ["To", "Subject", "Content-Length"]


def test_mixed_line_ends_end_the_head_at_the_first_empty_line() -> None:
    message = request(b"OPTIONS sip:a@b SIP/2.0\r\nTo: x\n\nFrom: y\r\n\r\n")
    assert not message.has("From")
    assert message.body == b"From: y\r\n\r\n"
    assert find_body(b"a\n\r\nb") == (1, 4)
    assert find_body(b"a\r\n\nb") == (1, 4)
    assert find_body(b"a\r\n\rb") == (-1, -1)


@pytest.mark.parametrize(
    ("length", "body"),
    [(b"2", b"ab"), (b"9", b"abcd"), (b"-1", b"abcd"), (b"x", b"abcd"), (b"", b"abcd"), (b"0", b"")],
)
def test_d56_body_ends_where_content_length_says(length: bytes, body: bytes) -> None:
    message = request(b"OPTIONS sip:a@b SIP/2.0\r\nContent-Length: " + length + b"\r\n\r\nabcd")
    assert message.body == body
    assert message.raw.endswith(b"\r\n\r\n" + body)


@pytest.mark.parametrize("line", [b"no colon", b": no name", b"sp ace: x", b"n\xc3\xa4me: x"])
def test_a_line_that_is_no_header_is_a_defect(line: bytes) -> None:
    message = request(b"OPTIONS sip:a@b SIP/2.0\r\n" + line + b"\r\nTo: x\r\n\r\n")
    assert message.defect == "Malformed header line"
    assert message.get("To") == "x"


def test_continuation_of_the_start_line_is_a_defect() -> None:
    message = request(b"OPTIONS sip:a@b SIP/2.0\r\n folded\r\nTo: x\r\n y\r\n\r\n")
    assert message.uri == "sip:a@b"
    assert message.defect
    assert message.get("To") == "x y"


@pytest.mark.parametrize(
    ("line", "uri"),
    [
        ("INVITE <sip:a@b> SIP/2.0", "sip:a@b"),
        ("INVITE  sip:a@b\tSIP/2.0 ", "sip:a@b"),
        ("INVITE sip:a@b; lr SIP/2.0", "sip:a@b;lr"),
        ("INVITE sip:a?b@c?Route=%3Csip:d%3E SIP/2.0", "sip:a?b@c"),
    ],
)
def test_repaired_request_line(line: str, uri: str) -> None:
    invite = request(line.encode() + b"\r\n\r\n")
    assert (invite.method, invite.uri, invite.version) == ("INVITE", uri, "SIP/2.0")
    assert invite.repaired


@pytest.mark.parametrize(
    "line", ["INVITE sip:a?b@c SIP/2.0", "INVITE tel:+1?x SIP/2.0", "INVITE sip:a@b sip/2.0"]
)
def test_unusual_but_right_request_line(line: str) -> None:
    invite = request(line.encode() + b"\r\n\r\n")
    assert f"{invite.method} {invite.uri} {invite.version}" == line
    assert not invite.repaired


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\r\n\r\n",
        b"OPTIONS sip:a@b SIP/2.0\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"OPTIONS sip:a@b\r\n\r\n",
        b"SIP/2.0 \r\n\r\n",
        b"SIP/2.0 abc x\r\n\r\n",
        b"SIP/2.0 \xd9\xa1\xd9\xa1\xd9\xa1 x\r\n\r\n",
        b"SIP/2.0 " + b"2" * 5000 + b" x\r\n\r\n",
    ],
)
def test_no_message(data: bytes) -> None:
    with pytest.raises(RemoteError):
        parse_message(data)


NAMES = st.sampled_from(["To", "from", "X-Own", "VIA", "k", "m", "Subject", "subject"])
VALUES = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=20)


@settings(max_examples=100)
@given(st.lists(st.tuples(NAMES, VALUES), max_size=8), st.binary(max_size=20))
def test_parsing_undoes_writing(pairs: list[tuple[str, str]], body: bytes) -> None:
    lines = "".join(f"{name}: {value}\r\n" for name, value in pairs)
    data = f"MESSAGE sip:a@b SIP/2.0\r\n{lines}\r\n".encode() + body
    message: Message = parse_message(data)
    assert message.raw == data
    assert message.body == body
    assert message.defect == ""
    for line, (name, value) in zip(header_lines(message), pairs, strict=True):
        assert (line.name, line.value) == (name, value.strip(" \t"))
        assert line.value in message.all(name)
    assert sum(len(message.all(name)) for name in {line.canonical for line in header_lines(message)}) == len(
        pairs
    )


def test_a_head_that_ends_in_a_bare_line_end_ends_there() -> None:
    message = parse_message(b"OPTIONS sip:a SIP/2.0\nTo: <sip:a>\n\nbody\r\n\r\nmore")
    assert (message.get("To"), message.body, message.defect) == ("<sip:a>", b"body\r\n\r\nmore", "")


@pytest.mark.parametrize(
    ("length", "body", "defect"),
    [
        ("3", b"one", ""),
        ("9", b"one two", "Content-Length larger than message"),
        ("x", b"one two", "Malformed Content-Length"),
    ],
)
def test_d56_a_length_that_cannot_be_right_leaves_the_body(length: str, body: bytes, defect: str) -> None:
    message = parse_message(f"OPTIONS sip:a SIP/2.0\r\nContent-Length: {length}\r\n\r\none two".encode())
    assert (message.body, message.defect) == (body, defect)


def test_what_copies_of_a_request_share() -> None:
    head = "OPTIONS sip:a SIP/2.0\r\nf: <sip:a@x>;tag=1\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\n"

    def identity(more: str) -> object:
        found = parse_message(f"{head}{more}\r\n".encode())
        assert isinstance(found, Request)
        return found.identity()

    assert identity("To: <sip:b@x>\r\n") == (" <sip:a@x>;tag=1", " c", " 1 OPTIONS")
    assert identity("To: <sip:b@x>;tag=2\r\n") is None
    assert identity("") is None
