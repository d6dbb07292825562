from __future__ import annotations

import asyncio
import os
import socket
import stat
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import pytest

from openpy.net import lines
from openpy.net.lines import Complaints, Limits, LineConnection, LineServer, SocketInUse

COMPLAINTS = Complaints("too many", "too long")
SMALL = Limits(clients=2, line=100, unread=1000)

Talk = Callable[[LineServer, str], Awaitable[None]]


def echo(connection: LineConnection, line: str) -> None:
    connection.send(f"<{line}>")
    connection.ready()


def serve(
    folder: Path,
    talk: Talk,
    heard: Callable[[LineConnection, str], None] = echo,
    limits: Limits = SMALL,
) -> None:
    """Run a server while a client talks to it."""

    async def run() -> None:
        path = str(folder / "s")
        server = LineServer(path, heard, COMPLAINTS, limits)
        server.bind()
        await server.start()
        try:
            async with asyncio.timeout(10):
                await talk(server, path)
        finally:
            server.close()
            await asyncio.sleep(0)

    asyncio.run(run())


async def closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    await asyncio.sleep(0.01)


class DeafClient:
    """A client that reads only when it is told to."""

    def __init__(self, path: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(path)
        self._socket.setblocking(False)

    def send(self, data: bytes) -> None:
        self._socket.send(data)

    async def read(self, octets: int) -> bytes:
        """So many octets."""
        found = b""
        while len(found) < octets:
            found += await asyncio.get_running_loop().sock_recv(self._socket, octets - len(found))
        return found

    async def close(self) -> None:
        self._socket.close()
        await asyncio.sleep(0.01)


# --- the file -----------------------------------------------------------------------------------------------------


def test_the_file_is_for_its_owner_only_whatever_the_umask_says(tmp_path: Path) -> None:
    path = tmp_path / "s"
    before = os.umask(0)
    try:
        server = LineServer(str(path), echo, COMPLAINTS)
        server.bind()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert os.umask(0) == 0
    finally:
        os.umask(before)
    server.close()
    assert not path.exists()


def test_the_file_of_a_dead_server_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with closing(socket.socket(socket.AF_UNIX)) as dead:
        dead.bind(str(path))
    server = LineServer(str(path), echo, COMPLAINTS)
    server.bind()
    with closing(socket.socket(socket.AF_UNIX)) as client:
        client.connect(str(path))
    server.close()


def test_that_of_a_living_one_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "s"
    first = LineServer(str(path), echo, COMPLAINTS)
    first.bind()
    second = LineServer(str(path), echo, COMPLAINTS)
    with pytest.raises(SocketInUse, match=f"a server that runs listens at {path} already"):
        second.bind()
    second.close()
    assert path.exists()
    first.close()


def test_what_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "s"
    path.write_text("mine")
    with pytest.raises(SocketInUse, match="is there already, and is no socket"):
        LineServer(str(path), echo, COMPLAINTS).bind()
    assert path.read_text() == "mine"


@pytest.mark.parametrize(("name", "text"), [("no/s", "No such file or directory"), ("x" * 200, "too long")])
def test_what_cannot_be_made_says_why(tmp_path: Path, name: str, text: str) -> None:
    with pytest.raises(SocketInUse, match=f"cannot listen at .*: .*{text}"):
        LineServer(str(tmp_path / name), echo, COMPLAINTS).bind()


def test_a_server_that_cannot_be_asked_counts_as_alive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(self: socket.socket, path: str) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    path = tmp_path / "s"
    with closing(socket.socket(socket.AF_UNIX)) as other:
        other.bind(str(path))
    monkeypatch.setattr("openpy.net.lines.socket.socket", type("Busy", (socket.socket,), {"connect": busy}))
    with pytest.raises(SocketInUse, match="cannot be asked: Resource temporarily unavailable"):
        LineServer(str(path), echo, COMPLAINTS).bind()
    assert path.exists()


def test_at_the_end_a_file_that_is_anothers_by_now_stays(tmp_path: Path) -> None:
    path = tmp_path / "s"
    server = LineServer(str(path), echo, COMPLAINTS)
    server.bind()
    path.rename(tmp_path / "old")
    path.write_text("another's")
    server.close()
    assert path.exists()


# --- lines --------------------------------------------------------------------------------------------------------


def test_lines_are_answered_one_by_one_however_they_are_cut(tmp_path: Path) -> None:
    async def talk(server: LineServer, path: str) -> None:
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b"one\ntw")
        assert await reader.readline() == b"<one>\n"
        writer.write(b"o\nthree\n\xff\n")
        assert [await reader.readline() for _ in range(3)] == [b"<two>\n", b"<three>\n", b"<\xff>\n"]
        await closed(writer)
        assert not server.connections

    serve(tmp_path, talk)


def test_a_client_that_has_said_all_still_gets_its_answers(tmp_path: Path) -> None:
    async def talk(server: LineServer, path: str) -> None:
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b"one\ntwo\n")
        writer.write_eof()
        assert await reader.read() == b"<one>\n<two>\n"
        await closed(writer)

    serve(tmp_path, talk)


def test_the_next_line_waits_for_the_answer_to_the_last(tmp_path: Path) -> None:
    heard: list[str] = []
    connections: list[LineConnection] = []

    def slow(connection: LineConnection, line: str) -> None:
        heard.append(line)
        connections.append(connection)

    async def talk(server: LineServer, path: str) -> None:
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b"one\ntwo\n")
        await asyncio.sleep(0.02)
        assert heard == ["one"]
        connections[0].send("done")
        connections[0].ready()
        assert await reader.readline() == b"done\n"
        assert heard == ["one", "two"]
        await closed(writer)

    serve(tmp_path, talk, slow)


def test_one_that_is_served_is_heard_of_when_it_goes(tmp_path: Path) -> None:
    ends: list[bool] = []

    def stream(connection: LineConnection, line: str) -> None:
        connection.on_end = lambda: ends.append(connection.is_open)

    async def talk(server: LineServer, path: str) -> None:
        _, writer = await asyncio.open_unix_connection(path)
        writer.write(b"one\n")
        await asyncio.sleep(0.02)
        await closed(writer)
        assert ends == [True]
        (connection,) = server.connections
        connection.close()
        await asyncio.sleep(0.01)
        assert ends == [True, False]
        assert not connection.is_open
        connection.send("to nobody")
        connection.close()

    serve(tmp_path, talk, stream)


# --- bounds -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("line", [b"x" * 101, b"x" * 101 + b"\nnext\n", b"x" * 300_000])
def test_a_line_that_is_too_long_ends_it(tmp_path: Path, line: bytes) -> None:
    async def talk(server: LineServer, path: str) -> None:
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(line)
        assert await reader.readline() == b"too long\n"
        await closed(writer)

    serve(tmp_path, talk)


def test_one_client_too_many_is_told_so(tmp_path: Path) -> None:
    async def talk(server: LineServer, path: str) -> None:
        clients = [await asyncio.open_unix_connection(path) for _ in range(3)]
        assert await clients[2][0].read() == b"too many\n"
        clients[0][1].write(b"one\n")
        assert await clients[0][0].readline() == b"<one>\n"
        await closed(clients[1][1])
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b"there is room\n")
        assert await reader.readline() == b"<there is room>\n"
        for other in (clients[0][1], clients[2][1], writer):
            await closed(other)

    serve(tmp_path, talk)


def test_for_one_that_does_not_read_only_so_much_is_kept(tmp_path: Path) -> None:
    connections: list[LineConnection] = []
    refused: list[int] = []

    def stream(connection: LineConnection, line: str) -> None:
        connection.on_writable = lambda: refused.append(-1)
        connections.append(connection)
        number = 0
        while connection.offer("x" * 999):
            number += 1
        refused.append(number)

    async def talk(server: LineServer, path: str) -> None:
        client = DeafClient(path)
        client.send(b"go\n")
        await asyncio.sleep(0.02)
        (connection,) = connections
        assert connection._transport is not None
        assert len(refused) == 1
        assert 1000 <= connection._transport.get_write_buffer_size() <= 2000
        await client.read(1000 * refused[0])
        await asyncio.sleep(0.01)
        assert refused[1:] == [-1]
        assert connection.offer("again")
        assert await client.read(6) == b"again\n"
        await client.close()

    serve(tmp_path, talk, stream)


def test_requests_of_one_that_does_not_read_wait(tmp_path: Path) -> None:
    heard: list[str] = []

    def much(connection: LineConnection, line: str) -> None:
        heard.append(line)
        connection.send("x" * 1_000_000)
        connection.ready()

    async def talk(server: LineServer, path: str) -> None:
        client = DeafClient(path)
        client.send(b"one\ntwo\n")
        await asyncio.sleep(0.05)
        assert heard == ["one"]
        await client.read(2_000_002)
        assert heard == ["one", "two"]
        await client.close()

    serve(tmp_path, talk, much)


def test_the_last_words_are_not_kept_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "PATIENCE", 0.05)

    def parting(connection: LineConnection, line: str) -> None:
        connection.send("x" * 3_000_000)
        connection.close()

    async def talk(server: LineServer, path: str) -> None:
        client = DeafClient(path)
        client.send(b"go\n")
        await asyncio.sleep(0.02)
        assert len(server.connections) == 1
        await asyncio.sleep(0.1)
        assert not server.connections
        await client.close()

    serve(tmp_path, talk, parting)
