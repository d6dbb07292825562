from __future__ import annotations

from pathlib import Path

import pytest

from openpy.modules.nathelper.wires import Patience, UdpWire, UnixWire
from tests.modules.nathelper.relaying import Asker, Proxy, unix_proxy

QUICK = Patience(1, 2)


def test_by_udp() -> None:
    asker = Asker()
    replies: list[str | None] = []
    with Proxy() as proxy:
        wire = UdpWire(asker.services, "127.0.0.1", proxy.port)
        wire.ask("U one", QUICK, replies.append)
        wire.ask("U two", QUICK, replies.append)
        assert [proxy.serve(), proxy.serve()] == ["U one", "U two"]
        asker.read()
        assert replies == ["7002 198.51.100.88", "7004 198.51.100.88"]
        asker.run_for(10)
        assert len(replies) == 2
        wire.close()
        assert asker.watched == {}


def test_it_is_repeated_and_given_up() -> None:
    asker = Asker()
    replies: list[str | None] = []
    with Proxy() as proxy:
        wire = UdpWire(asker.services, "127.0.0.1", proxy.port)
        wire.ask("U", QUICK, replies.append)
        for _ in range(2):
            asker.run_for(1.1)
        assert [proxy.serve(answers=False) for _ in range(3)] == ["U"] * 3
        assert replies == []
        asker.run_for(1.1)
        assert replies == [None]
        wire.ask("V", QUICK, replies.append)
        proxy.serve(answers=False)
        asker.run_for(1.1)
        proxy.serve()
        asker.read()
        assert replies[1] == "7002 198.51.100.88"
        wire.close()


@pytest.mark.parametrize("host", ["nowhere.example", "silent.example"])
def test_a_host_that_cannot_be_found(host: str) -> None:
    asker = Asker()
    replies: list[str | None] = []
    wire = UdpWire(asker.services, host, 7777)
    wire.ask("U", QUICK, replies.append)
    for _ in range(3):
        asker.run_for(1.1)
    assert replies == [None]


def test_a_name_and_a_port_where_nobody_is() -> None:
    asker = Asker()
    replies: list[str | None] = []
    with Proxy() as proxy:
        port = proxy.port
    wire = UdpWire(asker.services, "relay.example", port)
    wire.ask("U", QUICK, replies.append)
    for _ in range(3):
        asker.read()
        asker.run_for(1.1)
    assert replies == [None]
    wire.close()


def test_what_is_not_a_reply_to_us() -> None:
    asker = Asker()
    replies: list[str | None] = []
    with Proxy() as proxy:
        wire = UdpWire(asker.services, "127.0.0.1", proxy.port)
        wire.ask("U", QUICK, replies.append)
        _, peer = proxy.socket.recvfrom(100)
        for data in (b"", b"other 7000", b"\xff\xfe"):
            proxy.socket.sendto(data, peer)
        asker.read()
        assert replies == []
        wire.close()
        assert replies == [None]


def test_in_the_file_system(tmp_path: Path) -> None:
    asker = Asker()
    replies: list[str | None] = []
    wire = UnixWire(asker.services, str(tmp_path / "rtpproxy"))
    with unix_proxy(tmp_path / "rtpproxy") as listening:
        wire.ask("U one", QUICK, replies.append)
        peer, _ = listening.accept()
        assert peer.recv(100) == b"U one\n"
        peer.sendall(b"7000 198.51.100.1\n")
        asker.read()
        assert (replies, asker.watched) == (["7000 198.51.100.1"], {})
        peer.close()
        wire.ask("U two", QUICK, replies.append)
        peer, _ = listening.accept()
        peer.close()
        asker.read()
        wire.ask("U three", QUICK, replies.append)
        asker.run_for(3.2)
        assert replies[1:] == [None, None]
        wire.close()


def test_many_at_once_wait_to_be_let_in(tmp_path: Path) -> None:
    asker = Asker()
    replies: list[str | None] = []
    wire = UnixWire(asker.services, str(tmp_path / "rtpproxy"))
    with unix_proxy(tmp_path / "rtpproxy") as listening:
        for _ in range(12):  # 5 or so may wait
            wire.ask("U", QUICK, replies.append)
        assert replies == []
        for _ in range(12):
            peer, _ = listening.accept()
            peer.sendall(b"7000\n")
            peer.close()
            asker.read()
            asker.run_for(0.11)
        assert replies == ["7000"] * 12
        for _ in range(12):
            wire.ask("U", QUICK, replies.append)
        for _ in range(40):
            asker.run_for(0.11)
        assert replies[12:] == [None] * 12
        assert asker.watched == {}


def test_nobody_in_the_file_system(tmp_path: Path) -> None:
    replies: list[str | None] = []
    UnixWire(Asker().services, str(tmp_path / "absent")).ask("U", QUICK, replies.append)
    assert replies == [None]
