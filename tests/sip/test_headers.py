from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openpy.sip import headers
from openpy.sip.errors import RemoteError
from openpy.sip.headers import STAR, parse_name_addr, parse_params, parse_via, split_list


@pytest.mark.parametrize(
    ("text", "display", "uri", "tag"),
    [
        ("<sip:a@b>", "", "sip:a@b", ""),
        (" <sip:a@b>;tag=1", "", "sip:a@b", "1"),
        ('"A, <B>;tag=0 \\" x" <sip:a@b>;tag=1', '"A, <B>;tag=0 \\" x"', "sip:a@b", "1"),
        ("A. Bell <sip:a@b;tag=0>;x=y;tag=1", "A. Bell", "sip:a@b;tag=0", "1"),
        ("caller<sip:a@b> ; TAG = 1 ;q=0.5", "caller", "sip:a@b", "1"),
        ("sip:a@b;tag=1", "", "sip:a@b", "1"),
        ("sip:a@b ; tag = 1", "", "sip:a@b", "1"),
        ('<sip:a@b>;tag="quoted;tag"', "", "sip:a@b", '"quoted;tag"'),
        ("<sip:a@b>;tag=", "", "sip:a@b", ""),
        ("<tel:+1>;tag=1;tag=2", "", "tel:+1", "1"),
        ('"Mr. J. User <sip:a@b>', '"Mr. J. User"', "sip:a@b", ""),
        ("Bell, Alexander <sip:a@b>;tag=43", "Bell, Alexander", "sip:a@b", "43"),
        ('"W" < sip:a@b >', '"W"', "sip:a@b", ""),
        ("sip:a@b?Route=%3Csip:c%3E", "", "sip:a@b?Route=%3Csip:c%3E", ""),
        ("<sip:a,b@c>", "", "sip:a,b@c", ""),
    ],
)
def test_name_addr(text: str, display: str, uri: str, tag: str) -> None:
    address = parse_name_addr(text)
    assert (address.display, address.uri_text, address.tag) == (display, uri, tag)
    assert str(address.uri) == uri
    again = parse_name_addr(str(address))
    assert (again.display, again.uri_text, again.tag) == (display, uri, tag)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "alice",
        "<sip:a@b",
        "<>",
        "<sip:>",
        "<sip:a@b>;;",
        "<sip:a@b>x",
        "sip:a b@c",
        "sip:a@b;",
        '"x"',
        "sip:a@b;=1",
    ],
)
def test_malformed_name_addr(text: str) -> None:
    with pytest.raises(RemoteError):
        parse_name_addr(text)


def test_name_addr_params() -> None:
    address = parse_name_addr('<sip:a@b>;Expires=60;+sip.instance="<urn:x>";flag')
    assert address.params == {"expires": "60", "+sip.instance": '"<urn:x>"', "flag": None}
    assert (address.param("expires"), address.param("flag"), address.param("q")) == ("60", "", None)
    assert parse_name_addr("<sip:a@b>").param("q") is None
    assert repr(parse_name_addr("<sip:a@b>")) == "<NameAddr <sip:a@b>>"


def test_lists_of_addresses() -> None:
    text = '"A, B" <sip:a@b>, <sip:c,d@e>;q=1 , sip:f@g'
    assert [address.uri_text for address in headers.parse_name_addr_list(text)] == [
        "sip:a@b",
        "sip:c,d@e",
        "sip:f@g",
    ]
    with pytest.raises(RemoteError):
        headers.parse_name_addr_list("<sip:a@b>,,<sip:c@d>")


def test_contacts() -> None:
    assert headers.parse_contacts([" * "]) is STAR
    assert repr(STAR) == "STAR"
    contacts = headers.parse_contacts(["<sip:a@b>, <sip:c@d>", "<sip:e@f>"])
    assert isinstance(contacts, list)
    assert [contact.uri_text for contact in contacts] == ["sip:a@b", "sip:c@d", "sip:e@f"]
    assert headers.parse_contacts([]) == []
    with pytest.raises(RemoteError):
        headers.parse_contacts(["*", "<sip:a@b>"])


@pytest.mark.parametrize(
    ("text", "transport", "host", "port", "branch"),
    [
        ("SIP/2.0/UDP a.example;branch=z9hG4bK1", "UDP", "a.example", None, "z9hG4bK1"),
        (" SIP/2.0/TCP [::1]:5070;rport;branch=z9hG4bK1;x", "TCP", "[::1]", 5070, "z9hG4bK1"),
        ("sip / 2.0 / tls a.example : 99 ; Branch = b1", "TLS", "a.example", 99, "b1"),
        ("SIP/2.0/UDP a;received=192.0.2.1", "UDP", "a", None, ""),
        ("SIP/2.0/UDP a:65535;branch=b;branch=c", "UDP", "a", 65535, "b"),
        ('SIP/2.0/UDP a;x=";branch=no";branch=yes', "UDP", "a", None, "yes"),
    ],
)
def test_via(text: str, transport: str, host: str, port: int | None, branch: str) -> None:
    via = parse_via(text)
    assert (via.transport, via.host, via.port, via.branch) == (transport, host, port, branch)
    again = parse_via(str(via))
    assert (again.transport, again.host, again.port, again.branch) == (transport, host, port, branch)


@pytest.mark.parametrize(
    ("params", "received", "rport"),
    [
        ("", None, None),
        (";rport", None, 0),
        (";rport=5060;received=192.0.2.1", "192.0.2.1", 5060),
        (";rport=x", None, None),
        (";rport=123456", None, None),
        (";rport=65536", None, None),
    ],
)
def test_via_received_and_rport(params: str, received: str | None, rport: int | None) -> None:
    via = parse_via("SIP/2.0/UDP a;branch=b" + params)
    assert (via.received, via.rport) == (received, rport)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SIP/2.0/UDP",
        "SIP/2.0 a",
        "SIP/3.0/UDP a",
        "SIP/2.0/UDP a;;",
        "UDP a",
        "SIP/2.0/UDP a b",
        "SIP/2.0/UDP a:65536;branch=b",
    ],
)
def test_malformed_via(text: str) -> None:
    with pytest.raises(RemoteError):
        parse_via(text)


def test_via_list() -> None:
    vias = headers.parse_via_list("SIP/2.0/UDP a;branch=1, SIP/2.0/TCP b;branch=2")
    assert [(via.host, via.branch) for via in vias] == [("a", "1"), ("b", "2")]
    assert repr(vias[0]) == "<Via SIP/2.0/UDP a;branch=1>"


def test_cseq() -> None:
    cseq = headers.parse_cseq("0009   INVITE ")
    assert (cseq.number, cseq.method) == (9, "INVITE")
    assert headers.parse_cseq("2147483647 ACK").number == 2**31 - 1
    for text in ("", "1", "INVITE", "-1 INVITE", "1 IN VITE", "2147483648 ACK", "9" * 5000 + " ACK"):
        with pytest.raises(RemoteError):
            headers.parse_cseq(text)


def test_numbers() -> None:
    assert headers.parse_number(" 0068 ", "Expires") == 68
    assert headers.parse_number("4294967295", "Expires") == 2**32 - 1
    assert headers.parse_number("1" + "0" * 5000, "Expires") == 2**32 - 1
    assert headers.parse_number("0" * 5000 + "7", "Expires") == 7
    for text in ("", "-1", "+1", "1_0", "1.5", "\u0661", "\u00b2", "1 2"):
        with pytest.raises(RemoteError, match="Malformed Expires"):
            headers.parse_number(text, "Expires")


def test_event() -> None:
    event = headers.parse_event("Presence.winfo ; id=7")
    assert (event.package, event.id, event.params) == ("presence.winfo", "7", {"id": "7"})
    assert headers.parse_event("dialog").id is None
    for text in ("", ";id=1", "a b"):
        with pytest.raises(RemoteError):
            headers.parse_event(text)


def test_media_type() -> None:
    media = headers.parse_media_type('Multipart/Related; type="application/rlmi+xml";boundary=b1')
    assert media.full == "multipart/related"
    assert media.params == {"type": '"application/rlmi+xml"', "boundary": "b1"}
    assert headers.parse_media_type("*/*").full == "*/*"
    for text in ("", "text", "text/", "text/plain x"):
        with pytest.raises(RemoteError):
            headers.parse_media_type(text)


def test_params() -> None:
    assert parse_params(';a=1;B ; c = "x;y" ') == {"a": "1", "b": None, "c": '"x;y"'}
    assert parse_params("") == {}
    for text in (";", ";a;;b", "a", ";a=1 b", ';a="x'):
        with pytest.raises(RemoteError):
            parse_params(text)


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("a", ["a"]),
        (" a , b ", ["a", "b"]),
        ('"a,b",<c,d>,e', ['"a,b"', "<c,d>", "e"]),
        ("a,,b,", ["a", "", "b", ""]),
        ('"a\\",b",c', ['"a\\",b"', "c"]),
        ('a,"b,c', ["a", '"b,c']),
        ("a,<b,c", ["a", "<b,c"]),
        ("", [""]),
    ],
)
def test_split_list(text: str, items: list[str]) -> None:
    assert split_list(text) == items


ITEMS = st.lists(
    st.one_of(st.text("ab;= ", min_size=1), st.text("a,b<").map(headers.quote)), min_size=1, max_size=5
)


@settings(max_examples=100)
@given(ITEMS)
def test_split_undoes_join(items: list[str]) -> None:
    assert split_list(",".join(items)) == [item.strip() for item in items]


@settings(max_examples=100)
@given(st.text(max_size=20))
def test_unquote_undoes_quote(text: str) -> None:
    assert headers.unquote(headers.quote(text)) == text


def test_split_first() -> None:
    assert headers.split_first(' "a,b" , c,d') == ('"a,b"', ", c,d")
    assert headers.split_first(" a ") == ("a", "")


def test_unquote_leaves_the_rest() -> None:
    assert [headers.unquote(text) for text in ("a", '"', '"a', "")] == ["a", '"', '"a', ""]
