"""A network of datagrams."""

from __future__ import annotations

from functools import partial
from socket import SOL_SOCKET

import pytest

from openpy.testing.network import BUFFER, Address, Network, Weather
from openpy.testing.world import World

HERE, THERE = ("192.0.2.1", 5060), ("192.0.2.2", 5060)


@pytest.mark.parametrize(
    ("weather", "least", "most"),
    [
        (Weather(), 1000, 1000),
        (Weather(loss=0.3), 600, 800),
        (Weather(doubled=0.1), 1050, 1150),
    ],
)
def test_datagrams_are_lost_and_doubled(weather: Weather, least: int, most: int) -> None:
    world = World(1)
    network = Network(world)
    network.weather = weather
    arrived: list[bytes] = []
    network.attach(THERE, lambda data, _: arrived.append(data))
    for number in range(1000):
        network.send(b"%d" % number, HERE, THERE)
    world.run(10.0)
    assert least <= len(arrived) <= most


def test_datagrams_overtake_each_other_and_nothing_comes_through_a_cut() -> None:
    world = World(1)
    network = Network(world)
    network.weather = Weather(delay=0.001, reordered=0.2)
    arrived: list[int] = []

    def take(data: bytes, _: Address) -> None:
        arrived.append(int(data))

    network.attach(THERE, take)
    for number in range(100):
        world.at(number / 100, partial(network.send, b"%d" % number, HERE, THERE))
    world.run(2.0)
    assert sorted(arrived) == list(range(100)) != arrived
    network.cut_off.add(THERE[0])
    network.send(b"100", HERE, THERE)
    world.run(2.0)
    assert len(arrived) == 100


def test_a_socket_takes_what_comes_as_long_as_there_is_room() -> None:
    world = World(1)
    network = Network(world)
    told: list[tuple[str, bytes, Address, Address]] = []
    network.watch = lambda *event: told.append(event)
    arrivals: list[None] = []
    socket = network.socket(lambda: arrivals.append(None))
    socket.setblocking(False)
    socket.setsockopt(SOL_SOCKET, 1, 1)
    socket.bind(HERE)
    for _ in range(BUFFER + 1):
        network.send(b"in", THERE, HERE)
    world.run(1.0)
    assert len(arrivals) == BUFFER
    assert socket.recvfrom(10) == (b"in", THERE)
    assert socket.sendto(b"out", THERE) == 3
    assert told == [("read", b"in", THERE, HERE), ("sent", b"out", HERE, THERE)]
    socket.close()
    network.send(b"late", THERE, HERE)
    world.run(1.0)
    assert len(arrivals) == BUFFER


def test_port_0_is_a_free_one_and_no_kernel_tells_anything() -> None:
    network = Network(World(1))
    sockets = [network.socket(lambda: None) for _ in range(2)]
    for socket in sockets:
        socket.bind(("192.0.2.1", 0))
    first, second = (socket.getsockname() for socket in sockets)
    assert first != second
    assert first[1] > 0
    with pytest.raises(OSError, match="no kernel"):
        sockets[0].getsockopt(SOL_SOCKET, 1)
    with pytest.raises(BlockingIOError):
        sockets[0].recvfrom(10)
