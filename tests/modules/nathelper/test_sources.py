from __future__ import annotations

import sys

import pytest

from openpy.modules.nathelper.sources import Source, is_private, is_same_address


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("10.0.0.0", True),
        ("10.255.255.255", True),
        ("11.0.0.0", False),
        ("172.15.255.255", False),
        ("172.16.0.0", True),
        ("172.31.255.255", True),
        ("172.32.0.0", False),
        ("192.168.77.1", True),
        ("192.169.0.1", False),
        ("100.64.0.1", False),
        ("fd00::1", False),
        ("[::1]", False),
        ("phone.local", False),
        ("10.0.0", False),
        ("", False),
    ],
)
def test_private_addresses(host: str, expected: bool) -> None:
    assert is_private(host) is expected


def test_what_is_too_long_for_an_address_is_not_remembered() -> None:
    """A stranger can send 64 KiB of it, as often as he likes."""
    host = "10." + "0" * 60_000
    references = sys.getrefcount(host)
    assert not is_private(host)
    assert not is_same_address(host, "192.0.2.1")
    assert sys.getrefcount(host) == references


def test_the_same_address() -> None:
    assert is_same_address("192.0.2.1", "192.0.2.1")
    assert is_same_address("[2001:DB8:0::1]", "2001:db8::1")
    assert not is_same_address("192.0.2.1", "192.0.2.2")
    assert not is_same_address("localhost", "127.0.0.1")


@pytest.mark.parametrize(
    ("source", "uri"),
    [
        (Source("192.0.2.1", 5062, "udp"), "sip:192.0.2.1:5062"),
        (Source("2001:db8::1", 5062, "tcp"), "sip:[2001:db8::1]:5062;transport=TCP"),
        (Source("192.0.2.1", 5062, "tls"), "sip:192.0.2.1:5062;transport=TLS"),
        (Source("192.0.2.1", 5062, "wss"), "sip:192.0.2.1:5062;transport=WS"),
    ],
)
def test_the_way_back(source: Source, uri: str) -> None:
    assert source.uri == uri
