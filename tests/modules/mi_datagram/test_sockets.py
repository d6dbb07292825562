from __future__ import annotations

import os
import select
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from openpy.engine.fileaccess import Access
from openpy.engine.module import ArgumentError, ModuleError
from openpy.modules.mi_datagram.sockets import LONGEST, DatagramSocket, UdpAddress, UnixPath, socket_address
from tests.ports import family_of

ACCESS = Access(0o660)


@contextmanager
def opened(address: UdpAddress | UnixPath, access: Access = ACCESS) -> Iterator[DatagramSocket]:
    made = DatagramSocket(address)
    made.open(access)
    try:
        yield made
    finally:
        made.close()
        made.close()


def arrived(made: DatagramSocket) -> tuple[bytes, object]:
    assert select.select([made.descriptor], [], [], 10)[0]
    received = made.receive()
    assert received is not None
    return received


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/tmp/openser.sock", UnixPath("/tmp/openser.sock")),
        ("udp:127.0.0.1:8080", UdpAddress("127.0.0.1", 8080)),
        ("UDP:localhost:1024", UdpAddress("localhost", 1024)),
        ("udp:[2001:db8::1]:65535", UdpAddress("2001:db8::1", 65535)),
        ("udp:::1:8080", UdpAddress("::1", 8080)),
    ],
)
def test_addresses(text: str, expected: UdpAddress | UnixPath) -> None:
    assert socket_address(text) == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("tmp/openser.sock", "is no socket"),
        ("tcp:127.0.0.1:8080", "is no socket"),
        ("udp:", "names no address"),
        ("udp::8080", "names no address"),
        ("udp:127.0.0.1", "no port specified"),
        ("udp:127.0.0.1:", "no port specified"),
        ("udp:[2001:db8::1]", "no port specified"),
        ("udp:127.0.0.1:80", "the port 80 is not between 1024 and 65535"),
        ("udp:127.0.0.1:65536", "the port 65536 is not"),
        ("udp:127.0.0.1:http", "the port http is not"),
        ("/" + "x" * 107, "107 octets at most"),
    ],
)
def test_what_is_no_address(text: str, why: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        socket_address(text)
    assert why in caught.value.text


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_udp(host: str) -> None:
    with opened(UdpAddress(host, 0)) as made:
        assert not made.is_for_others
        family = family_of(host)
        with socket.socket(family, socket.SOCK_DGRAM) as client:
            client.settimeout(10)
            client.bind((host, 0))
            client.sendto(b"question", made._open.getsockname())
            data, peer = arrived(made)
            assert data == b"question"
            assert made.receive() is None
            assert made.send(b"answer", peer)
            assert client.recv(100) == b"answer"


def test_one_that_others_reach() -> None:
    with opened(UdpAddress("0.0.0.0", 0)) as made:
        assert made.is_for_others


def test_a_port_that_is_taken_and_a_host_that_is_none() -> None:
    with opened(UdpAddress("127.0.0.1", 0)) as made:
        port = made._open.getsockname()[1]
        with pytest.raises(
            ModuleError, match=f"cannot listen on udp:127.0.0.1:{port}: Address already in use"
        ):
            DatagramSocket(UdpAddress("127.0.0.1", port)).open(ACCESS)
    with pytest.raises(ModuleError, match="cannot resolve the host of udp:no host:8080"):
        DatagramSocket(UdpAddress("no host", 8080)).open(ACCESS)


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with opened(UnixPath(str(path))) as made, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
        assert stat.S_ISSOCK(path.stat().st_mode)
        assert not made.is_for_others
        client.settimeout(10)
        client.sendto(b"one", str(path))
        assert arrived(made) == (b"one", None)
        client.bind(str(tmp_path / "client"))
        client.sendto(b"two", str(path))
        data, peer = arrived(made)
        assert data == b"two"
        assert made.send(b"answer", peer)
        assert client.recv(100) == b"answer"
        client.close()
        (tmp_path / "client").unlink()
        assert not made.send(b"answer", peer)
    assert not path.exists()


def test_what_is_too_long_is_cut_behind_the_limit(tmp_path: Path) -> None:
    with (
        opened(UnixPath(str(tmp_path / "socket"))) as made,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client,
    ):
        client.sendto(b"x" * (LONGEST + 1000), str(tmp_path / "socket"))
        assert len(arrived(made)[0]) == LONGEST + 1


@pytest.mark.parametrize("mode", [0o600, 0o660, 0o666, 0o622])
def test_permissions_are_as_written_whatever_the_umask(tmp_path: Path, mode: int) -> None:
    before = os.umask(0o077)
    try:
        with opened(UnixPath(str(tmp_path / "socket")), Access(mode, os.getuid(), os.getgid())):
            assert stat.S_IMODE((tmp_path / "socket").stat().st_mode) == mode
    finally:
        os.umask(before)


def test_it_is_ours_alone_until_permissions_are_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, before, seen = tmp_path / "socket", os.umask(0), []

    def chmod(name: str, mode: int) -> None:
        seen.append(stat.S_IMODE(path.stat().st_mode))

    monkeypatch.setattr(os, "chmod", chmod)
    try:
        with opened(UnixPath(str(path))):
            assert seen == [0o600]
    finally:
        os.umask(before)


def test_what_stands_there_is_removed_first(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    path.write_text("old")
    with opened(UnixPath(str(path))):
        assert stat.S_ISSOCK(path.lstat().st_mode)


def test_the_file_of_another_server_is_left_alone(tmp_path: Path) -> None:
    address = UnixPath(str(tmp_path / "socket"))
    first = DatagramSocket(address)
    first.open(ACCESS)
    with opened(address):
        first.close()
        assert (tmp_path / "socket").exists()
    assert not (tmp_path / "socket").exists()


def test_what_cannot_be_made_stops_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModuleError, match=r"cannot make the socket .*/none/socket: No such file"):
        DatagramSocket(UnixPath(f"{tmp_path}/none/socket")).open(ACCESS)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "chown", refuse)
    with pytest.raises(ModuleError, match="Operation not permitted"):
        DatagramSocket(UnixPath(f"{tmp_path}/socket")).open(Access(0o660, 1))
    assert not (tmp_path / "socket").exists()
