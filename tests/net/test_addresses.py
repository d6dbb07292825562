from __future__ import annotations

import socket

import pytest

from openpy.net import addresses
from openpy.net.addresses import all_addresses, interface_addresses, resolve_host, resolve_listen

LOOPBACK = "lo"


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", ["127.0.0.1"]),
        ("[::1]", ["::1"]),
        ("2001:DB8:0::1", ["2001:db8::1"]),
        ("localhost", ["127.0.0.1"]),
    ],
)
def test_what_listen_names(host: str, expected: list[str]) -> None:
    assert resolve_listen(host) == expected


def test_an_interface_is_all_its_addresses() -> None:
    assert resolve_listen(LOOPBACK) == interface_addresses(LOOPBACK)
    assert "127.0.0.1" in interface_addresses(LOOPBACK)


def test_an_interface_without_an_address_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "interface_addresses", lambda name: [])
    with pytest.raises(OSError, match="interface lo has no address"):
        resolve_listen(LOOPBACK)


def test_no_such_interface_has_addresses() -> None:
    assert interface_addresses("nope0") == []


def test_ipv6_addresses_are_read_and_link_local_ones_left_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    from pathlib import Path

    table = Path(str(tmp_path)) / "if_inet6"
    table.write_text(
        "20010db8000000000000000000000001 02 40 00 80     eth9\n"
        "fe800000000000000000000000000001 02 40 20 80     eth9\n"
        "00000000000000000000000000000001 01 80 10 80       lo\n"
    )
    monkeypatch.setattr(addresses, "_IF_INET6", table)
    assert interface_addresses("eth9") == ["2001:db8::1"]
    monkeypatch.setattr(addresses, "_IF_INET6", table.with_name("absent"))
    assert interface_addresses("eth9") == []


def test_a_name_that_does_not_resolve() -> None:
    with pytest.raises(OSError, match=r"."):
        resolve_listen("nowhere.invalid")


def test_ipv4_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    def answers(host: str, port: object, type: int) -> list[tuple[object, ...]]:  # noqa: A002
        return [(0, 0, 0, "", (text, 0)) for text in ("2001:db8::1", "192.0.2.1", "192.0.2.1")]

    monkeypatch.setattr(socket, "getaddrinfo", answers)
    assert resolve_host("both.example") == ["192.0.2.1", "2001:db8::1"]


def test_all_addresses_are_ipv4_and_hold_the_loopback() -> None:
    found = all_addresses()
    assert "127.0.0.1" in found
    assert not [address for address in found if ":" in address]
