"""An event loop in virtual time."""

from __future__ import annotations

import asyncio

import pytest

from openpy.testing.loop import VirtualLoop
from openpy.testing.network import Network, Weather
from openpy.testing.world import START, Violation, World
from tests.testing.life import Life


def test_the_loop_turns_as_asyncio_does() -> None:
    world = World(1)
    loop = VirtualLoop(Life(world))
    told: list[tuple[str, float]] = []

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(seconds)
        told.append((f"{seconds}", world.now - START))

    async def play() -> None:
        await asyncio.gather(sleep(2.0), sleep(1.0))
        told.append((await asyncio.to_thread(lambda: "from a thread"), world.now - START))

    task = loop.create_task(play())
    world.run(10.0)
    assert task.result() is None
    assert told == [("1.0", 1.0), ("2.0", 2.0), ("from a thread", 2.0)]


def test_an_error_in_a_callback_is_a_breach() -> None:
    world = World(1)
    VirtualLoop(Life(world)).call_later(1.0, lambda: 1 // 0)
    with pytest.raises(Violation, match="ZeroDivisionError"):
        world.run(2.0)


def test_a_socket_is_read_when_there_is_something_to_read_and_as_long_as_it_is_wanted() -> None:
    world = World(1)
    network = Network(world)
    network.weather = Weather(delay=0.0)
    loop = VirtualLoop(Life(world))
    socket = network.socket(loop.arrived)
    socket.bind(("192.0.2.1", 5060))
    read: list[bytes] = []
    loop.add_reader(socket, lambda: read.append(socket.recvfrom(100)[0]))
    for data in (b"1", b"2"):
        network.send(data, ("192.0.2.2", 1), ("192.0.2.1", 5060))
    world.run(1.0)
    assert read == [b"1", b"2"]
    assert loop.remove_reader(socket)
    assert not loop.remove_reader(socket)
    assert not loop.remove_writer(socket)
    network.send(b"3", ("192.0.2.2", 1), ("192.0.2.1", 5060))
    world.run(1.0)
    assert read == [b"1", b"2"]


def test_nobody_listens_on_tcp_and_what_a_thread_raises_is_told() -> None:
    world = World(1)
    loop = VirtualLoop(Life(world))

    async def play() -> list[str]:
        told = []
        for step in (asyncio.to_thread(lambda: 1 // 0), loop.sock_connect("socket", ("192.0.2.1", 5060))):
            try:
                await step
            except (ZeroDivisionError, ConnectionRefusedError) as error:
                told.append(type(error).__name__)
        return told

    task = loop.create_task(play())
    world.run(1.0)
    assert task.result() == ["ZeroDivisionError", "ConnectionRefusedError"]


def test_what_a_killed_process_leaves_is_no_breach() -> None:
    world = World(1)
    loop = VirtualLoop(Life(world))
    loop.over = True
    loop.call_exception_handler({"message": "a task was destroyed"})
    world.run(1.0)
