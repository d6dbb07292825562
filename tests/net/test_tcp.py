from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from openpy.net import tcp as tcp_module
from openpy.net.tcp import TcpConnection, TcpConnections
from openpy.sip.errors import RemoteError

LOCAL = "127.0.0.1"
MESSAGE = b"OPTIONS sip:a SIP/2.0\r\nContent-Length: 2\r\n\r\nhi"


class Wire:
    """All connections of one side, and what was heard of them."""

    def __init__(self, **options: float) -> None:
        self.heard: list[tuple[bytes, TcpConnection]] = []
        self.broken: list[tuple[bytes, RemoteError]] = []
        self.lost: list[TcpConnection] = []
        self.bursts = 0
        self.tcp = TcpConnections(
            received=lambda data, flow: self.heard.append((data, flow)),
            broken=self._broken,
            lost=self.lost.append,
            burst_ended=self._burst_ended,
            **options,  # type: ignore[arg-type]
        )
        self.port = self.tcp.bind(LOCAL, 0)

    def _broken(self, head: bytes, flow: TcpConnection, error: RemoteError) -> None:
        self.broken.append((head, error))
        flow.send(b"refused")

    def _burst_ended(self) -> None:
        self.bursts += 1


def on_the_wire(play: Callable[[Wire], Coroutine[Any, Any, None]], **options: float) -> None:
    async def live() -> None:
        wire = Wire(**options)
        await wire.tcp.start(asyncio.get_running_loop())
        try:
            await play(wire)
        finally:
            wire.tcp.close()
            await asyncio.sleep(0.01)

    asyncio.run(live())


async def until(condition: Callable[[], object]) -> None:
    while not condition():
        await asyncio.sleep(0.002)


def test_messages_are_cut_out_of_the_stream_and_answered_on_it() -> None:
    async def play(wire: Wire) -> None:
        reader, writer = await asyncio.open_connection(LOCAL, wire.port)
        writer.write(MESSAGE + MESSAGE[:10])
        await until(lambda: wire.heard)
        writer.write(MESSAGE[10:])
        await until(lambda: len(wire.heard) == 2)
        (first, flow), (second, again) = wire.heard
        assert first == second == MESSAGE
        assert flow is again
        assert (flow.host, flow.port) == writer.get_extra_info("sockname")
        assert (flow.local_host, flow.local_port) == (LOCAL, wire.port)
        assert (flow.transport, flow.reliable, flow.is_open) == ("tcp", True, True)
        flow.send(b"answer")
        assert await reader.readexactly(6) == b"answer"
        assert (wire.tcp.counts.received, wire.tcp.counts.sent) == (2, 1)
        assert wire.tcp.find(flow.host, flow.port) is flow
        assert len(wire.tcp) == 1
        assert wire.bursts >= 2
        writer.close()
        await until(lambda: wire.lost)
        assert wire.tcp.find(flow.host, flow.port) is None
        flow.send(b"too late")
        flow.close()
        assert wire.tcp.counts.dropped == 1
        assert not flow.is_open

    on_the_wire(play)


def test_a_double_line_end_is_answered_by_one() -> None:
    async def play(wire: Wire) -> None:
        reader, writer = await asyncio.open_connection(LOCAL, wire.port)
        writer.write(b"\r\n\r\n" + MESSAGE + b"\r\n\r\n")
        assert await reader.readexactly(4) == b"\r\n\r\n"
        assert len(wire.heard) == 1
        writer.close()

    on_the_wire(play)


def test_lost_framing_is_told_and_ends_the_connection() -> None:
    async def play(wire: Wire) -> None:
        reader, writer = await asyncio.open_connection(LOCAL, wire.port)
        writer.write(MESSAGE + b"OPTIONS sip:a SIP/2.0\r\nCall-ID: x\r\n\r\n")
        assert await reader.read() == b"refused"
        assert [data for data, _ in wire.heard] == [MESSAGE]
        ((head, error),) = wire.broken
        assert b"Call-ID: x" in head
        assert error.status == 400
        writer.close()

    on_the_wire(play)


def test_a_message_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp_module, "MESSAGE_LIMIT", 1000)

    async def play(wire: Wire) -> None:
        reader, writer = await asyncio.open_connection(LOCAL, wire.port)
        writer.write(b"x" * 5000)
        assert await reader.read() == b"refused"
        assert wire.broken[0][1].status == 513
        writer.close()

    on_the_wire(play)


def test_one_connection_too_many_is_closed_at_once() -> None:
    async def play(wire: Wire) -> None:
        _, first = await asyncio.open_connection(LOCAL, wire.port)
        await until(lambda: len(wire.tcp) == 1)
        reader, second = await asyncio.open_connection(LOCAL, wire.port)
        assert await reader.read() == b""
        assert (len(wire.tcp), wire.tcp.counts.refused) == (1, 1)
        assert wire.lost == []
        first.close()
        second.close()

    on_the_wire(play, limit=1)


def test_who_says_nothing_whole_is_closed_after_the_lifetime() -> None:
    async def play(wire: Wire) -> None:
        reader, silent = await asyncio.open_connection(LOCAL, wire.port)
        _, speaking = await asyncio.open_connection(LOCAL, wire.port)
        pongs, pinging = await asyncio.open_connection(LOCAL, wire.port)
        silent.write(MESSAGE[:-1])
        await asyncio.sleep(0.25)
        speaking.write(MESSAGE)
        pinging.write(b"\r\n\r\n")
        await until(lambda: wire.heard)
        assert await pongs.readexactly(2) == b"\r\n"
        wire.tcp.close_idle()
        assert await reader.read() == b""
        await until(lambda: len(wire.tcp) == 2)
        for writer in (silent, speaking, pinging):
            writer.close()

    on_the_wire(play, lifetime=0.2)


def test_who_does_not_read_loses_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp_module, "SEND_LIMIT", 1000)

    async def play(wire: Wire) -> None:
        with socket.socket() as phone:
            phone.connect((LOCAL, wire.port))
            phone.sendall(MESSAGE)
            await until(lambda: wire.heard)
            flow = wire.heard[0][1]
            for _ in range(100):
                flow.send(b"x" * 1_000_000)
                if wire.tcp.counts.dropped:
                    break
            await until(lambda: wire.lost)
        assert wire.tcp.counts.dropped == 1

    on_the_wire(play)


def test_a_connection_is_opened_once_and_shared() -> None:
    async def play(wire: Wire) -> None:
        other = Wire()
        await other.tcp.start(asyncio.get_running_loop())
        opened: list[TcpConnection | None] = []
        wire.tcp.connect(LOCAL, other.port, opened.append)
        wire.tcp.connect(LOCAL, other.port, opened.append)
        await until(lambda: len(opened) == 2)
        wire.tcp.connect(LOCAL, other.port, opened.append)
        assert opened[0] is opened[1] is opened[2] is wire.tcp.find(LOCAL, other.port)
        assert opened[0] is not None
        opened[0].send(MESSAGE)
        await until(lambda: other.heard)
        assert len(other.tcp) == 1
        other.tcp.close()
        await until(lambda: wire.lost)
        assert wire.lost == [opened[0]]

    on_the_wire(play)


def test_a_peer_that_refuses_is_no_way() -> None:
    async def play(wire: Wire) -> None:
        opened: list[TcpConnection | None] = []
        wire.tcp.connect(LOCAL, 1, opened.append)
        await until(lambda: opened)
        assert opened == [None]
        assert wire.tcp.counts.dropped == 1

    on_the_wire(play)


def test_a_peer_that_is_silent_is_given_up() -> None:
    async def play(wire: Wire) -> None:
        opened: list[TcpConnection | None] = []
        with socket.socket() as deaf:
            deaf.bind((LOCAL, 0))
            deaf.listen(0)
            with socket.socket() as filler, socket.socket() as another:
                filler.setblocking(False)
                another.setblocking(False)
                for each in (filler, another):
                    each.connect_ex(deaf.getsockname())
                wire.tcp.connect(LOCAL, deaf.getsockname()[1], opened.append)
                await until(lambda: opened)
        assert opened == [None]

    on_the_wire(play, connect_timeout=0.1)


def test_closing_gives_up_what_is_being_opened() -> None:
    async def play(wire: Wire) -> None:
        opened: list[TcpConnection | None] = []
        wire.tcp.connect("192.0.2.1", 9, opened.append)
        await asyncio.sleep(0)
        wire.tcp.close()
        await until(lambda: opened)
        assert opened == [None]

    on_the_wire(play)


def test_an_address_that_is_taken() -> None:
    async def play(wire: Wire) -> None:
        with pytest.raises(OSError, match="Address already in use"):
            wire.tcp.bind(LOCAL, wire.port)

    on_the_wire(play)


def test_an_unopened_connection_sends_nothing() -> None:
    wire = Wire()
    connection = TcpConnection(wire.tcp)
    connection.send(b"x")
    connection.close()
    assert wire.tcp.counts.dropped == 1
    assert not connection.is_open
    wire.tcp.close()
