from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable, Coroutine
from typing import Any, cast

import pytest

from openpy.net.connection import TcpConnection
from openpy.net.layer import ANYBODY, Bounds, Callee, Layer, PlainStack, Stack
from openpy.net.opening import Opening, Wanted
from openpy.net.websocket import WebSocketRules, WebSocketStack

STACKS: dict[str, Stack] = {
    "tcp": PlainStack(Bounds()),
    "ws": WebSocketStack(Bounds(), WebSocketRules()),
}


class Connection:
    """One that is up when the test says so."""

    def __init__(self, sock: socket.socket, transport: str) -> None:
        self.sock = sock
        self.transport = transport
        self.begun = 0

    def begin(self) -> None:
        self.begun += 1


class Wire:
    """What opens connections to a listener, and what was heard of them."""

    def __init__(self, patience: float) -> None:
        self.made: list[Connection] = []
        self.failures = 0
        self.told: list[object] = []
        self.has_room = True
        self.opening = Opening(STACKS, self._place, self._failed, patience)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]

    def ask(self, callee: Callee = ANYBODY, transport: str = "tcp") -> None:
        wanted = Wanted(transport, "127.0.0.1", self.port, callee)
        if not self.opening.joins(wanted, self.told.append):
            self.opening.begin(wanted, self.told.append, asyncio.get_running_loop())

    def _place(self, sock: socket.socket, layer: Layer, transport: str) -> TcpConnection | None:
        if not self.has_room:
            return None
        self.made.append(Connection(sock, transport))
        return cast(TcpConnection, self.made[-1])

    def _failed(self) -> None:
        self.failures += 1


def play(scene: Callable[[Wire], Coroutine[Any, Any, None]], patience: float = 5.0) -> None:
    async def live() -> None:
        wire = Wire(patience)
        try:
            await scene(wire)
        finally:
            wire.opening.cancel()
            wire.listener.close()
            for connection in wire.made:
                connection.sock.close()

    asyncio.run(live())


async def until(condition: Callable[[], object]) -> None:
    while not condition():
        await asyncio.sleep(0.002)


def up(wire: Wire, result: object) -> None:
    wire.opening.ended(cast(TcpConnection, wire.made[-1]), cast(TcpConnection, result))


def test_who_wants_the_same_one_shares_it_and_is_told_when_it_is_up() -> None:
    async def scene(wire: Wire) -> None:
        wire.ask()
        wire.ask()
        assert len(wire.opening) == 1
        await until(lambda: wire.made and wire.made[0].begun)
        assert (len(wire.opening), wire.told) == (0, []), "it has a place, and its handshake goes on"
        wire.ask()
        up(wire, wire.made[0])
        assert wire.told == [wire.made[0]] * 3
        up(wire, None)
        assert len(wire.told) == 3, "each is told once"
        wire.ask(Callee("a.example"))
        await until(lambda: len(wire.made) == 2)

    play(scene)


def test_one_that_is_gone_before_it_is_up() -> None:
    async def scene(wire: Wire) -> None:
        wire.ask()
        await until(lambda: wire.made)
        await asyncio.sleep(0)
        up(wire, None)
        assert wire.told == [None]

    play(scene)


def test_where_nobody_listens_or_nobody_answers() -> None:
    async def scene(wire: Wire) -> None:
        wire.listener.close()
        wire.ask()
        await until(lambda: wire.told)
        assert (wire.told, wire.failures, len(wire.opening)) == ([None], 1, 0)

    play(scene)

    async def patient(wire: Wire) -> None:
        loop = asyncio.get_running_loop()
        loop.sock_connect = lambda sock, address: asyncio.sleep(60)  # type: ignore[method-assign]
        wire.ask()
        await until(lambda: wire.told)
        assert (wire.told, wire.failures) == ([None], 1)

    play(patient, patience=0.01)


def test_where_descriptors_have_run_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    async def scene(wire: Wire) -> None:
        with monkeypatch.context() as meanwhile:
            meanwhile.setattr(socket, "socket", none)
            wire.ask()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        assert (wire.told, wire.failures, len(wire.opening)) == ([None], 1, 0)
        wire.ask()
        await until(lambda: wire.made)

    play(scene)


def test_where_none_is_opened_or_none_has_a_place() -> None:
    async def scene(wire: Wire) -> None:
        wire.ask(transport="ws")
        await until(lambda: wire.told)
        wire.has_room = False
        wire.ask()
        await until(lambda: len(wire.told) == 2)
        assert (wire.told, wire.failures, wire.made) == ([None, None], 0, [])

    play(scene)
