from __future__ import annotations

import time

import pytest

from openpy.modules.msilo.messages import (
    LATEST,
    Message,
    NotKept,
    Owner,
    Stored,
    content_types,
    due_time,
    notice,
    owner_of,
    read,
    sent_later,
)
from openpy.sip.message import Request, parse_message
from openpy.testing.messages import Header, request

BOB = Owner("bob", "example.com")
NOW = 1_700_000_000
KEPT = Message("sip:alice@example.com", BOB.uri, BOB, NOW, NOW + 60, 0, "text/plain", b"hello")
DATE = f"[Offline message - {time.ctime(NOW)}] ".encode()


def message(body: bytes = b"hello", **headers: Header) -> Request:
    given: dict[str, Header] = {"Content-Type": "text/plain", **headers}
    found = parse_message(request("MESSAGE", "sip:bob@192.0.2.7", {"To": f"<{BOB.uri}>;x=1", **given}, body))
    assert isinstance(found, Request)
    return found


@pytest.mark.parametrize(
    ("uri", "fold", "owner"),
    [
        ("sip:Bob@Example.COM:5070;x", False, Owner("Bob", "example.com")),
        ("sips:Bob@example.com", True, BOB),
        ("sip:b%6Fb@example.com", False, BOB),
    ],
)
def test_whose_it_is(uri: str, fold: bool, owner: Owner) -> None:
    assert owner_of(uri, fold=fold) == owner


@pytest.mark.parametrize("uri", ["", "bob", "sip:example.com", "tel:+1", "None"])
def test_whose_it_cannot_be(uri: str) -> None:
    with pytest.raises(NotKept, match="nobody's address"):
        owner_of(uri, fold=False)


def test_what_is_kept() -> None:
    assert read(message(), BOB, NOW, 60) == KEPT
    body = b"\x00\xff\r\n" * 3
    odd = read(message(body, **{"Content-Type": 'Multipart/Mixed;boundary="a b"'}), BOB, NOW, 60, 5)
    assert (odd.body, odd.content_type, odd.due) == (body, 'Multipart/Mixed;boundary="a b"', 5)


@pytest.mark.parametrize(("wanted", "kept"), [(None, 60), (3600, 60), (7, 7), ("x", 60), (2**40, 60)])
def test_for_how_long(wanted: str | int | None, kept: int) -> None:
    assert read(message(Expires=wanted), BOB, NOW, 60).expires == NOW + kept


def test_time_ends_with_its_column() -> None:
    assert read(message(), BOB, NOW, LATEST).expires == LATEST


@pytest.mark.parametrize(
    ("headers", "body", "why"),
    [
        ({}, b"", "no body"),
        ({"Content-Type": None}, b"x", "Malformed media type"),
        ({"Content-Type": "text"}, b"x", "Malformed media type"),
        ({"Content-Encoding": "gzip"}, b"x", "encoded"),
        ({"Expires": 0}, b"x", "expired"),
        ({"From": "<>;tag=1"}, b"x", "URI"),
    ],
)
def test_what_is_not_kept(headers: dict[str, Header], body: bytes, why: str) -> None:
    with pytest.raises(NotKept, match=why):
        read(message(body, **headers), BOB, NOW, 60)


@pytest.mark.parametrize(
    ("text", "others"),
    [
        ("text/plain;format=flowed;charset=utf-8", ["text/plain;charset=utf-8"]),
        ("Text/Plain;format=flowed", ["text/plain"]),
        ("multipart/mixed;boundary=x", []),
    ],
)
def test_what_a_narrow_column_may_say(text: str, others: list[str]) -> None:
    assert list(content_types(text)) == [text, *others]


def test_when_it_is_due() -> None:
    assert due_time("20261124060000") == time.mktime((2026, 11, 24, 6, 0, 0, 0, 0, -1))
    for text in ("", "2026112406000", "20261324060000", "2026112406000x", "\u0662" * 14):
        with pytest.raises(ValueError):  # noqa: PT011 - of several origins
            due_time(text)


# --- what is sent ----------------------------------------------------------------------------------------


def test_a_message() -> None:
    sent = sent_later(Stored(1, KEPT), "Offline", KEPT.sender, "t0", next_hop="sip:p")
    assert (sent.method, sent.uri, sent.next_hop) == ("MESSAGE", BOB.uri, "sip:p")
    assert (sent.from_, sent.to) == ("<sip:alice@example.com>;tag=t0", f"<{BOB.uri}>")
    assert (sent.call_id, sent.cseq, sent.body) == ("t0", 10, DATE + b"hello")
    assert sent.headers.splitlines() == [
        "Date: Tue, 14 Nov 2023 22:13:20 GMT",
        "Content-Type: text/plain",
        "Contact: <sip:alice@example.com>;msilo=yes",
    ]


@pytest.mark.parametrize(
    ("recipient", "uri"),
    [
        ("sip:Bob@example.com:5070", "sip:Bob@example.com:5070"),
        ("sip:sales@example.com", BOB.uri),
        ("no URI", BOB.uri),
    ],
)
def test_where_it_goes(recipient: str, uri: str) -> None:
    stored = Stored(1, KEPT._replace(recipient=recipient))
    sent = sent_later(stored, "Offline", KEPT.sender, "t0")
    assert (sent.uri, sent.to) == (uri, f"<{recipient}>")


@pytest.mark.parametrize(
    ("content_type", "dated"),
    [
        ("text/plain", True),
        ("TEXT/plain; charset=UTF-8", True),
        ('text/plain;charset="iso-8859-1"', True),
        ("text/plain;charset=utf-16", False),
        ("text/plain;charset=ebcdic-cp-us", False),
        ("text/plain;charset=base64", False),
        ("text/plain;charset=nobody-knows", False),
        ("text/html", False),
        ("message/cpim", False),
        ("application/im-iscomposing+xml", False),
        ("", True),
        ("broken", False),
    ],
)
def test_where_the_date_stands(content_type: str, dated: bool) -> None:
    stored = Stored(1, KEPT._replace(content_type=content_type, body=b"\xe9\x00"))
    assert sent_later(stored, "Offline", KEPT.sender, "t").body == DATE * dated + b"\xe9\x00"
    assert sent_later(stored, "Offline", KEPT.sender, "t", dated=False).body == b"\xe9\x00"


def test_a_row_adds_no_header() -> None:
    stored = Stored(1, KEPT._replace(content_type="text/plain\r\nX-Evil: 1"))
    lines = sent_later(stored, "Offline", KEPT.sender, "t").headers.splitlines()
    assert lines[1] == "Content-Type: text/plain  X-Evil: 1"


def test_a_notice() -> None:
    told = notice(KEPT, "sip:alice@192.0.2.1", "sip:registrar@example.com", "t0", "sip:p")
    assert (told.uri, told.to) == ("sip:alice@192.0.2.1", "<sip:alice@example.com>")
    assert told.from_ == "<sip:registrar@example.com>;tag=t0"
    assert told.body == (
        b"User [sip:bob@example.com] is offline. The message will be delivered when user goes online."
    )
    assert told.headers == "Content-Type: text/plain\r\nContact: <sip:registrar@example.com>;msilo=yes\r\n"
