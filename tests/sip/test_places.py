from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from openpy.sip.message import parse_message
from openpy.sip.names import canonical_name
from openpy.sip.places import first_place, header_lines, places

PUBLISH = (
    b"PUBLISH sip:alice@example.com SIP/2.0\r\n"
    b"v: SIP/2.0/UDP a;branch=z9hG4bK1\r\n"
    b"VIA : SIP/2.0/UDP b\r\n"
    b"f: <sip:alice@example.com>;tag=1\r\n"
    b"Supported: a,\r\n b , ,c\r\n"
    b"l: 4\r\n"
    b"\r\nbody"
)


def test_header_lines_have_their_place() -> None:
    publish = parse_message(PUBLISH)
    lines = header_lines(publish)
    assert [line.name for line in lines[:3]] == ["v", "VIA ", "f"]
    assert [line.canonical for line in lines[:3]] == ["Via", "Via", "From"]
    assert lines[-1].value == "4"
    folded = next(line for line in lines if line.canonical == "Supported")
    assert folded.value == "a, b , ,c"
    assert publish.raw[folded.start : folded.end] == b"Supported: a,\r\n b , ,c\r\n"
    start = publish.raw.index(b"\n") + 1
    assert b"".join(publish.raw[line.start : line.end] for line in lines) + b"\r\nbody" == publish.raw[start:]


def test_a_line_that_is_folded_before_its_colon_stands_where_it_is_found() -> None:
    message = parse_message(b"OPTIONS sip:a@b SIP/2.0\r\nSubject\r\n : lunch\r\nFrom: <sip:a@b>\r\n\r\n")
    assert message.all("Subject") == ["lunch"]
    lines = [(line.canonical, message.raw[line.start : line.end]) for line in header_lines(message)]
    assert lines == [("Subject", b"Subject\r\n : lunch\r\n"), ("From", b"From: <sip:a@b>\r\n")]


LINES = st.lists(
    st.sampled_from(
        [
            "Via: SIP/2.0/UDP a;branch=z9hG4bK1",
            "v: SIP/2.0/UDP b",
            "VIA: SIP/2.0/UDP c",
            "Via : SIP/2.0/UDP d",
            "Via: SIP/2.0/UDP e\r\n ;x=y",
            "Route: <sip:r>",
            " folded: Via: x",
            "Route:<sip:s>,",
            "nonsense",
            "X-Via: no",
        ]
    ),
    max_size=8,
)


@given(LINES, st.sampled_from(["", "\r\nVia: in the body\r\nRoute: too\r\n"]))
def test_the_places_of_a_name_are_those_among_all(lines: list[str], body: str) -> None:
    text = "\r\n".join(["OPTIONS sip:a SIP/2.0", *lines]) + "\r\n\r\n" + body
    message = parse_message(text.encode())
    every = header_lines(message)
    for name in ("Via", "v", "route", "X-Via", "Absent"):
        wanted = [(line.start, line.end) for line in every if line.canonical == canonical_name(name)]
        assert places(message, name) == wanted
        assert first_place(message, name) == (wanted[0] if wanted else None)
