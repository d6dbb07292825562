from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from openpy.cli import client as client_module
from openpy.cli import line
from openpy.cli.client import Client, Target, Unreachable
from openpy.cli.stacks import Credentials, stack_of
from openpy.transaction.timers import TimerValues
from openpy.useragent.exchange import Outcome
from tests.cli.desk import Desk
from tests.scenarios.wire import SipMessage


@asynccontextmanager
async def opened(transport: str, host: str, port: int) -> AsyncIterator[Client]:
    client = Client(Target(transport, host, port), "ann", None, TimerValues(t1=0.05, give_up=0.4))
    try:
        await client.open()
        yield client
    finally:
        await client.close()


def outcome(desk: Desk, play: Callable[[Client], None] = lambda client: None) -> Outcome:
    """What becomes of an OPTIONS."""

    async def run() -> Outcome:
        async with opened("udp", "127.0.0.1", desk.port) as client:
            done: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
            draft = client.agent.draft("OPTIONS", desk.uri, from_uri="sip:ann@example.org")
            client.agent.send(draft, client.flow, done.set_result)
            play(client)
            return await asyncio.wait_for(done, 5)

    return asyncio.run(run())


def test_a_request_is_answered() -> None:
    with Desk(lambda desk, request: desk.answer(request, 200)) as desk:
        assert outcome(desk).ok


def test_the_timers_are_those_given() -> None:
    with Desk(lambda desk, request: None) as desk:
        assert outcome(desk).status == 408


def test_strange_datagrams_change_nothing() -> None:
    def play(desk: Desk, request: SipMessage) -> None:
        for data in (
            b"\r\n\r\n",
            b"\x00\xff no SIP",
            b"SIP/2.0 200 OK\r\n\r\n",
            b"ACK sip:ann@a SIP/2.0\r\n\r\n",
        ):
            desk.send(data, request.address)
        desk.answer(request, 200)

    with Desk(play) as desk:
        assert outcome(desk).ok


def test_a_request_that_no_client_serves_is_answered_405() -> None:
    def play(desk: Desk, request: SipMessage) -> None:
        lines = [
            "OPTIONS sip:ann@127.0.0.1 SIP/2.0",
            f"Via: SIP/2.0/UDP 127.0.0.1:{desk.port};branch=z9hG4bKping",
            "From: <sip:desk@127.0.0.1>;tag=d",
            "To: <sip:ann@127.0.0.1>",
            "Call-ID: ping",
            "CSeq: 1 OPTIONS",
            "Content-Length: 0",
        ]
        desk.send("\r\n".join(lines).encode() + b"\r\n\r\n", request.address)
        desk.answer(request, 200)

    with Desk(play) as desk:
        assert outcome(desk).ok
    assert [(reply.status, reply.get("Allow")) for reply in desk.replies] == [(405, "NOTIFY")]


def hosts() -> list[str]:
    """The loopback addresses of this machine."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return ["127.0.0.1"]
    return ["127.0.0.1", "[::1]"]


@pytest.mark.parametrize("host", hosts())
def test_our_contact_leads_to_us(host: str) -> None:
    async def contact() -> str:
        async with opened("udp", host, 9) as client:
            return client.agent.local_contact.replace(str(client.flow.local_port), "PORT")

    assert asyncio.run(contact()) == f"sip:ann@{host}:PORT"


@pytest.mark.parametrize(
    ("transport", "host", "why"),
    [("udp", "broadcasthost", "cannot be resolved"), ("udp", "255.255.255.255", "no way to")],
)
def test_what_cannot_be_reached(transport: str, host: str, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(name: str) -> list[str]:
        if name == "broadcasthost":
            raise OSError("unknown")
        return [name]

    async def run() -> None:
        async with opened(transport, host, 9):
            pass

    monkeypatch.setattr(client_module, "resolve_host", resolve)
    with pytest.raises(Unreachable, match=why):
        asyncio.run(run())


def test_nobody_listens() -> None:
    async def run(port: int) -> None:
        async with opened("tcp", "127.0.0.1", port):
            pass

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        with pytest.raises(Unreachable, match=f"no connection to 127.0.0.1:{port}"):
            asyncio.run(run(port))


@pytest.mark.parametrize("transport", ["ws", "wss"])
def test_our_contact_by_websocket(transport: str) -> None:
    """RFC 7118 has one name for both."""

    class Line:
        local_host, local_port = "127.0.0.1", 7
        is_open = True

        def __init__(self, *parts: object, transport: str, **more: object) -> None:
            self.transport = transport

        async def open(self) -> bool:
            return True

        def close(self) -> None:
            pass

    async def contact() -> str:
        async with opened(transport, "127.0.0.1", 9) as client:
            return client.agent.local_contact

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(client_module, "TcpLine", Line)
        assert asyncio.run(contact()) == "sip:ann@127.0.0.1:7;transport=ws"


def test_why_there_is_no_connection() -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    async def run() -> None:
        server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        target = Target("ws", "127.0.0.1", port, stack_of("ws", Credentials(), "/"))
        client = Client(target, "ann", None, TimerValues())
        try:
            with pytest.raises(Unreachable, match=f"no connection to 127.0.0.1:{port}: the peer hung up"):
                await client.open()
        finally:
            await client.close()
            server.close()
            await server.wait_closed()

    asyncio.run(run())


def test_a_lost_connection_ends_what_is_under_way_and_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "FIRST_PAUSE", 0.02)

    async def run() -> None:
        accepted: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()
        server = await asyncio.start_server(
            lambda reader, writer: accepted.put_nowait(writer), "127.0.0.1", 0
        )
        async with opened("tcp", "127.0.0.1", server.sockets[0].getsockname()[1]) as client:
            first = client.agent.local_contact
            assert first == f"sip:ann@127.0.0.1:{client.flow.local_port};transport=tcp"
            states = [client.is_connected]
            restored = asyncio.Event()
            client.on_restored = restored.set
            done: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
            draft = client.agent.draft("OPTIONS", "sip:a@127.0.0.1", from_uri="sip:ann@example.org")
            client.agent.send(draft, client.flow, done.set_result)
            (await accepted.get()).close()
            assert (await asyncio.wait_for(done, 5)).status == 503
            states.append(client.is_connected)
            await asyncio.wait_for(restored.wait(), 5)
            states.append(client.is_connected)
            assert states == [True, False, True]
            assert client.agent.local_contact != first
            (await accepted.get()).close()
        server.close()
        await server.wait_closed()

    asyncio.run(run())
