from __future__ import annotations

import pytest

from openpy.engine.module import ArgumentError
from openpy.modules.auth.challenges import (
    PROXY,
    WWW,
    QopKind,
    algorithms_in,
    challenge_headers,
    is_offered,
    offer_of,
)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("0", ()),
        ("1", ("auth",)),
        ("2", ("auth",)),
        ("auth", ("auth",)),
        ("auth-int", ("auth-int",)),
        ("AUTH, auth-int", ("auth", "auth-int")),
    ],
)
def test_qop(text: str, values: tuple[str, ...]) -> None:
    assert QopKind().convert(text, None) == values


@pytest.mark.parametrize("text", ["", "-1", "x", "auth,auth", "auth,", "auth-conf"])
def test_what_is_no_qop(text: str) -> None:
    with pytest.raises(ArgumentError, match="is no qop"):
        QopKind().convert(text, None)


def test_algorithms() -> None:
    assert algorithms_in("MD5") == ("MD5",)
    assert algorithms_in("sha-512-256, SHA-256,md5") == ("SHA-512-256", "SHA-256", "MD5")


@pytest.mark.parametrize("text", ["", "SHA-1", "MD5,", "MD5,md5", "MD5-sess"])
def test_what_is_no_algorithm(text: str) -> None:
    with pytest.raises(ArgumentError, match="are no algorithms"):
        algorithms_in(text)


def test_the_header_of_1_3() -> None:
    assert challenge_headers(WWW, "a.example", "n0", ["MD5"], (), stale=False) == (
        'WWW-Authenticate: Digest realm="a.example", nonce="n0"\r\n'
    )
    assert challenge_headers(PROXY, 'a "b"', "n0", ["MD5"], ("auth",), stale=True) == (
        'Proxy-Authenticate: Digest realm="a \\"b\\"", nonce="n0", qop="auth", stale=true\r\n'
    )


def test_rfc_8760_a_header_an_algorithm_the_best_first() -> None:
    made = challenge_headers(
        WWW, "a", "n", ["SHA-512-256", "SHA-256", "MD5"], ("auth", "auth-int"), stale=False
    )
    start = 'WWW-Authenticate: Digest realm="a", nonce="n", qop="auth,auth-int", algorithm='
    assert made.split("\r\n") == [start + "SHA-512-256", start + "SHA-256", start + "MD5", ""]


@pytest.mark.parametrize(
    ("algorithms", "qop", "algorithm", "used", "offered"),
    [
        (("MD5",), (), "MD5", "", True),
        (("MD5",), (), "md5-sess", "auth", True),
        (("MD5",), (), "SHA-256", "auth", False),
        (("SHA-256",), ("auth",), "MD5", "auth", False),
        (("SHA-256",), ("auth",), "MD5", "", False),
        (("SHA-256", "MD5"), ("auth",), "MD5", "auth", True),
        (("SHA-512-256",), ("auth",), "SHA-256", "auth", False),
        (("SHA-512-256",), ("auth",), "SHA-512-256-sess", "auth", True),
        (("MD5",), ("auth",), "SHA-999", "auth", False),
        (("MD5",), ("auth",), "", "auth", False),
        (("MD5",), ("auth-int",), "MD5", "auth-int", True),
        (("MD5",), ("auth-int",), "MD5", "auth", False),
        (("MD5",), ("auth-int",), "MD5", "", False),
        (("MD5",), ("auth", "auth-int"), "MD5", "auth", True),
    ],
)
def test_nothing_weaker_than_was_offered(
    algorithms: tuple[str, ...], qop: tuple[str, ...], algorithm: str, used: str, offered: bool
) -> None:
    offer = offer_of(algorithms, qop)
    assert 0 < offer < 16
    assert is_offered(offer, algorithm, used) is offered
