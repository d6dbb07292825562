from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from openpy.engine.config import CoreConfig
from openpy.engine.log import Log
from openpy.engine.module import ModuleError
from openpy.engine.server import LOAD_PATIENCE, Server
from openpy.engine.sockets import SocketError
from openpy.net.udp import UdpFlow
from openpy.script.diagnostics import ScriptError
from openpy.script.syntax import SocketId
from openpy.transaction.flow import Flow
from tests.engine.kit import Bench, KeptFlow, Sent, request

LOCAL = "127.0.0.1"

OWN_MODULE = '''
from openpy.engine.module import Module, ModuleError

class Diary(Module):
    """Writes down what happens to it."""

    name = "{name}"

    async def start(self):
        if {fails}:
            raise ModuleError("no ink", "buy some")
        self.services.diary.append("start {name}")

    async def drain(self):
        self.services.diary.append("drain {name}")

    async def stop(self):
        self.services.diary.append("stop {name}")
'''


OWN_COMMAND = '''
from openpy.engine.module import Module, mi_command

class Bell(Module):
    """Rings."""

    name = "{name}"

    @mi_command("ring")
    def ring(self) -> None:
        """Ring."""
'''


@pytest.fixture(autouse=True)
def collector() -> Iterator[None]:
    """`start` tunes the garbage collector of the process."""
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


def serving(folder: Path, script: str, *listen: str) -> tuple[Server, list[str]]:
    lines: list[str] = []
    config = CoreConfig(listen=[SocketId(kind, LOCAL, 0) for kind in listen or ("udp",)])
    server = Server(config, log=Log(2, lambda _, line: lines.append(line)))
    (folder / "test.cfg").write_text(script)
    server.load(folder / "test.cfg")
    server.bind()
    return server, lines


def diaries(folder: Path, failing: str = "") -> str:
    for name in ("first", "second", "third"):
        (folder / f"{name}.py").write_text(OWN_MODULE.format(name=name, fails=name == failing))
    loads = "".join(f'loadmodule "{name}.so"\n' for name in ("first", "second", "third"))
    return f'mpath="{folder}"\n{loads}'


def test_a_message_by_the_wire_is_answered_by_the_script(tmp_path: Path) -> None:
    server, _ = serving(tmp_path, 'loadmodule "sl.so"\nroute { sl_send_reply("200", "OK"); }', "udp", "tcp")

    async def talk() -> tuple[bytes, bytes]:
        loop = asyncio.get_running_loop()
        await server.start()
        udp, tcp = (endpoint.port for endpoint in server.sockets.endpoints)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
            phone.setblocking(False)
            await loop.sock_sendto(phone, request(), (LOCAL, udp))
            by_udp = await loop.sock_recv(phone, 65535)
        reader, writer = await asyncio.open_connection(LOCAL, tcp)
        writer.write(request(via="SIP/2.0/TCP 192.0.2.1;branch=z9hG4bKtcp"))
        by_tcp = await reader.readuntil(b"\r\n\r\n")
        writer.close()
        await server.stop()
        return by_udp, by_tcp

    by_udp, by_tcp = asyncio.run(talk())
    assert by_udp.startswith(b"SIP/2.0 200 OK")
    assert by_tcp.startswith(b"SIP/2.0 200 OK")
    assert server.messages_received == 2


def test_modules_start_in_order_and_end_in_the_reverse(tmp_path: Path) -> None:
    server, _ = serving(tmp_path, diaries(tmp_path))
    server.diary = []  # type: ignore[attr-defined]

    async def live() -> None:
        await server.start()
        await server.stop()

    asyncio.run(live())
    order = "start first,start second,start third,drain third,drain second,drain first"
    assert ",".join(server.diary) == f"{order},stop third,stop second,stop first"  # type: ignore[attr-defined]


def test_when_a_module_does_not_start_the_others_are_stopped(tmp_path: Path) -> None:
    server, _ = serving(tmp_path, diaries(tmp_path, failing="second"))
    server.diary = []  # type: ignore[attr-defined]
    with pytest.raises(ModuleError, match="no ink"):
        asyncio.run(server.start())
    assert server.diary == ["start first", "drain first", "stop first"]  # type: ignore[attr-defined]


def test_two_modules_cannot_have_one_command(tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / f"{name}.py").write_text(OWN_COMMAND.format(name=name))
    script = f'mpath="{tmp_path}"\nloadmodule "first.so"\nloadmodule "second.so"\nroute {{ exit; }}'
    (tmp_path / "test.cfg").write_text(script)
    server = Server()
    with pytest.raises(ModuleError, match="second: there is a management command ring already"):
        server.load(tmp_path / "test.cfg")
    command = server.commands.find("ring")
    assert command is not None
    assert command.group == "first"


def test_loading_opens_nothing(tmp_path: Path) -> None:
    (tmp_path / "test.cfg").write_text(f"listen=udp:{LOCAL}:1\nroute {{ exit; }}")
    server = Server()
    server.load(tmp_path / "test.cfg")
    with pytest.raises(AssertionError):
        _ = server.sockets
    assert server.loaded is not None


def test_a_bad_script_is_refused(tmp_path: Path) -> None:
    (tmp_path / "test.cfg").write_text("route { nothing(); }")
    with pytest.raises(ScriptError):
        Server().load(tmp_path / "test.cfg")


def test_a_socket_that_cannot_be_had_closes_the_others(tmp_path: Path) -> None:
    (tmp_path / "test.cfg").write_text("route { exit; }")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind((LOCAL, 0))
        port = taken.getsockname()[1]
        server = Server(CoreConfig(listen=[SocketId("udp", LOCAL, 0), SocketId("udp", LOCAL, port)]))
        server.load(tmp_path / "test.cfg")
        with pytest.raises(SocketError, match="Address already in use"):
            server.bind()
    assert all(udp._socket is None for udp in server.sockets.udp)


def test_what_the_sockets_lose_is_in_the_statistics(tmp_path: Path) -> None:
    server, _ = serving(tmp_path, "route { exit; }", "udp", "tcp")
    server.sockets.udp[0].send(b"x", (LOCAL, 99999))
    server.sockets.tcp.counts.refused += 2
    lost = [line for line in server.statistics.lines() if line.startswith("net:")]
    assert lost == ["net:udp_dropped = 1", "net:tcp_refused = 2"]
    server.sockets.close()


def told(server: Server, group: str, *names: str) -> list[int]:
    figures = {(group, name): value for group, name, value in server.statistics}
    return [figures[group, name] for name in names]


def test_what_waits_too_long_is_refused_by_one_allowance_for_all_sockets(tmp_path: Path) -> None:
    script = "overload_refusals=10\noverload_retry_after=7\nroute { exit; }"
    server, _ = serving(tmp_path, script, "udp", "udp")
    sent: list[Sent] = []
    for udp in server.sockets.udp:
        assert udp._backlog is not None
        for number in range(2):
            udp._backlog.put(
                request(branch=f"z9hG4bK{udp.port}.{number}"), cast(UdpFlow, KeptFlow(sent)), 100.0
            )
        udp._backlog.serve(10, 100.3)
    (refusal,) = sent
    assert refusal.start == "SIP/2.0 503 Server overloaded"
    assert 7 <= int(refusal.get("Retry-After")) <= 14
    assert told(server, "core", "overload_refused", "overload_dropped", "rcv_requests") == [1, 3, 1]
    server.sockets.close()


def test_without_an_overload_delay_everything_is_served(tmp_path: Path) -> None:
    server, _ = serving(tmp_path, "overload_delay=0\nroute { exit; }")
    assert server.sockets.udp[0]._backlog is None
    server.sockets.close()


def test_a_source_has_its_rate_in_and_out_of_the_backlog(tmp_path: Path) -> None:
    server, _ = serving(tmp_path, "source_rate=1\nroute { exit; }")
    (udp,) = server.sockets.udp
    assert udp._backlog is not None
    for number in range(20):
        udp._received(request(branch=f"z9hG4bK{number}"), udp.flow(LOCAL, 9))
        udp._backlog.put(request(branch=f"z9hG4bKb{number}"), udp.flow(LOCAL, 9), 0.0)
    udp._backlog.serve(20, 0.0)
    received, dropped = told(server, "core", "rcv_requests", "source_dropped")
    assert received + dropped == 40
    assert 10 <= received <= 12
    server.sockets.close()


def test_the_first_socket_is_in_our_tags(tmp_path: Path) -> None:
    first, _ = serving(tmp_path, "route { exit; }")
    second, _ = serving(tmp_path, "route { exit; }")
    assert first.tag_prefix != second.tag_prefix
    first.sockets.close()
    second.sockets.close()


def test_one_database_object_for_a_url(tmp_path: Path) -> None:
    server, _ = serving(tmp_path, 'loadmodule "sqlite.so"')
    url = f"sqlite:///{tmp_path}/test.db"

    async def live() -> None:
        await server.start()
        assert server.database(url) is server.database(url)
        await server.stop()

    asyncio.run(live())


@pytest.mark.parametrize(
    ("url", "text", "hint"),
    [
        ("mysql://u:p@h/d", "no database module for mysql: is loaded", 'add: loadmodule "mysql.so"'),
        ("nonsense", "", ""),
    ],
)
def test_a_database_that_nobody_speaks_for(tmp_path: Path, url: str, text: str, hint: str) -> None:
    server, _ = serving(tmp_path, 'loadmodule "sqlite.so"')
    with pytest.raises(ModuleError) as caught:
        server.database(url)
    server.sockets.close()
    assert text in caught.value.message
    assert caught.value.hint == hint


def test_ways_to_peers(tmp_path: Path) -> None:
    server, _ = serving(tmp_path, "route { exit; }", "udp", "tcp")

    async def live() -> None:
        await server.start()
        udp = server.flow("udp", "192.0.2.1", 5060)
        assert udp is not None
        assert (await server.connect("udp", "192.0.2.1", 5060)) is udp
        assert server.flow("tcp", LOCAL, 1) is None
        port = server.sockets.endpoints[1].port
        connected: list[Flow | None] = []
        wait = server.connect("tcp", LOCAL, port)
        wait.on_done(lambda: connected.append(wait.value))
        refused = server.connect("tcp", LOCAL, 1)
        while not (wait.done and refused.done):
            await asyncio.sleep(0.01)
        assert connected[0] is server.flow("tcp", LOCAL, port)
        assert connected[0] is not None
        assert refused.value is None
        await server.stop()

    asyncio.run(live())


def test_names_are_looked_up_beside_the_loop(tmp_path: Path) -> None:
    server, _ = serving(tmp_path, "route { exit; }")

    async def live() -> None:
        await server.start()
        assert (await server.resolve("192.0.2.1")) == ("192.0.2.1",)
        assert (await server.resolve("[2001:db8::1]")) == ("2001:db8::1",)
        known, unknown = server.resolve("localhost"), server.resolve("nowhere.invalid")
        heard: list[int] = []
        server.soon(lambda: heard.append(1))
        answer = server.run_blocking(int, "7")
        while not (known.done and unknown.done and answer.done):
            await asyncio.sleep(0.01)
        assert LOCAL in (known.value or ())
        assert unknown.value == ()
        assert answer.value == 7
        assert heard == [1]
        await server.stop()

    asyncio.run(live())


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("", (LOCAL, 5060)),
        ("advertised_address=sip.example advertised_port=5099", ("sip.example", 5099)),
        ('advertised_address="192.0.2.9"', ("192.0.2.9", 5060)),
        ("advertised_address=192.0.2.9", ("192.0.2.9", 5060)),
    ],
)
def test_what_is_advertised(tmp_path: Path, more: str, expected: tuple[str, int]) -> None:
    with Bench(tmp_path, more=more) as bench:
        assert bench.server.advertised(bench.phone()) == expected
        six = bench.phone(host="2001:db8::1")
        six.local_host = "::1"
        if not more:
            assert bench.server.advertised(six) == ("[::1]", 5060)


def test_modules_find_each_other(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        assert bench.server.module("tm") is bench.server.modules["tm"]
        assert bench.server.module("absent") is None
        assert len(bench.server.token()) == 16


def test_idle_connections_are_closed_now_and_then(tmp_path: Path) -> None:
    server, _ = serving(tmp_path, "tcp_connection_lifetime=0\nroute { exit; }", "tcp")

    async def live() -> None:
        await server.start()
        reader, writer = await asyncio.open_connection(LOCAL, server.sockets.endpoints[0].port)
        assert await asyncio.wait_for(reader.read(), 10) == b""
        writer.close()
        await server.stop()

    asyncio.run(live())


def test_an_error_in_a_timer_is_reported_and_the_server_goes_on(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        fired: list[int] = []
        bench.server.wheel.add(1, lambda: 1 // 0)
        bench.server.wheel.add(1, lambda: fired.append(1))
        bench.run_for(2)
        assert fired == [1]
        assert "ZeroDivisionError" in bench.log[0]


@pytest.mark.parametrize(("loads", "waits"), [(0.0, 0.0), (0.05, 0.05), (30.0, LOAD_PATIENCE)])
def test_the_first_message_waits_for_what_is_loaded_but_not_long(
    tmp_path: Path, loads: float, waits: float
) -> None:
    server, _ = serving(tmp_path, 'loadmodule "sl.so"')

    async def live() -> float:
        loop = asyncio.get_running_loop()
        module = server.modules["sl"]
        module.loading = loads > 0
        done = loop.call_later(loads, setattr, module, "loading", False)
        began = loop.time()
        await server.start()
        took = loop.time() - began
        done.cancel()
        await server.stop()
        return took

    took = asyncio.run(live())
    assert waits * 0.9 <= took < waits + 0.9 * LOAD_PATIENCE


@pytest.mark.parametrize(
    ("more", "host", "expected"),
    [
        ("", "far.example", False),
        ("advertised_address=far.example", "Far.example", True),
        ("advertised_address=far.example", "other.example", False),
    ],
)
def test_whether_a_via_can_be_ours(tmp_path: Path, more: str, host: str, expected: bool) -> None:
    with Bench(tmp_path, more=more) as bench:
        assert bench.server.is_own_via(host, 5060) is expected
        port = bench.server.sockets.endpoints[0].port
        assert bench.server.is_own_via(LOCAL, port)
        assert not bench.server.is_myself(host, 5060), "a Request-URI is another matter"


def test_an_alias_in_a_via_is_accepted_where_the_script_says_so(tmp_path: Path) -> None:
    for accepts in ("yes", "no"):
        server, _ = serving(tmp_path, f"tcp_accept_aliases={accepts}\nroute {{ exit; }}", "tcp")

        async def live(server: Server = server, is_accepted: bool = accepts == "yes") -> None:
            await server.start()
            _, writer = await asyncio.open_connection(LOCAL, server.sockets.endpoints[0].port)
            writer.write(request(via="SIP/2.0/TCP 127.0.0.1:5070;branch=z9hG4bKa;alias"))
            while not server.messages_received:
                await asyncio.sleep(0.005)
            assert (server.flow("tcp", LOCAL, 5070) is not None) is is_accepted
            writer.close()
            await server.stop()

        asyncio.run(live())


@pytest.mark.parametrize("phone_kind", ["udp", "tcp"])
def test_a_request_is_forwarded_to_a_name_and_its_reply_comes_back(tmp_path: Path, phone_kind: str) -> None:
    """Without state: by real sockets, the system's resolver, and for TCP the connection that the request came by."""
    gateway = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    gateway.bind((LOCAL, 0))
    gateway.setblocking(False)
    script = f'route {{ force_rport(); forward("udp:localhost:{gateway.getsockname()[1]}"); }}'
    server, _ = serving(tmp_path, script, "udp", "tcp")
    udp, tcp = (endpoint.port for endpoint in server.sockets.endpoints)

    async def answer_by_gateway() -> None:
        loop = asyncio.get_running_loop()
        data, source = await loop.sock_recvfrom(gateway, 65535)
        assert source == (LOCAL, udp)
        await loop.sock_sendto(
            gateway, data.replace(b"OPTIONS sip:bob@example.com SIP/2.0", b"SIP/2.0 200 OK"), source
        )

    async def ask() -> bytes:
        loop = asyncio.get_running_loop()
        if phone_kind == "udp":
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
                phone.setblocking(False)
                await loop.sock_sendto(phone, request(), (LOCAL, udp))
                await answer_by_gateway()
                return await loop.sock_recv(phone, 65535)
        reader, writer = await asyncio.open_connection(LOCAL, tcp)
        writer.write(request(via="SIP/2.0/TCP 192.0.2.1;branch=z9hG4bKtcp"))
        await answer_by_gateway()
        data = await reader.readuntil(b"\r\n\r\n")
        writer.close()
        return data

    async def talk() -> bytes:
        await server.start()
        reply = await asyncio.wait_for(ask(), 10)
        await server.stop()
        return reply

    with gateway:
        reply = asyncio.run(talk())
    assert reply.startswith(b"SIP/2.0 200 OK")
    assert reply.count(b"Via:") == 1
    assert b";received=127.0.0.1" in reply
