from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openpy.sip.build import reply
from openpy.sip.errors import RemoteError
from openpy.sip.message import Request, Response, parse_message
from openpy.sip.places import header_lines
from openpy.sip.validity import LIMITS, Limits, check_request, check_response

LINES = {
    "start": "SUBSCRIBE sip:alice@example.com SIP/2.0",
    "Via": "SIP/2.0/UDP a.example:5060;branch=z9hG4bK1;rport",
    "From": '"Bob" <sip:bob@example.com>;tag=1',
    "To": "<sip:alice@example.com>",
    "Call-ID": "abc@a.example",
    "CSeq": "1 SUBSCRIBE",
    "Max-Forwards": "70",
    "Contact": "<sip:bob@a.example:5060;transport=udp>",
    "Content-Length": "2",
}


def verdict(extra: str = "", limits: Limits = LIMITS, /, **changes: str | None) -> tuple[int, str] | None:
    named = {name.replace("_", "-"): value for name, value in changes.items()}
    lines = {name: value for name, value in (LINES | named).items() if value is not None}
    start = lines.pop("start")
    head = start + "\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    message = parse_message((head + extra + "\r\n").encode() + b"ab")
    try:
        if isinstance(message, Request):
            check_request(message, limits)
        else:
            check_response(message, limits)
    except RemoteError as error:
        return error.status, error.reason
    return None


def test_a_usual_request_is_fine() -> None:
    assert verdict() is None


@pytest.mark.parametrize("name", ["Via", "From", "To", "Call_ID", "CSeq"])
def test_missing(name: str) -> None:
    assert verdict(**{name: None}) == (400, f"Missing {name.replace('_', '-')}")


@pytest.mark.parametrize("name", ["Max_Forwards", "Contact", "Content_Length"])
def test_may_be_missing(name: str) -> None:
    assert verdict(**{name: None}) is None


@pytest.mark.parametrize(
    "line", ["f: <sip:x@y>", "t: <sip:x@y>", "i: 2", "CSeq: 1 SUBSCRIBE", "Max-Forwards: 1", "l: 2"]
)
def test_repeated(line: str) -> None:
    found = verdict(line + "\r\n")
    assert found is not None
    assert found[0] == 400
    assert found[1].startswith("Two ")


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("Via", "SIP/2.0/UDP a;;branch=z9hG4bK1", "Malformed header parameter"),
        ("Via", "SIP/2.0/UDP a;branch=1,,", "Malformed Via"),
        ("Via", "", "Malformed Via"),
        ("From", "<sip:>", "Malformed URI host"),
        ("From", "alice", "Malformed URI"),
        ("To", "<sip:a@b", "Missing > after URI"),
        ("Subject", "a\rX: b", "Carriage return inside a line"),
        ("Via", "SIP/2.0/UDP a:99999;branch=b", "Malformed Via port"),
        ("start", "SUBSCRIBE sip:a@b:65536 SIP/2.0", "Malformed URI port"),
        ("Call_ID", "a b", "Malformed Call-ID"),
        ("Call_ID", "", "Malformed Call-ID"),
        ("CSeq", "SUBSCRIBE", "Malformed CSeq"),
        ("CSeq", "2147483648 SUBSCRIBE", "CSeq number too large"),
        ("CSeq", "1 subscribe", "CSeq method does not match"),
        ("Max_Forwards", "many", "Malformed Max-Forwards"),
        ("Contact", "<sip:a@b>;;", "Malformed header parameter"),
        ("Contact", "<sip:a@b>,", "Malformed URI"),
        ("Content_Length", "-2", "Malformed Content-Length"),
        ("Content_Length", "3", "Content-Length larger than message"),
        ("start", "SUBSCRIBE sip:a@b@c SIP/2.0", "Malformed URI user part"),
        ("start", "SUBSCRIBE alice SIP/2.0", "Malformed URI"),
    ],
)
def test_malformed(name: str, value: str, reason: str) -> None:
    assert verdict(**{name: value}) == (400, reason)


def test_line_ends_may_be_bare_but_no_return_may() -> None:
    head = "".join(f"{name}: {value}\n" for name, value in LINES.items() if name != "start")
    message = parse_message(f"{LINES['start']}\n{head}\nab".encode())
    assert isinstance(message, Request)
    check_request(message)
    message = parse_message(f"{LINES['start']}\n{head}Subject: a\rb\n\nab".encode())
    assert isinstance(message, Request)
    with pytest.raises(RemoteError, match="Carriage return"):
        check_request(message)


def test_line_that_is_no_header() -> None:
    assert verdict("what\r\n") == (400, "Malformed header line")


@pytest.mark.parametrize(
    ("start", "found"),
    [
        ("SUBSCRIBE sip:alice@example.com SIP/3.0", (505, "Version Not Supported")),
        ("SUBSCRIBE sip:alice@example.com sip/2.0", None),
        ("SUBSCRIBE http://example.com SIP/2.0", (416, "Unsupported URI Scheme")),
        ("SUBSCRIBE tel:+123 SIP/2.0", None),
        ("SUBSCRIBE sips:a%00b@[::1]:1 SIP/2.0", None),
    ],
)
def test_start_line(start: str, found: tuple[int, str] | None) -> None:
    assert verdict(start=start) == found


@pytest.mark.parametrize(
    "changes",
    [
        {"Via": "SIP / 2.0 / UDP a , SIP/2.0/X b"},
        {"From": "sip:bob@example.com"},
        {"To": "isbn:2983792873"},
        {"CSeq": "2147483647 SUBSCRIBE"},
        {"Max_Forwards": "300"},
        {"Contact": "*"},
        {"Contact": "<sip:a@b>, <sip:c@d>"},
    ],
)
def test_unusual_but_fine(changes: dict[str, str]) -> None:
    assert verdict(**changes) is None
    assert (
        verdict("v: SIP/2.0/TCP b;branch=2\r\nm: <sip:e@f>\r\n", **changes | {"Contact": "<sip:a@b>"}) is None
    )


def test_second_lines_are_checked_too() -> None:
    assert verdict("Via: nothing\r\n") == (400, "Malformed Via")
    assert verdict("Contact: nothing\r\n") == (400, "Malformed URI")


@pytest.mark.parametrize(
    ("changes", "dropped"),
    [
        ({}, False),
        ({"start": "SIP/2.0 700 No"}, True),
        ({"start": "SIP/2.0 99 No"}, True),
        ({"start": "SIP/3.0 200 OK"}, True),
        ({"CSeq": "9292394834772304023312 OPTIONS"}, True),
        ({"Via": None}, True),
    ],
)
def test_responses(changes: dict[str, str | None], dropped: bool) -> None:
    found = verdict(**{"start": "SIP/2.0 200 OK", **changes})
    assert (found is not None) == dropped


# What follows feeds anything at all: nothing but RemoteError may come out, in time linear in the size.


def everything(data: bytes) -> None:
    """Reads all that can be read of a message; RemoteError is the only way to fail."""
    try:
        message = parse_message(data)
    except RemoteError:
        return
    checks: list[Callable[[], object]] = [
        lambda: check_request(message) if isinstance(message, Request) else check_response(message),
        lambda: [message.values(name) for name in {line.canonical for line in header_lines(message)[:20]}],
    ]
    names = "via vias from_ to call_id cseq contacts max_forwards content_length expires event content_type"
    checks += [lambda name=name: getattr(message, name) for name in names.split()]  # type: ignore[misc]
    checks += [lambda: message.via.rport, lambda: message.from_.uri.aor(), lambda: message.to.tag]
    for check in checks:
        with contextlib.suppress(RemoteError):
            check()
    if isinstance(message, Request):
        message.source = ("192.0.2.1", 5060)
        answer = parse_message(reply(message, 400, "Bad Request", to_tag="x", record_route=True))
        assert isinstance(answer, Response)


PIECES = b'\r\n|\r\n\r\n|To:|<sip:a@b>|"|<|>|;|,|=|%| |\n |l: 5|f:|\xff|i: 1|m:|*|\x00|\\|[|:|rport|@'.split(
    b"|"
)
LINES_OF_USE = [
    b"INVITE sip:a@b SIP/2.0\r\n",
    b"SIP/2.0 200 OK\r\n",
    b"Via: SIP/2.0/UDP a;branch=b",
    b"CSeq: 1 INVITE",
]
FRAGMENTS = st.sampled_from(PIECES + LINES_OF_USE)


@settings(max_examples=300)
@given(st.binary(max_size=200) | st.lists(FRAGMENTS, max_size=40).map(b"".join))
def test_no_octets_raise_anything_else(data: bytes) -> None:
    everything(data)


HEAD = b"INVITE sip:a@b SIP/2.0\r\n"
COMPLETE = b"INVITE sip:a@b SIP/2.0\r\nFrom: <sip:a@b>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n"
UNITS = [
    b",",
    b";",
    b'"',
    b"<",
    b">",
    b"%",
    b" ",
    b"\\",
    b'\\"',
    b"a",
    b"@",
    b"=",
    b":",
    b"/",
    b"\t",
    b"\r",
    b"\xff",
]
UNITS += [
    b"1",
    b"0",
    b"a,",
    b";a",
    b";a=",
    b',"',
    b"<,",
    b'"<',
    b"\r\n ",
    b"\n\t",
    b";rport",
    b"?",
    b"&",
    b"[",
    b"%41",
]
UNITS += [b"<sip:a@b>,", b"SIP/2.0/UDP a,", b"SIP / 2.0 / UDP a ,", b"a ", b"a;b=c,", b'"a",', b'"\\a']
NAMES = b"Via From To Call-ID CSeq Contact Max-Forwards Expires Event Content-Type Supported l".split()
PLACES: dict[str, Callable[[bytes], bytes]] = {
    "start line": lambda junk: b"INVITE sip:" + junk + b" SIP/2.0\r\n\r\n",
    "method": lambda junk: junk + b" sip:a@b SIP/2.0\r\n\r\n",
    "reason": lambda junk: b"SIP/2.0 200 " + junk + b"\r\n\r\n",
    "Via": lambda junk: COMPLETE + b"To: <sip:a@b>\r\nVia: SIP/2.0/UDP a;branch=b" + junk + b"\r\n\r\n",
    "whole Via": lambda junk: COMPLETE + b"To: <sip:a@b>\r\nVia: " + junk + b"\r\n\r\n",
    "To": lambda junk: COMPLETE + b"Via: SIP/2.0/UDP a\r\nTo: " + junk + b"\r\n\r\n",
    "tail of To": lambda junk: COMPLETE + b"Via: SIP/2.0/UDP a\r\nTo: <sip:a@b>;a=" + junk + b"\r\n\r\n",
    "quoted": lambda junk: COMPLETE + b'Via: SIP/2.0/UDP a\r\nTo: "' + junk + b"<sip:a@b>\r\n\r\n",
    "Contact": lambda junk: (
        COMPLETE + b"Via: SIP/2.0/UDP a\r\nTo: <sip:a@b>\r\nContact: " + junk + b"\r\n\r\n"
    ),
    "all": lambda junk: (
        HEAD + b"".join(b"%b: %b\r\n" % (n, junk[: len(junk) // 12]) for n in NAMES) + b"\r\n"
    ),
    "names": lambda junk: HEAD + junk + b": x\r\n\r\n",
    "unended": lambda junk: HEAD + junk,
}


LIMIT = 0.1 if sys.gettrace() is None else 0.5
"""CPU seconds for 64 KiB of anything; a tracer (coverage) makes all of it slower."""


def cost(data: bytes) -> float:
    """CPU seconds, the best of five."""
    best = 1.0
    for _ in range(5):
        before = time.process_time()
        everything(data)
        best = min(best, time.process_time() - before)
    return best


def assert_linear(make: Callable[[int], bytes]) -> None:
    """64 KiB take less than LIMIT and at most 2.5 times the time of 32 KiB; a disturbed measurement is repeated."""
    for attempt in (1, 2, 3):
        small, large = cost(make(32768)), cost(make(65536))
        if large < LIMIT and large < 2.5 * small + 0.001:
            return
        assert attempt < 3, (make(65536)[:150], small, large)


@pytest.mark.parametrize("place", PLACES)
def test_time_is_linear(place: str) -> None:
    for unit in UNITS:
        junk = unit * (65536 // len(unit))
        assert_linear(lambda size, junk=junk: PLACES[place](junk[:size]))  # type: ignore[misc]


MANY = [b"a: b\r\n", b"Via: SIP/2.0/UDP a\r\n", b"a\r\n", b"a:\r\n b\r\n", b":\n", b"m:*\n", b"x-%d: y\r\n"]


@pytest.mark.parametrize("line", MANY)
def test_many_lines_take_linear_time(line: bytes) -> None:
    assert_linear(
        lambda size: (
            HEAD + b"".join(line.replace(b"%d", b"%d" % i) for i in range(size // len(line))) + b"\r\n"
        )
    )


CROWDED = "X: y\r\n" * 300


@pytest.mark.parametrize(
    ("extra", "limits", "found"),
    [
        (CROWDED, Limits(), (400, "Too many header lines")),
        (CROWDED, Limits(lines=1000), None),
        ("X: " + "y" * 2000 + "\r\n", Limits(), None),
        ("X: " + "y" * 2000 + "\r\n", Limits(head=2000), (513, "Message Too Large")),
        (
            "Record-Route: " + ",".join(["<sip:a>"] * 257) + "\r\n",
            Limits(),
            (400, "Too many Record-Route values"),
        ),
        ("Record-Route: " + ",".join(["<sip:a>"] * 256) + "\r\n", Limits(), None),
        ("v: " + ",".join(["SIP/2.0/UDP a"] * 256) + "\r\n", Limits(), (400, "Too many Via values")),
    ],
)
def test_what_is_too_much(extra: str, limits: Limits, found: tuple[int, str] | None) -> None:
    assert verdict(extra, limits) == found
    response = verdict(extra, limits, start="SIP/2.0 200 OK")
    assert response == found


def test_a_request_uri_that_is_too_long() -> None:
    def start(size: int) -> str:
        return "SUBSCRIBE sip:" + "a" * (size - 4) + " SIP/2.0"

    assert verdict(start=start(4096)) is None
    assert verdict(start=start(4097)) == (414, "Request-URI Too Long")
    assert verdict("", Limits(uri=299), start=start(300)) == (414, "Request-URI Too Long")


def test_the_contact_of_a_reply_is_checked_by_who_reads_it() -> None:
    head = (
        "Via: SIP/2.0/UDP a;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\nCall-ID: i\r\n"
    )
    reply = parse_message(f"SIP/2.0 200 OK\r\n{head}CSeq: 1 INVITE\r\nContact: nothing\r\n\r\n".encode())
    assert isinstance(reply, Response)
    check_response(reply)
    with pytest.raises(RemoteError):
        _ = reply.contacts
