from __future__ import annotations

import pytest

from openpy.modules.nathelper.rtpproxy import (
    Media,
    Session,
    answer,
    delete,
    media_in,
    offer,
    record,
    session_of,
)
from openpy.sip.message import parse_message
from tests.engine.kit import request

NEW, KNOWN = Session("call", "a", ""), Session("call", "a", "b")
MEDIA = Media("192.0.2.1", 4000)


def test_commands() -> None:
    assert offer(NEW, MEDIA, 1, "") == "U call 192.0.2.1 4000 a;1"
    assert offer(KNOWN, MEDIA, 2, "EI") == "UEI call 192.0.2.1 4000 a;2 b;2"
    assert offer(NEW, Media("2001:db8::1", 4000), 1, "A") == "UA6 call 2001:db8::1 4000 a;1"
    assert answer(KNOWN, MEDIA, 1, "") == "L call 192.0.2.1 4000 a;1 b;1"
    assert (delete(NEW), delete(KNOWN)) == ("D call a", "D call a b")
    assert record(KNOWN) == "R call a b"
    assert KNOWN.swapped == Session("call", "b", "a")


@pytest.mark.parametrize(
    ("session", "expected"),
    [
        (NEW, True),
        (KNOWN, True),
        (NEW.swapped, False),
        (Session("call", '"a b"', ""), False),
        (Session("call", "a", "b\t1"), False),
        (Session("ca\nll", "a", "b"), False),
    ],
)
def test_what_would_be_another_command(session: Session, expected: bool) -> None:
    assert session.can_be_told is expected


def test_the_session_of_a_message() -> None:
    assert session_of(parse_message(request("INVITE"))) == Session("call-1", "a1", "")
    assert session_of(parse_message(request("BYE", to_tag="b7"))) == Session("call-1", "a1", "b7")


@pytest.mark.parametrize(
    ("reply", "place"),
    [
        ("7000 198.51.100.1", Media("198.51.100.1", 7000)),
        ("7000", Media("", 7000)),
        (" 7000 2001:db8::1 extra\n", Media("2001:db8::1", 7000)),
        ("7000 IP4", Media("", 7000)),
        ("0", None),
        ("65536", None),
        ("99999999999", None),
        ("E1", None),
        ("", None),
    ],
)
def test_replies(reply: str, place: Media | None) -> None:
    assert media_in(reply) == place
