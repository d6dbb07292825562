from __future__ import annotations

import re

import pytest

from openpy.sip import grammar


@pytest.mark.parametrize("value", ["INVITE", "RE%47IST%45R", "!interesting-Method_*+`.%'~"])
def test_token(value: str) -> None:
    assert grammar.TOKEN.match(value)


@pytest.mark.parametrize("value", ["", "a b", "a:b", "a\n", "ä"])
def test_no_token(value: str) -> None:
    assert not grammar.TOKEN.match(value)


@pytest.mark.parametrize(
    "value",
    [
        "sip:alice@example.com",
        "sips:alice:secret@example.com:5061;transport=tcp",
        "sip:[2001:db8::1]:5060",
        "sip:user;par=u%40example.net@example.com",
    ],
)
def test_usual_uri(value: str) -> None:
    assert grammar.SIP_URI_NORMAL.match(value)


@pytest.mark.parametrize(
    "value", ["sip:", "sip:@host", "tel:+1", "sip:a b@c", "sip:a@b@c", "sip:a@b?c=d", "sip:a@b:"]
)
def test_unusual_uri(value: str) -> None:
    assert not grammar.SIP_URI_NORMAL.match(value)


def test_usual_via_and_addresses() -> None:
    via = grammar.VIA_NORMAL.match(" SIP/2.0/UDP [::1]:5060;branch=z9hG4bKa;rport")
    assert via
    assert via.groups() == ("UDP", "[::1]", "5060", ";branch=z9hG4bKa;rport", "z9hG4bKa")
    named = grammar.NAME_ADDR_NORMAL.match(' "A, B" <sip:a@b;lr>;tag=1')
    assert named
    assert named.groups() == ('"A, B"', "sip:a@b;lr", ";tag=1")
    bare = grammar.ADDR_SPEC_NORMAL.match(" sip:a@b;tag=1")
    assert bare
    assert bare.groups() == ("", "sip:a@b", ";tag=1")


def test_no_expression_can_go_back() -> None:
    patterns = [value for value in vars(grammar).values() if isinstance(value, re.Pattern)]
    assert len(patterns) > 10
    for pattern in patterns:
        assert not re.search(r"[\])][*+](?!\+)", str(pattern.pattern)), pattern
