from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openpy.sip.errors import RemoteError
from openpy.sip.grammar import SIP_URI_NORMAL
from openpy.sip.uri import (
    Uri,
    as_request_uri,
    cached_uri,
    normal_escapes,
    parse_uri,
    unescape,
    without_prefix,
)


def test_all_parts() -> None:
    uri = parse_uri("SIP:alice:secret@Example.COM:5070;Transport=TCP;lr?Subject=hi&Priority=urgent")
    assert (uri.scheme, uri.user, uri.password, uri.host, uri.port) == (
        "sip",
        "alice",
        "secret",
        "Example.COM",
        5070,
    )
    assert uri.params == (("Transport", "TCP"), ("lr", None))
    assert uri.headers == "Subject=hi&Priority=urgent"
    assert uri.transport == "tcp"
    assert (uri.param("lr"), uri.param("maddr")) == ("", None)
    assert uri.is_sip


@pytest.mark.parametrize(
    "text",
    [
        "sip:example.com",
        "sips:alice@example.com:5061",
        "sip:alice@[2001:db8::1]:5060;lr",
        "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*@example.com",
        "sip:user;par=u%40example.net@example.com",
        "sip:a@b;x=;y",
        "sip:a@b?h=v",
        "tel:+1-201-555-0123;phone-context=x",
        "isbn:2983792873",
        "http://www.example.com",
    ],
)
def test_text_survives(text: str) -> None:
    assert str(parse_uri(text)) == text


def test_user_ends_at_the_at_sign() -> None:
    uri = parse_uri("sip:u;x?y/z:p;q@h;lr")
    assert (uri.user, uri.password, uri.host, uri.params) == ("u;x?y/z", "p;q", "h", (("lr", None),))


def test_other_schemes_are_opaque() -> None:
    uri = parse_uri("tel:+1234;x=y")
    assert (uri.scheme, uri.user, uri.host, uri.params) == ("tel", None, "+1234;x=y", ())
    assert not uri.is_sip
    assert uri.aor() == "tel:+1234;x=y"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "alice",
        "alice@example.com",
        ":x",
        "sip:",
        "sip:@host",
        "sip:a@",
        "sip:a@b@c",
        "sip:a b@c",
        "sip:a@b c",
        "sip:a<@b",
        "sip:a@b:port",
        "sip:a@b:",
        "sip:a@b:65536",
        "sip:a@b:123456",
        "sip:a@[::1",
        "sip:a@b%41",
        "sip:a\x00@b",
    ],
)
def test_malformed(text: str) -> None:
    with pytest.raises(RemoteError) as caught:
        parse_uri(text)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("text", "aor"),
    [
        ("sip:Alice@Example.COM:5070;lr?a=b", "sip:Alice@example.com"),
        ("sips:alice:secret@example.com", "sip:alice@example.com"),
        ("sip:%61lice%2f@example.com", "sip:alice%2F@example.com"),
        ("sip:a%zz@example.com", "sip:a%25zz@example.com"),
        ("sip:a%%62c@example.com", "sip:a%25bc@example.com"),
        ("sip:Example.com;transport=udp", "sip:example.com"),
        ("sip:a@[2001:DB8::1]", "sip:a@[2001:db8::1]"),
    ],
)
def test_aor(text: str, aor: str) -> None:
    uri = parse_uri(text)
    assert uri.aor() == aor
    assert uri.aor() is uri.aor()


# The examples of RFC 3261 section 19.1.4.
EQUAL = [
    ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
    ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
    ("sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on"),
    (
        "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
        "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
    ),
    (
        "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
        "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
    ),
    ("tel:+1", "tel:+1"),
    ("sip:a@[2001:db8::9:1]", "sip:a@[2001:DB8:0:0::09:1]"),  # RFC 5954 4.2
    ("sip:a@[1234]", "sip:a@[1234]"),
]
DIFFERENT = [
    ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
    ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
    ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
    ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
    ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
    ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
    ("sip:a@b", "sips:a@b"),
    ("sip:a@[2001:db8::9:1]", "sip:a@[2001:db8::9:2]"),
    ("sip:a@[1234]", "sip:a@[12345]"),
    ("sip:a@b", "sip:b"),
    ("sip:a:x@b", "sip:a:y@b"),
    ("sip:a@b;p=1", "sip:a@b;p=2"),
    ("sip:a%2Fb@c", "sip:a/b@c"),
    ("tel:+1", "tel:+2"),
]


@pytest.mark.parametrize(("left", "right"), EQUAL)
def test_equal(left: str, right: str) -> None:
    assert parse_uri(left).equals(parse_uri(right))
    assert parse_uri(right).equals(parse_uri(left))


@pytest.mark.parametrize(("left", "right"), DIFFERENT)
def test_different(left: str, right: str) -> None:
    assert not parse_uri(left).equals(parse_uri(right))
    assert not parse_uri(right).equals(parse_uri(left))


def test_cache_gives_the_same_object_for_short_texts_only() -> None:
    assert cached_uri("sip:p;lr;ftag=1") is not cached_uri("sip:p;lr;ftag=1")
    assert cached_uri("sip:a@b") is cached_uri("sip:a@b")
    long = "sip:" + "a" * 200 + "@b"
    assert cached_uri(long) is not cached_uri(long)
    assert str(cached_uri(long)) == long


def test_parameters_without_a_name_are_dropped() -> None:
    assert str(parse_uri("sip:a@b;;x;=v;")) == "sip:a@b;x"


def test_another_part() -> None:
    uri = parse_uri("sip:alice:secret@a:5070;lr?x=y")
    assert str(uri.with_user("bob")) == "sip:bob:secret@a:5070;lr?x=y"
    assert str(uri.with_user(None)) == "sip:a:5070;lr?x=y"
    assert str(uri.with_password(None)) == "sip:alice@a:5070;lr?x=y"
    assert str(uri.with_host("b", None)) == "sip:alice:secret@b;lr?x=y"
    assert str(uri.with_params([("x", None), ("y", "1")])) == "sip:alice:secret@a:5070;x;y=1?x=y"


def test_the_number_of_a_tel_uri_is_its_user() -> None:
    uri = parse_uri("tel:+1555;ext=7")
    assert (uri.subscriber, parse_uri("sip:bob@h").subscriber, parse_uri("sip:h").subscriber) == (
        "+1555",
        "bob",
        "",
    )
    assert str(uri.with_user("+2")) == "tel:+2;ext=7"
    assert str(uri.with_host("gw", 5070)) == "sip:+1555;ext=7@gw:5070"


@pytest.mark.parametrize("text", ["tel:+1", "urn:service:sos"])
def test_what_another_scheme_does_not_have(text: str) -> None:
    uri = parse_uri(text)
    with pytest.raises(RemoteError):
        uri.with_user(None)
    if uri.scheme != "tel":
        with pytest.raises(RemoteError):
            uri.with_host("h", None)
        with pytest.raises(RemoteError):
            uri.with_user("u")


def test_equal_parts_have_one_form() -> None:
    assert normal_escapes("plain") == "plain"
    assert normal_escapes("%30%2d%2F%2f%") == "0-%2F%2F%25"


def test_unescape() -> None:
    assert unescape("plain") == "plain"
    assert unescape("%41%zz%C3%BC%00") == "A%zzü\x00"
    assert unescape("%ff").encode("utf-8", "surrogateescape") == b"\xff"


def test_repr_names_the_uri() -> None:
    assert repr(parse_uri("sip:a@b")) == "<Uri sip:a@b>"


USERS = st.text("abcXYZ019-_.!~*'()&=+$,;?/%", min_size=1, max_size=12)
HOSTS = st.one_of(st.from_regex(r"[a-z0-9]{1,8}(\.[a-z0-9]{1,8}){0,2}", fullmatch=True), st.just("[::1]"))
PARAMS = st.lists(
    st.tuples(st.text("abcxyz-", min_size=1, max_size=6), st.none() | st.text("abc019", max_size=6)),
    max_size=3,
).map(tuple)


@settings(max_examples=100)
@given(st.none() | USERS, HOSTS, st.none() | st.integers(0, 65535), PARAMS, st.text("abc=&", max_size=8))
def test_parsing_undoes_writing(
    user: str | None, host: str, port: int | None, params: tuple[tuple[str, str | None], ...], headers: str
) -> None:
    written = Uri("sip", user, None, host, port, params, headers)
    read = parse_uri(str(written))
    assert (read.user, read.host, read.port, read.params, read.headers) == (user, host, port, params, headers)
    assert read.equals(written)
    assert parse_uri(read.aor()).aor() == read.aor()


@settings(max_examples=300)
@given(st.text(max_size=40) | st.text(":@;?[]%=&.a19 ", max_size=20).map("sip:".__add__))
def test_anything_is_a_uri_or_a_remote_error(text: str) -> None:
    try:
        uri = parse_uri(text)
    except RemoteError:
        assert not SIP_URI_NORMAL.match(text)
        return
    assert uri.equals(parse_uri(str(uri)))
    uri.aor()


@pytest.mark.parametrize(
    ("host", "prefix", "rest"),
    [
        ("sip.example.com", "sip.", "example.com"),
        ("SIP.example.com", "sip.", "example.com"),
        ("example.com", "sip.", "example.com"),
        ("sip.example.com", "", "sip.example.com"),
    ],
)
def test_a_host_without_a_prefix(host: str, prefix: str, rest: str) -> None:
    assert without_prefix(host, prefix) == rest


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sip:bob@h;transport=tcp;lr", "sip:bob@h;transport=tcp;lr"),
        ("sip:bob@h?Subject=x&Route=%3Csip:evil%3E", "sip:bob@h"),
        ("sip:bob@h;METHOD=BYE;lr", "sip:bob@h;lr"),
        ("sip:bob@h;method=INVITE?Subject=x", "sip:bob@h"),
        ("sip:who?;method=1@h", "sip:who?;method=1@h"),
        ("tel:+1;method=x", "tel:+1;method=x"),
        ("sip:a@[?", "sip:a@[?"),
    ],
)
def test_what_a_request_uri_may_not_have(text: str, expected: str) -> None:
    assert as_request_uri(text) == expected
