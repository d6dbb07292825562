from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Callable, Coroutine
from itertools import pairwise
from typing import Any

import pytest

from openpy.net import tcp as tcp_module
from openpy.net.connection import Bounds, TcpConnection
from openpy.net.tcp import ALIASES, BURST, PIECE, READ, TcpConnections, TcpLimits
from openpy.sip.errors import RemoteError

LOCAL = "127.0.0.1"
MESSAGE = b"OPTIONS sip:a SIP/2.0\r\nContent-Length: 2\r\n\r\nhi"


class Wire:
    """All connections of one side, and what was heard of them."""

    def __init__(self, limits: TcpLimits | None = None) -> None:
        self.heard: list[tuple[bytes, TcpConnection]] = []
        self.broken: list[tuple[bytes, RemoteError]] = []
        self.lost: list[TcpConnection] = []
        self.peers: list[asyncio.StreamWriter] = []
        self.bursts = 0
        self.tcp = TcpConnections(
            received=lambda data, flow: self.heard.append((data, flow)),
            broken=self._broken,
            lost=self.lost.append,
            burst_ended=self._burst_ended,
            limits=limits,
        )
        self.port = self.tcp.bind(LOCAL, 0)

    async def join(self, host: str = LOCAL) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A peer from this address, whose end of the connection is closed with the test."""
        reader, writer = await asyncio.open_connection(LOCAL, self.port, local_addr=(host, 0))
        self.peers.append(writer)
        return reader, writer

    def _broken(self, head: bytes, flow: TcpConnection, error: RemoteError) -> None:
        self.broken.append((head, error))
        flow.send(b"refused")

    def _burst_ended(self) -> None:
        self.bursts += 1


def on_the_wire(play: Callable[[Wire], Coroutine[Any, Any, None]], limits: TcpLimits | None = None) -> None:
    async def live() -> None:
        wire = Wire(limits)
        await wire.tcp.start(asyncio.get_running_loop())
        try:
            await play(wire)
        finally:
            wire.tcp.close()
            for writer in wire.peers:
                writer.close()
            await asyncio.sleep(0.01)

    asyncio.run(live())


async def until(condition: Callable[[], object]) -> None:
    while not condition():
        await asyncio.sleep(0.002)


def test_messages_are_cut_out_of_the_stream_and_answered_on_it() -> None:
    async def play(wire: Wire) -> None:
        reader, writer = await wire.join()
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
        reader, writer = await wire.join()
        writer.write(b"\r\n\r\n" + MESSAGE + b"\r\n\r\n")
        assert await reader.readexactly(4) == b"\r\n\r\n"
        assert len(wire.heard) == 1
        writer.close()

    on_the_wire(play)


def test_lost_framing_is_told_and_ends_the_connection() -> None:
    async def play(wire: Wire) -> None:
        reader, writer = await wire.join()
        writer.write(MESSAGE + b"OPTIONS sip:a SIP/2.0\r\nCall-ID: x\r\n\r\n")
        assert await reader.read() == b"refused"
        assert [data for data, _ in wire.heard] == [MESSAGE]
        ((head, error),) = wire.broken
        assert b"Call-ID: x" in head
        assert error.status == 400
        writer.close()

    on_the_wire(play)


def test_a_message_without_end_is_refused() -> None:
    async def play(wire: Wire) -> None:
        reader, writer = await wire.join()
        writer.write(b"x" * 5000)
        assert await reader.read() == b"refused"
        assert wire.broken[0][1].status == 513
        writer.close()

    on_the_wire(play, TcpLimits(bounds=Bounds(message=1000)))


# --- turns --------------------------------------------------------------------------------------------------------


def test_who_sends_much_does_not_keep_others_waiting() -> None:
    """A crowd at one address sends thousands; whoever comes from another one is served among the first."""

    async def play(wire: Wire) -> None:
        loop = asyncio.get_running_loop()
        crowd = [await wire.join() for _ in range(40)]
        _, other = await wire.join("127.0.0.2")
        await until(lambda: len(wire.tcp) == 41)
        for _, writer in crowd:
            writer.write(MESSAGE * 500)
        other.write(MESSAGE)
        await until(lambda: any(flow.host == "127.0.0.2" for _, flow in wire.heard))
        assert len(wire.heard) < 40 * 500 / 2
        turns: list[int] = []

        def count() -> None:
            turns.append(len(wire.heard))
            loop.call_soon(count)

        count()
        await until(lambda: len(wire.heard) == 40 * 500 + 1)
        most = BURST + max(READ, PIECE) // len(MESSAGE) + 1
        assert max(after - before for before, after in pairwise(turns)) <= 2 * most

    on_the_wire(play)


# --- places -------------------------------------------------------------------------------------------------------


async def ended(reader: asyncio.StreamReader) -> bool:
    """Whether the other side closes the connection."""
    with contextlib.suppress(ConnectionResetError):
        assert await reader.read() == b""
    return True


async def speaks(wire: Wire, host: str = LOCAL) -> asyncio.StreamReader:
    """A peer that has sent a message."""
    before = len(wire.heard)
    reader, writer = await wire.join(host)
    writer.write(MESSAGE)
    await until(lambda: len(wire.heard) > before)
    return reader


def test_who_never_spoke_gives_way_first() -> None:
    async def play(wire: Wire) -> None:
        await speaks(wire)
        first, _ = await wire.join()
        await until(lambda: len(wire.tcp) == 2)
        _, second = await wire.join()
        await until(lambda: len(wire.tcp) == 3)
        await speaks(wire)
        assert await ended(first)
        second.write(MESSAGE)
        await until(lambda: len(wire.heard) == 3)
        assert (len(wire.tcp), wire.tcp.counts.given_up, wire.tcp.counts.refused) == (3, 1, 0)
        assert len(wire.lost) == 1

    on_the_wire(play, TcpLimits(connections=3))


def test_where_all_have_spoken_the_address_with_the_most_gives_way() -> None:
    async def play(wire: Wire) -> None:
        alone = await speaks(wire, "127.0.0.2")
        first, _, third = [await speaks(wire) for _ in range(3)]
        wire.heard[1][1].send(b"?")
        assert await first.readexactly(1) == b"?"
        second = wire.heard[2][1]
        wire.peers[1].write(MESSAGE)
        await until(lambda: len(wire.heard) == 5)
        await speaks(wire, "127.0.0.3")
        await until(lambda: not second.is_open)
        await speaks(wire, "127.0.0.4")
        assert await ended(third), "the first one spoke after it"
        assert (len(wire.tcp), wire.tcp.counts.given_up, wire.tcp.counts.refused) == (4, 2, 0)
        assert not alone.at_eof()
        refused, _ = await wire.join("127.0.0.5")
        assert await ended(refused), "everybody has one"
        opened: list[TcpConnection | None] = []
        wire.tcp.connect(LOCAL, 1, opened.append)
        assert opened == [None]
        assert (len(wire.tcp), wire.tcp.counts.given_up, wire.tcp.counts.refused) == (4, 2, 2)

    on_the_wire(play, TcpLimits(connections=4))


def test_a_keep_alive_is_no_message_but_shows_who_is_idle() -> None:
    async def play(wire: Wire) -> None:
        pongs, pinging = await wire.join()
        await until(lambda: len(wire.tcp) == 1)
        idle, _ = await wire.join()
        await until(lambda: len(wire.tcp) == 2)
        pinging.write(b"\r\n\r\n")
        assert await pongs.readexactly(2) == b"\r\n"
        await wire.join()
        assert await ended(idle)
        await wire.join()
        assert await ended(pongs)

    on_the_wire(play, TcpLimits(connections=2))


def test_one_address_has_only_so_many() -> None:
    async def play(wire: Wire) -> None:
        _, writer = await wire.join()
        await until(lambda: len(wire.tcp) == 1)
        refused, _ = await wire.join()
        assert await ended(refused)
        await wire.join("127.0.0.2")
        await until(lambda: len(wire.tcp) == 2)
        writer.close()
        await until(lambda: wire.lost)
        await wire.join()
        await until(lambda: len(wire.tcp) == 2)
        assert (wire.tcp.counts.refused, wire.tcp.counts.given_up) == (1, 0)

    on_the_wire(play, TcpLimits(source_connections=1))


class NoDescriptors:
    """A listening socket where no descriptor is left for so many calls."""

    def __init__(self, real: socket.socket, calls: int) -> None:
        self._real = real
        self.calls = calls

    def accept(self) -> tuple[socket.socket, Any]:
        if self.calls:
            self.calls -= 1
            raise OSError(errno.EMFILE, "Too many open files")
        return self._real.accept()

    def fileno(self) -> int:
        return self._real.fileno()

    def close(self) -> None:
        self._real.close()


def test_where_descriptors_run_out_a_silent_one_gives_way_or_it_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tcp_module, "PAUSE", 0.05)

    async def play(wire: Wire) -> None:
        silent, _ = await wire.join()
        await until(lambda: len(wire.tcp) == 1)
        (listener,) = wire.tcp._listeners
        loop = asyncio.get_running_loop()
        loop.remove_reader(listener)
        poor = NoDescriptors(listener, 2)
        wire.tcp._listeners[:] = [poor]  # type: ignore[list-item]
        await wire.tcp.start(loop)
        before = loop.time()
        _, new = await wire.join()
        new.write(MESSAGE)
        assert await ended(silent)
        await until(lambda: wire.heard)
        assert poor.calls == 0
        assert loop.time() - before > 0.04, "it does not spin"

    on_the_wire(play)


# --- time -----------------------------------------------------------------------------------------------------------


def test_who_says_nothing_whole_is_closed_after_the_lifetime() -> None:
    async def play(wire: Wire) -> None:
        reader, silent = await wire.join()
        _, speaking = await wire.join()
        pongs, pinging = await wire.join()
        silent.write(MESSAGE[:-1])
        await asyncio.sleep(0.25)
        speaking.write(MESSAGE)
        pinging.write(b"\r\n\r\n")
        await until(lambda: wire.heard)
        assert await pongs.readexactly(2) == b"\r\n"
        wire.tcp.close_overdue()
        assert await ended(reader)
        await until(lambda: len(wire.tcp) == 2)
        await asyncio.sleep(0.25)
        wire.tcp.close_overdue()
        await until(lambda: len(wire.tcp) == 0)

    on_the_wire(play, TcpLimits(lifetime=0.2))


def test_a_message_has_its_time_however_often_an_octet_comes() -> None:
    async def play(wire: Wire) -> None:
        reader, slow = await wire.join()
        _, busy = await wire.join()
        busy.write(MESSAGE[:5])
        for octet in MESSAGE[:10]:
            slow.write(bytes((octet,)))
            await asyncio.sleep(0.03)
        busy.write(MESSAGE[5:] + MESSAGE[:5])
        await until(lambda: wire.heard)
        wire.tcp.close_overdue()
        assert await ended(reader)
        assert (len(wire.tcp), wire.tcp.counts.given_up) == (1, 1)

    on_the_wire(play, TcpLimits(message_time=0.2))


def test_what_is_sent_must_be_taken_in_time() -> None:
    async def play(wire: Wire) -> None:
        with socket.socket() as phone:
            phone.connect((LOCAL, wire.port))
            phone.sendall(MESSAGE)
            await until(lambda: wire.heard)
            flow = wire.heard[0][1]
            flow.send(b"x" * 8_000_000)
            await asyncio.sleep(0.1)
            wire.tcp.close_overdue()
            await until(lambda: wire.lost)
        assert (wire.tcp.counts.given_up, wire.tcp.counts.dropped) == (1, 0)

    on_the_wire(play, TcpLimits(send_timeout=0.05))


# --- memory ---------------------------------------------------------------------------------------------------------


def test_who_does_not_read_loses_the_connection() -> None:
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

    on_the_wire(play, TcpLimits(bounds=Bounds(send_buffer=1000)))


def test_what_all_hold_together_is_bounded_each_way() -> None:
    async def play(wire: Wire) -> None:
        first, begun = await wire.join()
        begun.write(MESSAGE[:8])
        await until(lambda: wire.bursts)
        _, second = await wire.join()
        second.write(MESSAGE[:7])
        assert await ended(first)
        second.write(MESSAGE[7:])
        await until(lambda: wire.heard)
        with socket.socket() as phone:
            phone.connect((LOCAL, wire.port))
            phone.sendall(MESSAGE)
            await until(lambda: len(wire.heard) == 2)
            wire.heard[1][1].send(b"x" * 8_000_000)
            await until(lambda: len(wire.lost) == 2)
        assert wire.tcp.counts.given_up == 2

    on_the_wire(play, TcpLimits(held=14))


# --- connections of our own -----------------------------------------------------------------------------------------


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

    on_the_wire(play, TcpLimits(connect_timeout=0.1))


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


def test_a_connection_of_our_own_gives_no_place_away() -> None:
    async def play(wire: Wire) -> None:
        with socket.create_server((LOCAL, 0)) as peer:
            opened: list[TcpConnection | None] = []
            wire.tcp.connect(LOCAL, peer.getsockname()[1], opened.append)
            await until(lambda: opened)
            refused, _ = await wire.join()
            assert await ended(refused)
            assert opened[0] is not None
            assert opened[0].is_open

    on_the_wire(play, TcpLimits(connections=1))


# --- aliases --------------------------------------------------------------------------------------------------------


def test_a_connection_serves_for_another_port_of_its_peer() -> None:
    async def play(wire: Wire) -> None:
        for _ in range(2):
            _, writer = await wire.join()
            writer.write(MESSAGE)
        await until(lambda: len(wire.heard) == 2)
        first, second = (flow for _, flow in wire.heard)
        assert wire.tcp.add_alias(first, 5060)
        assert wire.tcp.add_alias(first, 5060)
        assert wire.tcp.find(LOCAL, 5060) is first
        assert not wire.tcp.add_alias(second, 5060), "nobody takes over what another one serves for"
        assert not wire.tcp.add_alias(second, first.port)
        for port in range(5061, 5061 + ALIASES - 1):
            assert wire.tcp.add_alias(first, port)
        assert not wire.tcp.add_alias(first, 6000)
        first.close()
        await until(lambda: wire.lost)
        assert wire.tcp.find(LOCAL, 5060) is None
        assert not wire.tcp.add_alias(first, 5070)
        assert wire.tcp.add_alias(second, 5060)

    on_the_wire(play)


def test_what_is_no_connection_has_no_alias() -> None:
    async def play(wire: Wire) -> None:
        assert not wire.tcp.add_alias(object(), 5060)

    on_the_wire(play)
