from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from openpy.net.connection import TcpConnection
from openpy.net.layer import Callee
from openpy.net.peers import ALIASES, Peers


@dataclass(eq=False)
class Connection:
    host: str
    port: int
    transport: str = "tcp"
    is_open: bool = True
    name: str = "a.example"

    def proves(self, callee: Callee) -> bool:
        return callee.name in ("", self.name)


def connection(host: str = "192.0.2.1", port: int = 40000, transport: str = "tcp") -> TcpConnection:
    return cast(TcpConnection, Connection(host, port, transport))


def test_a_connection_serves_for_its_peer_its_transport_and_a_name_that_it_proves() -> None:
    peers, one = Peers(), connection()
    peers.add(one)
    assert peers.find("192.0.2.1", 40000, "tcp") is one
    assert peers.find("192.0.2.1", 40000, "tcp", Callee("a.example")) is one
    assert peers.find("192.0.2.1", 40000, "tcp", Callee("b.example")) is None
    assert peers.find("192.0.2.1", 40000, "tls") is None
    assert peers.find("192.0.2.1", 40001, "tcp") is None
    peers.drop(one)
    assert peers.find("192.0.2.1", 40000, "tcp") is None


def test_one_that_is_not_open_serves_for_nobody() -> None:
    peers, one = Peers(), Connection("192.0.2.1", 40000)
    peers.add(cast(TcpConnection, one))
    one.is_open = False
    assert peers.find("192.0.2.1", 40000, "tcp") is None
    assert not peers.add_alias(cast(TcpConnection, one), 5060)


def test_further_ports_are_those_of_the_same_address_and_only_so_many() -> None:
    peers, one, other = Peers(), connection(), connection("192.0.2.2")
    assert peers.add_alias(one, 5060)
    assert peers.find("192.0.2.1", 5060, "tcp") is one
    assert peers.find("192.0.2.2", 5060, "tcp") is None
    assert peers.add_alias(other, 5060)
    assert [peers.add_alias(one, port) for port in range(5061, 5061 + ALIASES)] == [True] * (ALIASES - 1) + [
        False
    ]
    peers.drop(one)
    assert peers.find("192.0.2.1", 5060, "tcp") is None
    assert peers.find("192.0.2.2", 5060, "tcp") is other


def test_what_one_serves_for_no_other_one_takes() -> None:
    peers, one, other = Peers(), connection(), connection(port=40001)
    assert peers.add_alias(one, 5060)
    assert peers.add_alias(one, 5060)
    assert not peers.add_alias(other, 5060)
    assert peers.add_name(one, "X.invalid")
    assert not peers.add_name(other, "x.INVALID")
    assert peers.find_name("x.Invalid", "tcp") is one
    assert peers.find_name("x.invalid", "ws") is None
    peers.drop(one)
    assert peers.find_name("x.invalid", "tcp") is None
    assert peers.add_name(other, "x.invalid")


def test_one_for_each_name_that_a_peer_proves_and_the_newest_first() -> None:
    peers, first, second, same = Peers(), connection(), connection(), connection()
    cast(Connection, second).name = cast(Connection, same).name = "b.example"
    for each in (first, second, same):
        peers.add(each)
    assert peers.find("192.0.2.1", 40000, "tcp", Callee("a.example")) is first
    assert peers.find("192.0.2.1", 40000, "tcp", Callee("b.example")) is same
    peers.drop(same)
    assert peers.find("192.0.2.1", 40000, "tcp", Callee("b.example")) is second
    cast(Connection, second).is_open = False
    assert peers.find("192.0.2.1", 40000, "tcp") is first
    peers.drop(second)
    peers.drop(first)
    assert peers._by_peer == {}
