from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openpy.modules.nathelper.sdp import addresses_of, fix, is_sdp
from openpy.sip.edits import Edits
from openpy.sip.message import Message, parse_message
from tests.engine.kit import request
from tests.modules.nathelper.kit import PRIVATE, SDP

NO_PROXY = "a=nortpproxy:yes\r\n"


def message(body: str, media_type: str = "application/sdp") -> Message:
    lines = [f"Content-Type: {media_type}"] if media_type else []
    return parse_message(request("INVITE", "sip:x", *lines, body=body.encode()))


def fixed(flags: int, address: str = "203.0.113.9", body: str = SDP) -> str:
    found = message(body)
    edits = Edits(found)
    assert fix(found, edits, flags, address, NO_PROXY)
    result = parse_message(edits.apply())
    assert result.content_length == len(result.body)
    return result.body.decode()


def test_what_is_a_description() -> None:
    assert is_sdp(message(SDP))
    assert is_sdp(message(SDP, ""))
    assert is_sdp(message(SDP, "Application/SDP; charset=utf-8"))
    assert not is_sdp(message(SDP, "multipart/mixed;boundary=x"))
    assert not is_sdp(message(SDP, "/"))
    assert not is_sdp(message(""))
    assert not fix(message(""), Edits(message("")), 15, "x", NO_PROXY)


def test_its_addresses() -> None:
    assert list(addresses_of(message(SDP))) == [PRIVATE, PRIVATE]
    assert list(addresses_of(message("c=IN IP4 224.2.1.1/127\nc=IN IP6 ::1\n"))) == ["224.2.1.1", "::1"]
    assert list(addresses_of(message("x=c=IN IP4 10.0.0.1\r\n"))) == []
    assert list(addresses_of(message(SDP, "text/plain"))) == []


def test_the_addresses_of_connections() -> None:
    assert fixed(2) == SDP.replace(f"c=IN IP4 {PRIVATE}", "c=IN IP4 203.0.113.9")
    assert fixed(8) == SDP.replace(f"1 IN IP4 {PRIVATE}", "1 IN IP4 203.0.113.9")
    assert fixed(10) == SDP.replace(PRIVATE, "203.0.113.9")
    assert fixed(10, "2001:db8::1") == SDP.replace(f"IP4 {PRIVATE}", "IP6 2001:db8::1")


def test_who_is_on_hold_stays_so() -> None:
    body = "v=0\r\nc=IN IP4 0.0.0.0\r\n"
    assert fixed(2, body=body) == body


def test_lines_are_added_at_the_end() -> None:
    assert fixed(1) == f"{SDP}a=direction:active\r\n"
    assert fixed(5) == f"{SDP}a=direction:active\r\n{NO_PROXY}"
    assert fixed(4, body="v=0") == f"v=0\r\n{NO_PROXY}"
    assert fixed(0) == SDP


@pytest.mark.parametrize("body", ["c=IN IP4", "c=IN IP5 x\r\n", "o=IN IP4\r\n", "\0"])
def test_what_is_broken_stays(body: str) -> None:
    assert fixed(10, body=body) == body


@given(st.text(alphabet="co=IN P46/0:1\r\n .9", max_size=120), st.integers(0, 15))
def test_any_description_can_be_changed(text: str, flags: int) -> None:
    found = message(f"c=IN IP4 10.0.0.1\r\n{text}")
    edits = Edits(found)
    assert fix(found, edits, flags, "203.0.113.9", NO_PROXY)
    changed = parse_message(edits.apply())
    assert changed.content_length == len(changed.body)
    assert (b"10.0.0.1" in changed.body) is not bool(flags & 2) or b"10.0.0.1" in text.encode()
