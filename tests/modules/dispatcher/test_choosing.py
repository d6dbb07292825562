from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from openpy.modules.dispatcher.choosing import hash_of, uri_text
from openpy.sip.errors import RemoteError
from tests.engine.kit import request
from tests.modules.dispatcher.kit import A, B, C, balancer

ROUTE = 'if (!ds_select_dst("1", "{}")) xlog("none"); else xlog("$du");'


def chosen(folder: Path, algorithm: int, *messages: bytes, more: str = "") -> list[str]:
    with balancer(folder, ROUTE.format(algorithm), more=more) as bench:
        for message in messages:
            bench.receive(message)
        return list(bench.printed())


def calls(count: int = 300) -> list[bytes]:
    return [request("INVITE", call_id=f"call-{n}@host", branch=f"z9hG4bK{n}") for n in range(count)]


def test_round_robin(tmp_path: Path) -> None:
    assert chosen(tmp_path, 4, *calls(5)) == [A, B, C, A, B]


def test_the_first(tmp_path: Path) -> None:
    assert chosen(tmp_path, 77, *calls(3)) == [A, A, A]


@pytest.mark.parametrize("algorithm", [0, 6])
def test_each_has_its_share(tmp_path: Path, algorithm: int) -> None:
    shares = Counter(chosen(tmp_path, algorithm, *calls()))
    assert set(shares) == {A, B, C}
    assert min(shares.values()) > 70


@pytest.mark.parametrize("algorithm", [0, 4, 6])
def test_the_last_resort_has_no_share(tmp_path: Path, algorithm: int) -> None:
    more = 'modparam("dispatcher", "use_default", 1)'
    shares = Counter(chosen(tmp_path, algorithm, *calls(200), more=more))
    assert set(shares) == {A, B}
    assert min(shares.values()) > 70


def test_the_same_call_goes_to_the_same_place(tmp_path: Path) -> None:
    again = [request("BYE", call_id=f"call-{n}@host", branch=f"z9hG4bKb{n}") for n in range(20)]
    found = chosen(tmp_path, 0, *calls(20), *again)
    assert found[:20] == found[20:]


@pytest.mark.parametrize(("algorithm", "name"), [(1, "From"), (2, "To")])
def test_by_from_and_to(tmp_path: Path, algorithm: int, name: str) -> None:
    def message(number: int, uri: str) -> bytes:
        data = request("INVITE", call_id=f"c{number}", branch=f"z9hG4bK{number}")
        old = b"<sip:alice@atlanta.example>" if name == "From" else b"<sip:bob@biloxi.example>"
        return data.replace(old, f"<{uri}>".encode())

    uris = [f"sip:user{n}@example.com" for n in range(30)]
    found = chosen(tmp_path, algorithm, *(message(n, uri) for n, uri in enumerate(uris + uris)))
    assert found[:30] == found[30:]
    assert len(set(found)) == 3
    nonsense = chosen(tmp_path, algorithm, message(0, "nonsense"))
    assert nonsense in (["none"], [])  # refused before the script sees it, or here


def test_by_the_request_uri_as_it_is_now(tmp_path: Path) -> None:
    with balancer(tmp_path, 'rewriteuser("carol"); ' + ROUTE.format(3)) as bench:
        for number in range(10):
            bench.receive(
                request("INVITE", f"sip:user{number}@b.example", call_id=f"c{number}", branch=f"z{number}")
            )
        assert len(set(bench.printed())) == 1


def test_by_the_user_alone(tmp_path: Path) -> None:
    messages = [
        request("INVITE", f"sip:carol@host{number}.example", call_id=f"c{number}", branch=f"z9hG4bK{number}")
        for number in range(10)
    ]
    assert len(set(chosen(tmp_path, 3, *messages))) > 1
    assert len(set(chosen(tmp_path, 3, *messages, more='modparam("dispatcher", "flags", 1)'))) == 1


def test_by_credentials_or_in_turn(tmp_path: Path) -> None:
    def message(number: int, user: str = "") -> bytes:
        digest = f'Digest username="{user}", realm="r", nonce="n", uri="sip:x", response="{"0" * 32}"'
        lines = [f"Proxy-Authorization: {digest}"] if user else []
        return request("INVITE", "sip:b@x", *lines, call_id=f"c{number}", branch=f"z9hG4bK{number}")

    assert len(set(chosen(tmp_path, 5, *(message(n, "alice") for n in range(5))))) == 1
    assert len(set(chosen(tmp_path, 5, *(message(n, f"u{n}") for n in range(20))))) == 3
    assert chosen(tmp_path, 5, *(message(n) for n in range(4))) == [A, B, C, A]


@pytest.mark.parametrize(
    ("text", "user_only", "hashed"),
    [
        ("sip:Bob@EXAMPLE.com;x=y", False, "Bob@example.com"),
        ("sip:bob@example.com:5060", False, "bob@example.com"),
        ("sip:bob@example.com:5070", False, "bob@example.com:5070"),
        ("sip:example.com", False, "@example.com"),
        ("sip:bob@example.com", True, "bob"),
        ("sip:example.com", True, "@example.com"),
        ("tel:+1234;phone-context=x", True, "+1234"),
    ],
)
def test_what_is_hashed(text: str, user_only: bool, hashed: str) -> None:
    assert uri_text(text, user_only=user_only) == hashed


def test_the_hash_is_the_same_everywhere() -> None:
    assert hash_of("bob@example.com") == 1687415802
    with pytest.raises(RemoteError):
        uri_text("nonsense", user_only=False)
