from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine
from typing import Any

from openpy.net.connection import HANDSHAKE, TcpConnection, TcpCounts
from openpy.net.layer import Bounds, Callee, Layer, PlainLayer
from openpy.sip.errors import RemoteError

MESSAGE = b"OPTIONS sip:a SIP/2.0\r\nContent-Length: 2\r\n\r\nhi"
NO_LENGTH = b"OPTIONS sip:a SIP/2.0\r\nCall-ID: x\r\n\r\n"


class Keeper:
    """Who keeps a connection, and what he hears of it."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self.counts = TcpCounts()
        self.messages: list[bytes] = []
        self.turns = 0
        self.spoke: list[int] = []
        self.unread: list[tuple[int, bool]] = []
        self.unsent = 0
        self.ends = self.ups = 0
        self.reasons: list[str] = []
        self.answer = b""
        self.sending: Callable[[bytes, TcpConnection], None] | None = None
        self.stranded_data: list[bytes] = []

    def readable(self, connection: TcpConnection) -> None:
        connection.read(32768)

    def up(self, connection: TcpConnection) -> None:
        self.ups += 1

    def over(self, connection: TcpConnection, why: str) -> None:
        self.reasons.append(why)

    def heard(self, connection: TcpConnection, messages: int) -> None:
        self.spoke.append(messages)

    def holds_unread(self, connection: TcpConnection, octets: int, *, begins: bool) -> None:
        self.unread.append((octets, begins))

    def holds_unsent(self, connection: TcpConnection, octets: int) -> None:
        self.unsent = octets

    def received(self, connection: TcpConnection, messages: list[bytes]) -> None:
        self.turns += 1
        self.messages += messages

    def broken(self, connection: TcpConnection, head: bytes, error: RemoteError) -> None:
        connection.send(self.answer or b"%d %b" % (error.status, head))

    def stranded(self, connection: TcpConnection, data: bytes) -> None:
        self.stranded_data.append(data)

    def closed(self, connection: TcpConnection) -> None:
        self.ends += 1


Scene = Callable[[Keeper, TcpConnection, socket.socket], Coroutine[Any, Any, None]]


def play(scene: Scene, bounds: Bounds | None = None, layer: Layer | None = None) -> None:
    """A connection, its keeper, and the socket of the peer."""

    async def live() -> None:
        loop = asyncio.get_running_loop()
        with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as peer:
            peer.connect(listener.getsockname())
            peer.settimeout(5)
            accepted, _ = listener.accept()
            accepted.setblocking(False)
            keeper = Keeper(bounds or Bounds())
            plain = layer is None
            connection = TcpConnection(
                keeper, loop, accepted, layer or PlainLayer(keeper.bounds), "tcp" if plain else "knock"
            )
            connection.begin()
            assert (connection.host, connection.port) == peer.getsockname()
            assert (connection.local_host, connection.local_port) == listener.getsockname()
            await scene(keeper, connection, peer)
            connection.abort()
            await asyncio.sleep(0)
            assert keeper.ends == 1
            assert not connection.is_open

    asyncio.run(live())


async def until(condition: Callable[[], object]) -> None:
    while not condition():
        await asyncio.sleep(0.002)


def test_messages_and_keep_alives_are_told() -> None:
    async def scene(keeper: Keeper, connection: TcpConnection, peer: socket.socket) -> None:
        peer.sendall(b"\r\n\r\n" + MESSAGE + MESSAGE[:9])
        await until(lambda: keeper.messages)
        assert (keeper.messages, keeper.spoke, keeper.unread) == ([MESSAGE], [1], [(9, True)])
        assert peer.recv(10) == b"\r\n"
        peer.sendall(MESSAGE[9:11])
        await until(lambda: len(keeper.unread) == 2)
        peer.sendall(MESSAGE[11:])
        await until(lambda: len(keeper.messages) == 2)
        assert keeper.unread == [(9, True), (11, False), (0, True)]
        peer.sendall(b"\r\n\r\n")
        await until(lambda: len(keeper.spoke) == 3)
        assert keeper.spoke == [1, 1, 0]

    play(scene)


def test_who_listens_hears_each_message_before_it_is_sent() -> None:
    async def scene(keeper: Keeper, connection: TcpConnection, peer: socket.socket) -> None:
        heard: list[bytes] = []
        keeper.sending = lambda data, flow: heard.append(data if flow is connection else b"")
        connection.send(MESSAGE)
        assert (heard, peer.recv(100)) == ([MESSAGE], MESSAGE)
        connection.close()
        connection.send(MESSAGE)
        assert (heard, keeper.stranded_data) == ([MESSAGE], [MESSAGE])

    play(scene)


def test_the_owner_says_when_and_how_much_is_read() -> None:
    async def scene(keeper: Keeper, connection: TcpConnection, peer: socket.socket) -> None:
        connection.pause()
        peer.sendall(MESSAGE * 5)
        await asyncio.sleep(0.02)
        assert connection.read(2 * len(MESSAGE) + 3) == 2
        assert connection.read(len(MESSAGE)) == 1
        assert len(keeper.messages) == 3
        connection.go_on()
        await until(lambda: len(keeper.messages) == 5)
        assert connection.read(100) == 0
        connection.abort()
        connection.pause()
        connection.go_on()
        assert connection.read(100) == 0

    play(scene)


def test_what_the_peer_does_not_take_waits_in_order() -> None:
    async def scene(keeper: Keeper, connection: TcpConnection, peer: socket.socket) -> None:
        sent = b""
        while not keeper.unsent:
            piece = b"%08d" % len(sent) * 10_000
            connection.send(piece)
            sent += piece
        connection.send(b"last")
        connection.close()
        connection.send(b"too late")
        sent += b"last"
        assert not connection.is_open
        loop = asyncio.get_running_loop()
        got = b""
        while len(got) < len(sent):
            got += await loop.run_in_executor(None, peer.recv, 1 << 20)
        assert got == sent
        await until(lambda: keeper.ends)
        assert peer.recv(10) == b""
        assert (keeper.unsent, keeper.stranded_data, keeper.counts.dropped) == (0, [b"too late"], 0)

    play(scene)


def test_who_leaves_too_much_unread_loses_the_connection() -> None:
    async def scene(keeper: Keeper, connection: TcpConnection, peer: socket.socket) -> None:
        while not keeper.unsent:
            connection.send(b"x" * 100_000)
        for _ in range(3):
            connection.send(b"x" * 600)
        assert not connection.is_open
        await until(lambda: keeper.ends)

    play(scene, Bounds(send_buffer=100))


def test_the_answer_to_lost_framing_arrives_though_more_is_on_its_way() -> None:
    async def scene(keeper: Keeper, connection: TcpConnection, peer: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, peer.sendall, NO_LENGTH + b"x" * 3_000_000)
        assert not connection.is_open
        assert peer.recv(100) == b"400 " + NO_LENGTH
        assert peer.recv(100) == b""
        assert (keeper.messages, keeper.ends) == ([], 0)
        assert keeper.unread[-1][0] >= len(NO_LENGTH), "so it has its time"
        peer.close()
        await until(lambda: keeper.ends)

    play(scene)


def test_a_long_answer_to_lost_framing_is_sent_before_the_end() -> None:
    async def scene(keeper: Keeper, connection: TcpConnection, peer: socket.socket) -> None:
        keeper.answer = b"x" * 8_000_000
        peer.sendall(NO_LENGTH)
        await until(lambda: keeper.unsent)
        loop = asyncio.get_running_loop()
        got = 0
        while data := await loop.run_in_executor(None, peer.recv, 1 << 20):
            got += len(data)
        assert got == len(keeper.answer)

    play(scene)


def test_the_end_of_the_peer_is_the_end() -> None:
    async def scene(keeper: Keeper, connection: TcpConnection, peer: socket.socket) -> None:
        peer.shutdown(socket.SHUT_WR)
        await until(lambda: keeper.ends)
        connection.close()
        assert keeper.counts.dropped == 0

    play(scene)


def test_a_peer_that_resets_is_gone() -> None:
    async def scene(keeper: Keeper, connection: TcpConnection, peer: socket.socket) -> None:
        while not keeper.unsent:
            connection.send(b"x" * 100_000)
        peer.close()  # with data unread: a reset
        await until(lambda: keeper.ends)

    play(scene)


def test_sending_to_a_peer_that_is_gone() -> None:
    async def scene(keeper: Keeper, connection: TcpConnection, peer: socket.socket) -> None:
        peer.close()
        while connection.is_open:
            connection.send(b"x")  # the loop has not read the end yet
        assert (keeper.ends, keeper.counts.dropped) == (0, 1), "told in a later turn"
        await until(lambda: keeper.ends)
        connection.send(b"late")
        assert (keeper.stranded_data, keeper.counts.dropped) == ([b"late"], 1)

    play(scene)


# --- layers ---------------------------------------------------------------------------------------------------------


class Knocking:
    """A layer that is up once its peer has said so, and over when he says that."""

    largest_read = 4
    error = None
    broken_head = b""
    held = 0
    pings = 0

    def __init__(self) -> None:
        self.is_up = False
        self.over = ""
        self.fed: list[bytes] = []
        self._answers = b"who?"

    def feed(self, data: bytes) -> list[bytes]:
        self.fed.append(data)
        self.is_up = True
        if data == b"over":
            self.over = "it said so"
            self._answers = b"so?"
        return [data]

    def wrap(self, message: bytes) -> bytes:
        return b"<%b>" % message

    def answers(self) -> bytes:
        answers, self._answers = self._answers, b""
        return answers

    def farewell(self) -> bytes:
        return b"" if self.over else b"bye"

    def proves(self, callee: Callee) -> bool:
        return callee.name == "me"


def test_a_layer_speaks_first_and_nothing_passes_before_it_is_up() -> None:
    layer = Knocking()

    async def scene(keeper: Keeper, connection: TcpConnection, peer: socket.socket) -> None:
        assert (connection.is_open, connection.is_ours, connection.transport) == (False, False, "knock")
        connection.send(b"too early")
        assert peer.recv(100) == b"who?"
        peer.sendall(b"me!!more")
        await until(lambda: len(keeper.messages) == 2)
        assert layer.fed == [b"me!!", b"more"], "not more than it is worth"
        assert keeper.ups == 1
        connection.send(b"hello")
        assert peer.recv(100) == b"<hello>"
        assert (keeper.counts.sent, keeper.stranded_data) == (1, [b"too early"])
        assert connection.proves(Callee("me"))
        assert not connection.proves(Callee("you"))
        connection.close()
        assert peer.recv(100) == b"bye"

    play(scene, layer=layer)


def test_a_layer_that_is_over_says_its_last_word_and_what_comes_is_dropped() -> None:
    layer = Knocking()

    async def scene(keeper: Keeper, connection: TcpConnection, peer: socket.socket) -> None:
        peer.sendall(b"overmore")
        await until(lambda: keeper.reasons)
        assert keeper.reasons == ["it said so"]
        assert keeper.unread[-1] == (1, False), "its end has its time"
        assert not connection.is_open
        await asyncio.sleep(0.01)
        assert layer.fed == [b"over"]
        assert peer.recv(100) == b"who?so?"
        assert peer.recv(100) == b""
        peer.close()
        await until(lambda: keeper.ends)

    play(scene, layer=layer)


def test_who_hangs_up_before_it_is_up_is_told() -> None:
    async def scene(keeper: Keeper, connection: TcpConnection, peer: socket.socket) -> None:
        peer.shutdown(socket.SHUT_WR)
        await until(lambda: keeper.ends)
        assert keeper.reasons == ["the peer hung up"]

    play(scene, layer=Knocking())


def test_a_step_of_a_handshake_counts_for_more() -> None:
    async def scene(keeper: Keeper, connection: TcpConnection, peer: socket.socket) -> None:
        connection.pause()
        peer.sendall(b"me!!more")
        await asyncio.sleep(0.02)
        assert connection.read(100) == 1 + HANDSHAKE
        assert connection.read(100) == 1

    play(scene, layer=Knocking())
