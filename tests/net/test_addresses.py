from __future__ import annotations

import ctypes
import fcntl
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


def test_further_ipv4_addresses_of_an_interface(monkeypatch: pytest.MonkeyPatch) -> None:
    table = [(LOOPBACK, "127.0.0.1"), ("eth9", "192.0.2.1"), (LOOPBACK, "192.0.2.2"), ("lo:1", "192.0.2.3")]
    assert (LOOPBACK, "127.0.0.1") in addresses._ipv4_addresses()
    monkeypatch.setattr(addresses, "_ipv4_addresses", lambda: table)
    ipv4 = [address for address in interface_addresses(LOOPBACK) if ":" not in address]
    assert ipv4 == ["127.0.0.1", "192.0.2.2", "192.0.2.3"]


def test_as_many_addresses_as_there_are_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    one = addresses._IFREQ.pack(b"eth9", socket.inet_aton("192.0.2.1"))

    def ioctl(probe: object, request: int, asked: bytes) -> bytes:
        room, place = addresses._IFCONF.unpack(asked)
        octets = (one * 9)[:room]
        ctypes.memmove(place, octets, len(octets))
        return addresses._IFCONF.pack(len(octets), place)

    monkeypatch.setattr(fcntl, "ioctl", ioctl)
    assert addresses._ipv4_addresses() == [("eth9", "192.0.2.1")] * 9


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


@pytest.mark.parametrize("host", ["127.1", "127", "0x7f000001", "0177.0.0.1", "127.0.0.0x1"])
def test_what_is_neither_a_name_nor_an_address_has_none(host: str) -> None:
    with pytest.raises(socket.gaierror):
        resolve_host(host)
    assert resolve_host("127.0.0.1") == ["127.0.0.1"]


def test_ipv4_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    def answers(host: str, port: object, type: int) -> list[tuple[object, ...]]:  # noqa: A002
        return [(0, 0, 0, "", (text, 0)) for text in ("2001:db8::1", "192.0.2.1", "192.0.2.1")]

    monkeypatch.setattr(socket, "getaddrinfo", answers)
    assert resolve_host("both.example") == ["192.0.2.1", "2001:db8::1"]


def test_all_addresses_are_ipv4_and_hold_the_loopback() -> None:
    found = all_addresses()
    assert "127.0.0.1" in found
    assert not [address for address in found if ":" in address]
