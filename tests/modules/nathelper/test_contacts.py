from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openpy.modules.nathelper.contacts import add_received, move, places_of
from openpy.modules.nathelper.sources import Source
from openpy.sip.edits import Edits
from openpy.sip.errors import RemoteError
from openpy.sip.message import Message, parse_message
from tests.engine.kit import request

NAT = Source("203.0.113.9", 40000, "udp")
TCP = Source("2001:db8::9", 40000, "tcp")


def message(*contacts: str) -> Message:
    return parse_message(request("REGISTER", "sip:x", *(f"Contact: {contact}" for contact in contacts)))


def contacts(edits: Edits) -> list[str]:
    return parse_message(edits.apply()).all("Contact")


def moved(*values: str, source: Source = NAT) -> list[str] | None:
    found = message(*values)
    edits = Edits(found)
    return contacts(edits) if move(found, edits, source) else None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<sip:bob@10.0.0.1:5062>", "<sip:bob@203.0.113.9:40000>"),
        ("<sip:bob@10.0.0.1>;q=0.5", "<sip:bob@203.0.113.9:40000>;q=0.5"),
        ("<sip:10.0.0.1;transport=udp?x=y>", "<sip:203.0.113.9:40000;transport=udp?x=y>"),
        ("sip:bob@10.0.0.1:5062;expires=5", "sip:bob@203.0.113.9:40000;expires=5"),
        (
            '"Bob <sip:b@10.0.0.1>" <SIPS:bob:pw@phone.local>',
            '"Bob <sip:b@10.0.0.1>" <SIPS:bob:pw@203.0.113.9:40000>',
        ),
        ("<sip:a@10.0.0.1>, <sip:b@10.0.0.2>", "<sip:a@203.0.113.9:40000>, <sip:b@10.0.0.2>"),
        ("< sip:bob@[::1]:5062 >", "< sip:bob@203.0.113.9:40000 >"),
        ("<sip:b,b@10.0.0.1>,<sip:c@h>", "<sip:b,b@203.0.113.9:40000>,<sip:c@h>"),
        ("caf\u00e9 <sip:bob@10.0.0.1>", "caf\u00e9 <sip:bob@203.0.113.9:40000>"),
    ],
)
def test_the_first_is_moved(before: str, after: str) -> None:
    assert moved(before, "<sip:other@10.0.0.9>") == [after, "<sip:other@10.0.0.9>"]


def test_to_an_address_of_ipv6() -> None:
    assert moved("<sip:bob@10.0.0.1:5062>", source=TCP) == ["<sip:bob@[2001:db8::9]:40000>"]


@pytest.mark.parametrize("value", ["*", "<tel:+1>", "<nonsense>", "<sip:@>", ""])
def test_what_cannot_be_moved(value: str) -> None:
    assert moved(value) is None


def test_none() -> None:
    assert moved() is None


def test_only_once() -> None:
    found = message("<sip:bob@10.0.0.1>")
    edits = Edits(found)
    assert move(found, edits, NAT)
    assert not move(found, edits, NAT)
    assert not move(found, edits.copy(), NAT)
    assert contacts(edits) == ["<sip:bob@203.0.113.9:40000>"]


def test_a_folded_line() -> None:
    data = request("REGISTER", "sip:x", "m: <sip:a@10.0.0.1>,\r\n <sip:b@10.0.0.2>")
    found = parse_message(data)
    assert [place.text for place in places_of(found)] == ["sip:a@10.0.0.1", "sip:b@10.0.0.2"]
    edits = Edits(found)
    assert add_received(found, edits, NAT, in_uri=False)
    assert (
        b'm: <sip:a@10.0.0.1>;received="sip:203.0.113.9:40000",\r\n <sip:b@10.0.0.2>;received='
        in edits.apply()
    )


@pytest.mark.parametrize(
    ("source", "in_uri", "before", "after"),
    [
        (NAT, False, "<sip:a@h>;q=1, sip:b@h", '<sip:a@h>;q=1;received="R", sip:b@h;received="R"'),
        (TCP, False, "<sip:a@h>", '<sip:a@h>;received="R"'),
        (NAT, True, "<sip:a@h;x>;q=1", "<sip:a@h;x;received=R>;q=1"),
        (NAT, True, "<sip:a@h?y=z>", "<sip:a@h;received=R?y=z>"),
        (NAT, True, "sip:a@h;q=1", "<sip:a@h;received=R>;q=1"),
        (TCP, True, "<sip:a@h>", "<sip:a@h;received=E>"),
        (NAT, False, "*", None),
    ],
)
def test_where_it_came_from(source: Source, in_uri: bool, before: str, after: str | None) -> None:
    found = message(before)
    edits = Edits(found)
    assert add_received(found, edits, source, in_uri=in_uri) is (after is not None)
    expected = (after or before).replace("R", source.uri)
    assert contacts(edits) == [expected.replace("E", "sip:[2001:db8::9]:40000%3Btransport%3DTCP")]


def test_both_changes_of_one_contact() -> None:
    for in_uri in (False, True):
        for value in ("<sip:a@10.0.0.1;x>", "sip:a@10.0.0.1"):
            found = message(value)
            edits = Edits(found)
            assert add_received(found, edits, NAT, in_uri=in_uri)
            assert move(found, edits, NAT)
            (line,) = contacts(edits)
            assert "a@203.0.113.9:40000" in line
            assert "10.0.0.1" not in line
            (contact,) = parse_message(edits.apply()).contacts  # type: ignore[misc]
            carried = (
                contact.uri.param("received") if in_uri else (contact.param("received") or "").strip('"')
            )
            assert carried == NAT.uri


def test_a_uri_without_host_has_no_place_for_one() -> None:
    (place,) = places_of(message("<tel:+1>"))
    with pytest.raises(RemoteError):
        _ = place.hostport


@given(st.lists(st.text(alphabet='<>",;:@sip*\\ \t[]?=1.\u00e9', max_size=30), max_size=3), st.booleans())
def test_any_contact_is_taken_apart(values: list[str], in_uri: bool) -> None:
    found = message(*values)
    edits = Edits(found)
    for place in places_of(found):
        assert found.raw[place.uri : place.uri_end].decode("latin-1") == place.text
    add_received(found, edits, NAT, in_uri=in_uri)
    move(found, edits, NAT)
    assert edits.apply().startswith(b"REGISTER ")
