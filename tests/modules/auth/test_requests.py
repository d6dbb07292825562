from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openpy.modules.auth.challenges import PROXY, WWW, Side
from openpy.modules.auth.requests import (
    Answer,
    answers_for,
    checked_realm,
    count_of,
    names_the_same,
    realm_of,
    split_username,
)
from openpy.sip.errors import RemoteError
from openpy.sip.message import Request, parse_message
from tests.engine.kit import request

WHOLE = 'username="alice", realm="a.example", nonce="n", uri="sip:a.example", response="r"'


def parsed(*headers: str, method: str = "REGISTER") -> Request:
    message = parse_message(request(method, "sip:a.example", *headers))
    assert isinstance(message, Request)
    return message


def answers(*values: str) -> list[Answer]:
    headers = [f"Authorization: {value}" for value in values]
    return list(answers_for(parsed(*headers), WWW, "a.example"))


@pytest.mark.parametrize(
    ("method", "side", "prefix", "realm"),
    [
        ("REGISTER", WWW, "", "biloxi.example"),
        ("INVITE", WWW, "", "atlanta.example"),
        ("REGISTER", PROXY, "", "atlanta.example"),
        ("INVITE", PROXY, "Atlanta.", "example"),
        ("INVITE", PROXY, "sip.", "atlanta.example"),
    ],
)
def test_the_realm_that_a_request_names(method: str, side: Side, prefix: str, realm: str) -> None:
    assert realm_of(parsed(method=method), side, prefix) == realm


def test_a_request_that_names_none() -> None:
    message = parse_message(request().replace(b"<sip:alice@atlanta.example>", b"<tel:+1>"))
    assert isinstance(message, Request)
    with pytest.raises(RemoteError):
        realm_of(message, PROXY, "")


def test_a_realm_is_one_line() -> None:
    assert checked_realm('a "b"') == 'a "b"'
    for realm in ("a\r\nX: y", "a\0", "\x7f"):
        with pytest.raises(RemoteError):
            checked_realm(realm)


def test_what_is_there_may_be_empty() -> None:
    """A phone of an IMS names itself before it has a nonce (3GPP TS 24.229 5.1.1.2)."""
    (found,) = answers('Digest username="alice@a.example",realm="a.example",nonce="",uri="",response=""')
    assert (found.credentials.nonce, found.credentials.response) == ("", "")


def test_credentials_are_found_by_realm_without_case() -> None:
    found = answers(
        "Basic YTpi", f"Digest {WHOLE}".replace("a.example", "b.example", 1), f"DIGEST {WHOLE.upper()}"
    )
    assert [answer.place for answer in found] == [2]
    assert answers("Basic YTpi") == []
    assert answers() == []


@pytest.mark.parametrize(
    "value",
    [
        "Digest",
        "Digest nonsense",
        "Digest " + WHOLE.replace('username="alice", ', ""),
        "Digest " + WHOLE.replace('realm="a.example", ', ""),
        "Digest " + WHOLE.replace('nonce="n", ', ""),
        "Digest " + WHOLE.replace('uri="sip:a.example", ', ""),
        "Digest " + WHOLE.replace(', response="r"', ""),
        f'Digest {WHOLE}, username="bob"',
        f'Digest {WHOLE}, realm="b"',
        f"Digest {WHOLE}, qop=auth",
        f"Digest {WHOLE}, qop=auth, nc=00000001",
        f"Digest {WHOLE}, qop=auth, cnonce=c",
        f"Digest {WHOLE}, qop=auth, cnonce=c, nc=00000000",
        f"Digest {WHOLE}, qop=auth-int, cnonce=c, nc=-1",
        f"Digest {WHOLE}, qop=auth, cnonce=c, nc=000000001",
        f"Digest {WHOLE}, qop=auth, cnonce=c, nc=٠٠٠٠٠٠٠١",
        f"Digest {WHOLE}, qop=auth, cnonce=c, nc=x",
        "Digest " + WHOLE.replace('"alice"', '"alice@b.example"'),
        f"Digest {WHOLE}, " + ", ".join(f"p{number}=1" for number in range(200)),
        f'Digest {WHOLE}, opaque="never closed',
    ],
)
def test_what_is_malformed_is_refused(value: str) -> None:
    with pytest.raises(RemoteError) as caught:
        answers(value)
    assert caught.value.status == 400


@given(st.text(max_size=200))
def test_any_text_is_credentials_or_refused(text: str) -> None:
    message = parsed()
    message._first["Authorization"] = f"Digest {WHOLE[:30]}{text}"
    status = 400
    try:
        list(answers_for(message, WWW, "a.example"))
    except RemoteError as error:
        status = error.status
    assert status == 400


def test_huge_parameters_are_only_long() -> None:
    (found,) = answers(f'Digest {WHOLE}, opaque="{"x" * 50_000}", cnonce="{"y" * 10_000}"')
    assert len(found.credentials.opaque) == 50_000


def test_the_domain_of_a_username_is_the_realm() -> None:
    (found,) = answers("Digest " + WHOLE.replace('"alice"', '"alice@A.example"'))
    assert split_username(found.credentials.username) == ("alice", "A.example")
    assert split_username("alice") == ("alice", "")


def test_counts() -> None:
    (counted,) = answers(f"Digest {WHOLE}, qop=AUTH, cnonce=c, nc=0000001A")
    (uncounted,) = answers(f"Digest {WHOLE}, nc=0000001A")
    assert (count_of(counted.credentials), count_of(uncounted.credentials)) == (26, 0)


@pytest.mark.parametrize(
    ("digest_uri", "request_uri", "same"),
    [
        ("sip:a.example", "sip:a.example", True),
        ("sip:A.example", "sip:a.example;transport=tcp", True),
        ("sip:bob@a.example:5060", "sip:bob@a.example", True),
        ("sips:bob@a.example", "sip:bob@a.example", True),
        ("sip:eve@a.example", "sip:bob@a.example", False),
        ("sip:a.example", "sip:bob@a.example", False),
        ("sip:bob@b.example", "sip:bob@a.example", False),
        ("tel:+1", "tel:+1", True),
        ("tel:+1", "tel:+2", False),
        ("tel:+1", "sip:+1", False),
        ("*", "sip:a.example", False),
        ("", "sip:a.example", False),
    ],
)
def test_uris(digest_uri: str, request_uri: str, same: bool) -> None:
    assert names_the_same(digest_uri, request_uri) is same
