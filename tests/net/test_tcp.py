from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import ssl
from collections.abc import Callable, Coroutine, Mapping
from itertools import pairwise
from typing import Any

import pytest
from wsproto import ConnectionType, WSConnection
from wsproto.events import CloseConnection, Request, TextMessage

from openpy.net import tcp as tcp_module
from openpy.net.connection import HANDSHAKE, TcpConnection
from openpy.net.layer import ANYBODY, Bounds, Callee, PlainStack, Stack
from openpy.net.peers import ALIASES
from openpy.net.tcp import BURST, PIECE, READ, TcpConnections, TcpLimits
from openpy.net.tls import ClientContexts, ServerContexts, TlsStack
from openpy.net.tlscontexts import TlsSettings, client_context, server_context
from openpy.net.websocket import WebSocketRules, WebSocketStack
from openpy.sip.errors import RemoteError
from tests.authority import Authority

LOCAL = "127.0.0.1"
MESSAGE = b"OPTIONS sip:a SIP/2.0\r\nContent-Length: 2\r\n\r\nhi"


class Wire:
    """All connections of one side, and what was heard of them."""

    def __init__(self, limits: TcpLimits | None = None, stacks: Mapping[str, Stack] | None = None) -> None:
        self.heard: list[tuple[bytes, TcpConnection]] = []
        self.broken: list[tuple[bytes, RemoteError]] = []
        self.lost: list[TcpConnection] = []
        self.peers: list[asyncio.StreamWriter] = []
        self.bursts = 0
        self.failed: list[str] = []
        self.stranded: list[bytes] = []
        self.takes_stranded = False
        self.answer = b""
        self.is_in_use = False
        self.tcp = TcpConnections(
            received=self._received,
            broken=self._broken,
            lost=self.lost.append,
            burst_ended=self._burst_ended,
            limits=limits,
            stacks=stacks,
            failed=lambda connection, why: self.failed.append(why),
            stranded=self._stranded,
            in_use=lambda connection: self.is_in_use,
        )
        self.port = self.tcp.bind(LOCAL, 0)

    async def join(self, host: str = LOCAL) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A peer from this address, whose end of the connection is closed with the test."""
        reader, writer = await asyncio.open_connection(LOCAL, self.port, local_addr=(host, 0))
        self.peers.append(writer)
        return reader, writer

    def _received(self, data: bytes, flow: TcpConnection) -> None:
        self.heard.append((data, flow))
        if self.answer:
            flow.send(self.answer)

    def _broken(self, head: bytes, flow: TcpConnection, error: RemoteError) -> None:
        self.broken.append((head, error))
        flow.send(b"refused")

    def _burst_ended(self) -> None:
        self.bursts += 1

    def _stranded(self, data: bytes, flow: TcpConnection) -> bool:
        self.stranded.append(data)
        return self.takes_stranded


def on_the_wire(
    play: Callable[[Wire], Coroutine[Any, Any, None]],
    limits: TcpLimits | None = None,
    stacks: Mapping[str, Stack] | None = None,
) -> None:
    async def live() -> None:
        wire = Wire(limits, stacks)
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
        wire.takes_stranded = True
        flow.send(b"by another way")
        assert (wire.stranded, wire.tcp.counts.dropped) == ([b"too late", b"by another way"], 1)
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
        wire.tcp._listeners.clear()
        wire.tcp._listeners[poor] = "tcp"  # type: ignore[index]
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


def test_what_is_sent_keeps_a_connection_too() -> None:
    async def play(wire: Wire) -> None:
        _, peer = await wire.join()
        peer.write(MESSAGE)
        await until(lambda: wire.heard)
        ((_, connection),) = wire.heard
        await asyncio.sleep(0.25)
        connection.send(b"ringing")
        wire.tcp.close_overdue()
        await asyncio.sleep(0.01)
        assert len(wire.tcp) == 1
        await asyncio.sleep(0.25)
        wire.tcp.close_overdue()
        await until(lambda: len(wire.tcp) == 0)

    on_the_wire(play, TcpLimits(lifetime=0.2))


def test_a_connection_that_something_is_waited_for_on_is_not_idle() -> None:
    async def play(wire: Wire) -> None:
        _, peer = await wire.join()
        peer.write(MESSAGE)
        await until(lambda: wire.heard)
        await asyncio.sleep(0.25)
        wire.is_in_use = True
        wire.tcp.close_overdue()
        await asyncio.sleep(0.01)
        assert len(wire.tcp) == 1
        wire.is_in_use = False
        wire.tcp.close_overdue()
        await until(lambda: len(wire.tcp) == 0)

    on_the_wire(play, TcpLimits(lifetime=0.2))


def test_a_connection_may_be_kept_though_it_says_nothing() -> None:
    async def play(wire: Wire) -> None:
        _, peer = await wire.join()
        peer.write(MESSAGE)
        await until(lambda: wire.heard)
        ((_, connection),) = wire.heard
        wire.tcp.keep(connection, 0.4)
        wire.tcp.keep(connection, 0.1)
        wire.tcp.keep(object(), 60)
        await asyncio.sleep(0.25)
        wire.tcp.close_overdue()
        assert len(wire.tcp) == 1
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


@pytest.mark.parametrize(("transport", "patience"), [("tcp", 32_000), ("tls", 40_000)])
def test_who_has_gone_without_a_word_is_found_out_by_what_is_sent(
    secured: dict[str, Stack], transport: str, patience: int
) -> None:
    async def play(wire: Wire) -> None:
        wire.port = wire.tcp.bind(LOCAL, 0, transport)
        await wire.tcp.start(asyncio.get_running_loop())
        await wire.join()
        await until(lambda: len(wire.tcp))
        (connection,) = wire.tcp._places
        assert connection._socket is not None
        assert connection._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == patience

    on_the_wire(play, TcpLimits(send_timeout=7, secure_send_timeout=40), secured)


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


def test_ours_stands_in_messages_with_an_address_that_is_listened_on() -> None:
    async def play(wire: Wire) -> None:
        other = TcpConnections(
            received=lambda *_: None, broken=lambda *_: None, lost=lambda *_: None, burst_ended=lambda: None
        )
        await other.start(asyncio.get_running_loop())

        async def ours() -> tuple[str, int]:
            opened: list[TcpConnection | None] = []
            other.connect(LOCAL, wire.port, opened.append)
            await until(lambda: opened)
            assert opened[0] is not None
            opened[0].abort()
            await until(lambda: not len(other))
            return opened[0].local_host, opened[0].local_port

        assert (await ours())[0] == LOCAL
        elsewhere = other.bind("127.0.0.2", 0)
        assert await ours() == ("127.0.0.2", elsewhere)
        anywhere = other.bind("0.0.0.0", 0)
        assert await ours() == (LOCAL, anywhere)
        here = other.bind(LOCAL, 0)
        assert await ours() == (LOCAL, here)
        other.close()

    on_the_wire(play)


def test_before_anything_is_accepted_connections_can_be_opened() -> None:
    async def play(wire: Wire) -> None:
        early = Wire()
        opened: list[TcpConnection | None] = []
        early.tcp.connect(LOCAL, wire.port, opened.append)
        await until(lambda: opened)
        assert opened[0] is not None
        opened[0].send(MESSAGE)
        await until(lambda: wire.heard)
        early.tcp.close()

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


def test_a_name_that_leads_nowhere_leads_to_its_connection() -> None:
    async def play(wire: Wire) -> None:
        await speaks(wire)
        await speaks(wire)
        first, second = (flow for _, flow in wire.heard)
        assert wire.tcp.add_name(first, "X1.invalid")
        assert not wire.tcp.add_name(second, "x1.INVALID"), "while it is open nobody else gets it"
        assert wire.tcp.find_name("x1.Invalid", "tcp") is first
        assert wire.tcp.find_name("x1.invalid", "ws") is None
        assert not wire.tcp.add_name(object(), "x2.invalid")
        first.close()
        await until(lambda: wire.lost)
        assert wire.tcp.find_name("x1.invalid", "tcp") is None
        assert wire.tcp.add_name(second, "x1.invalid")

    on_the_wire(play)


# --- layers ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def secured(authority: Authority) -> dict[str, Stack]:
    """TCP, WebSocket, and TLS with a certificate for a.example."""
    files = authority.of("a.example", "192.0.2.1")
    servers = server_context(TlsSettings(files.certificate, files.key, verify_client=False))
    clients = client_context(TlsSettings(ca_list=authority.ca))
    plain = PlainStack(Bounds())
    return {
        "tcp": plain,
        "tls": TlsStack(plain, ServerContexts(servers), ClientContexts(clients)),
        "ws": WebSocketStack(Bounds(), WebSocketRules()),
    }


def test_our_connections_by_tls_are_told_when_they_are_up_and_shared_by_name(
    secured: dict[str, Stack],
) -> None:
    async def play(wire: Wire) -> None:
        port = wire.tcp.bind(LOCAL, 0, "tls")
        await wire.tcp.start(asyncio.get_running_loop())
        told: list[TcpConnection | None] = []
        name, other = Callee("a.example"), Callee("b.example")
        wire.tcp.connect(LOCAL, port, told.append, "tls", name)
        wire.tcp.connect(LOCAL, port, told.append, "tls", name)
        assert not told
        await until(lambda: len(told) == 2)
        ours, same = told
        assert ours is same
        assert ours is not None
        assert (ours.transport, ours.is_ours, ours.is_open, ours.local_port) == ("tls", True, True, port)
        ours.send(MESSAGE)
        await until(lambda: wire.heard)
        ((_, theirs),) = wire.heard
        assert (theirs.transport, theirs.is_ours) == ("tls", False)
        assert wire.tcp.find(LOCAL, port, "tls", name) is ours
        assert wire.tcp.find(LOCAL, port, "tls", ANYBODY) is ours
        assert wire.tcp.find(LOCAL, port, "tls", other) is None
        assert wire.tcp.find(LOCAL, port) is None, "it is no connection of TCP"
        wire.tcp.connect(LOCAL, port, told.append, "tls", other)
        await until(lambda: len(told) == 3)
        assert told[2] is None, "the peer is not called so"
        assert "Hostname mismatch" in wire.failed[0]
        assert ours.is_open

    on_the_wire(play, None, secured)


def test_nobody_is_connected_to_by_web_socket_or_by_what_is_not_spoken(secured: dict[str, Stack]) -> None:
    async def play(wire: Wire) -> None:
        told: list[TcpConnection | None] = []
        wire.tcp.connect(LOCAL, wire.port, told.append, "sctp")
        assert told == [None]
        wire.tcp.connect(LOCAL, wire.port, told.append, "ws")
        await until(lambda: len(told) == 2)
        assert told == [None, None]

    on_the_wire(play, None, secured)


def test_whose_server_hangs_up_under_the_handshake_is_told(secured: dict[str, Stack]) -> None:
    async def play(wire: Wire) -> None:
        server = await asyncio.start_server(lambda _, writer: writer.close(), LOCAL, 0)
        told: list[TcpConnection | None] = []
        wire.tcp.connect(LOCAL, server.sockets[0].getsockname()[1], told.append, "tls", Callee("a.example"))
        await until(lambda: told)
        assert told == [None]
        assert wire.failed == ["the peer hung up"]
        server.close()
        await server.wait_closed()

    on_the_wire(play, None, secured)


def test_whose_server_speaks_no_tls_is_told_before_it_hangs_up(secured: dict[str, Stack]) -> None:
    async def play(wire: Wire) -> None:
        def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            wire.peers.append(writer)
            writer.write(b"no TLS at all\r\n")

        server = await asyncio.start_server(greet, LOCAL, 0)
        told: list[TcpConnection | None] = []
        wire.tcp.connect(LOCAL, server.sockets[0].getsockname()[1], told.append, "tls", Callee("a.example"))
        async with asyncio.timeout(5):
            await until(lambda: told)
        assert (told, wire.failed, wire.lost) == ([None], ["wrong version number"], [])
        server.close()

    on_the_wire(play, None, secured)


@pytest.mark.parametrize("transport", ["tls", "ws"])
@pytest.mark.parametrize("first", [b"", b"\x16\x03\x01\x02\x00\x01", b"GET / HTTP/1.1\r\nX:"])
def test_a_handshake_has_its_time(secured: dict[str, Stack], transport: str, first: bytes) -> None:
    if transport == "tls" and first[:1] == b"G":
        first = b"\x16\x03\x01"

    async def play(wire: Wire) -> None:
        wire.port = wire.tcp.bind(LOCAL, 0, transport)
        await wire.tcp.start(asyncio.get_running_loop())
        reader, writer = await wire.join()
        for octet in first:
            writer.write(bytes([octet]))
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.1)
        wire.tcp.close_overdue()
        await reader.read()
        await until(lambda: wire.lost)
        assert len(wire.failed) == 1
        assert (len(wire.tcp), wire.tcp.counts.failed_handshakes, wire.tcp._shaking) == (0, 1, {})

    on_the_wire(play, TcpLimits(handshake_time=0.05, message_time=0.08), secured)


def test_junk_instead_of_a_handshake_is_answered_and_ends_it(secured: dict[str, Stack]) -> None:
    async def play(wire: Wire) -> None:
        wire.port = wire.tcp.bind(LOCAL, 0, "tls")
        await wire.tcp.start(asyncio.get_running_loop())
        reader, writer = await wire.join()
        writer.write(b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00")
        assert (await reader.read())[:1] == b"\x15", "an alert"
        assert wire.failed == ["length too short"]
        writer.close()
        await until(lambda: wire.lost)
        assert wire.heard == []

    on_the_wire(play, None, secured)


def test_a_refused_web_socket_hears_why_though_it_goes_on_talking(secured: dict[str, Stack]) -> None:
    async def play(wire: Wire) -> None:
        wire.port = wire.tcp.bind(LOCAL, 0, "ws")
        await wire.tcp.start(asyncio.get_running_loop())
        reader, writer = await wire.join()
        writer.write(b"POST / HTTP/1.1\r\nHost: a\r\n\r\n" + b"x" * 100_000)
        assert (await reader.read()).startswith(b"HTTP/1.1 400")
        assert wire.failed == ["Request method must be GET"]
        await asyncio.sleep(0.06)
        wire.tcp.close_overdue()
        await until(lambda: wire.lost)

    on_the_wire(play, TcpLimits(message_time=0.05), secured)


def test_what_came_with_the_end_of_a_web_socket_cannot_be_answered(secured: dict[str, Stack]) -> None:
    async def play(wire: Wire) -> None:
        wire.port = wire.tcp.bind(LOCAL, 0, "ws")
        await wire.tcp.start(asyncio.get_running_loop())
        wire.answer = b"answer"
        reader, writer = await wire.join()
        client = WSConnection(ConnectionType.CLIENT)
        writer.write(client.send(Request(host="sip.example", target="/", subprotocols=["sip"])))
        client.receive_data(await reader.readuntil(b"\r\n\r\n"))
        writer.write(client.send(TextMessage("message")) + client.send(CloseConnection(1000)))
        client.receive_data(await reader.read())
        (_, closed) = client.events()
        assert isinstance(closed, CloseConnection)
        assert [data for data, _ in wire.heard] == [b"message"]
        assert wire.stranded == [b"answer"]
        writer.close()
        await until(lambda: wire.lost)

    on_the_wire(play, stacks=secured)


def test_steps_of_handshakes_count_for_more_than_messages(secured: dict[str, Stack]) -> None:
    async def play(wire: Wire) -> None:
        wire.port = wire.tcp.bind(LOCAL, 0, "tls")
        await wire.tcp.start(asyncio.get_running_loop())
        _, writer = await wire.join()
        await until(lambda: len(wire.tcp) == 1)
        writer.write(b"\x16\x03\x01")
        left: list[int] = []
        begin = wire.tcp._begin_turn

        def note() -> None:
            left.append(wire.tcp._left)
            begin()

        wire.tcp._begin_turn = note  # type: ignore[method-assign]
        await until(lambda: left)
        assert left[0] == BURST - HANDSHAKE - 1

    on_the_wire(play, None, secured)


def test_peers_by_tls_have_their_own_time_to_take_what_is_sent(
    secured: dict[str, Stack], authority: Authority
) -> None:
    context = ssl.create_default_context(cafile=authority.ca)

    async def play(wire: Wire) -> None:
        port = wire.tcp.bind(LOCAL, 0, "tls")
        await wire.tcp.start(asyncio.get_running_loop())

        def greet() -> ssl.SSLSocket:
            phone = context.wrap_socket(socket.create_connection((LOCAL, port)), server_hostname="a.example")
            phone.sendall(MESSAGE)
            return phone

        phone = await asyncio.to_thread(greet)
        with phone:
            await until(lambda: wire.heard)
            wire.heard[0][1].send(b"x" * 2_000_000)
            await asyncio.sleep(0.06)
            wire.tcp.close_overdue()
            await asyncio.sleep(0.01)
            assert not wire.lost
            await asyncio.sleep(0.1)
            wire.tcp.close_overdue()
            await until(lambda: wire.lost)
            assert wire.tcp.counts.given_up == 1

    on_the_wire(play, TcpLimits(send_timeout=0.05, secure_send_timeout=0.15), secured)
