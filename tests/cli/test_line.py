from __future__ import annotations

import asyncio
import socket

import pytest

from openpy.cli import line
from openpy.cli.line import TcpLine
from openpy.cli.stacks import Credentials, stack_of
from openpy.net.layer import Callee
from tests.authority import Authority
from tests.ports import free_port

OPTIONS = b"OPTIONS sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\n"


class Station:
    """The other end: what it received, and what the line told."""

    def __init__(self) -> None:
        self.writers: list[asyncio.StreamWriter] = []
        self.received: list[bytes] = []
        self.told: asyncio.Queue[str] = asyncio.Queue()
        self.server: asyncio.Server | None = None
        self.port = free_port()

    async def open(self) -> None:
        self.server = await asyncio.start_server(self._accept, "127.0.0.1", self.port, reuse_address=True)

    async def connected(self, line: TcpLine) -> None:
        """A line has its connection, and the station too."""
        assert await line.open()
        async with asyncio.timeout(5):
            while not self.writers:
                await asyncio.sleep(0.001)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        while data := await reader.read(65536):
            self.received.append(data)
            self.told.put_nowait("data")

    async def close(self) -> None:
        assert self.server is not None
        self.server.close()
        for writer in self.writers:
            writer.close()
        self.writers.clear()
        await self.server.wait_closed()

    def line(self) -> TcpLine:
        return TcpLine(
            "127.0.0.1",
            self.port,
            received=lambda data, connection: self.told.put_nowait(data.decode()),
            lost=lambda: self.told.put_nowait("lost"),
            restored=lambda: self.told.put_nowait("restored"),
        )

    async def hears(self) -> str:
        return await asyncio.wait_for(self.told.get(), 5)


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "FIRST_PAUSE", 0.02)
    monkeypatch.setattr(line, "LONGEST_PAUSE", 0.05)


def test_a_connection_that_is_lost_is_opened_again() -> None:
    async def play() -> None:
        station = Station()
        await station.open()
        line = station.line()
        assert await line.open()
        first = line.local_port
        line.send(OPTIONS)
        assert await station.hears() == "data"
        station.writers[0].write(OPTIONS)
        assert await station.hears() == OPTIONS.decode()
        await station.close()
        assert await station.hears() == "lost"
        down = not line.is_open
        line.send(OPTIONS)  # dropped
        await asyncio.sleep(0.1)
        await station.open()
        assert await station.hears() == "restored"
        assert (down, line.is_open) == (True, True)
        assert (line.local_host, line.local_port != first) == ("127.0.0.1", True)
        line.send(OPTIONS)
        assert await station.hears() == "data"
        assert station.received == [OPTIONS, OPTIONS]
        line.close()
        await asyncio.sleep(0)
        await station.close()
        assert station.told.empty()

    asyncio.run(play())


def test_a_stream_that_is_no_sip_is_opened_again() -> None:
    async def play() -> None:
        station = Station()
        await station.open()
        line = station.line()
        await station.connected(line)
        station.writers[0].write(b"x" * 300_000)
        assert await station.hears() == "lost"
        assert await station.hears() == "restored"
        line.close()
        await asyncio.sleep(0)
        await station.close()

    asyncio.run(play())


def test_a_handshake_that_fails_and_one_that_never_ends(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line, "LOOK", 0.02)

    async def play() -> list[tuple[bool, str]]:
        station = Station()
        await station.open()
        found = []
        for answer, patience in ((b"no TLS at all\r\n", 60.0), (b"", 0.05)):
            monkeypatch.setattr(line, "HANDSHAKE", patience)
            made = TcpLine(
                "127.0.0.1",
                station.port,
                transport="tls",
                stack=stack_of("tls", Credentials(authority.ca), "/"),
                callee=Callee("a.example"),
                received=lambda data, connection: None,
                lost=lambda: station.told.put_nowait("lost"),
                restored=lambda: None,
            )
            opening = asyncio.create_task(made.open())
            assert await station.hears() == "data"
            station.writers[-1].write(answer)
            found.append((await opening, made.why))
            made.close()
            await asyncio.sleep(0)
        assert station.told.empty()
        await station.close()
        return found

    assert asyncio.run(play()) == [(False, "wrong version number"), (False, "it came to no end")]


def test_closed_for_good_while_it_tries() -> None:
    async def play() -> None:
        station = Station()
        await station.open()
        line = station.line()
        await station.connected(line)
        await station.close()
        assert await station.hears() == "lost"
        line.close()
        await station.open()
        await asyncio.sleep(0.1)
        assert station.told.empty()
        await station.close()

    asyncio.run(play())


def test_nobody_listens() -> None:
    async def play() -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            station = Station()
            station.port = probe.getsockname()[1]
            line = station.line()
            assert not await line.open()
            line.close()

    asyncio.run(play())
