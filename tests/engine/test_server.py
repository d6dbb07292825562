from __future__ import annotations

import asyncio
import gc
import socket
from pathlib import Path

import pytest

from openpy.engine.config import CoreConfig
from openpy.engine.module import ModuleError
from openpy.engine.server import LOAD_PATIENCE, Server
from openpy.engine.services import Callee
from openpy.engine.sockets import SocketError
from openpy.script.diagnostics import ScriptError
from openpy.script.syntax import SocketId
from openpy.transaction.flow import Flow
from tests.authority import Authority
from tests.engine.kit import LOCAL, Bench, request, serving

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


def test_ways_by_tls_and_what_keeps_a_handshake_from_its_end(tmp_path: Path, authority: Authority) -> None:
    files = authority.of("127.0.0.1")
    script = (
        f'tls_certificate="{files.certificate}"\ntls_private_key="{files.key}"\ntls_ca_list="{authority.ca}"\n'
        "tls_verify_client=no\ndebug=3\nroute { exit; }"
    )
    server, lines = serving(tmp_path, script, "tls", "tcp")

    async def live() -> None:
        await server.start()
        tls, tcp = server.sockets.endpoints
        up = server.connect("tls", LOCAL, tls.port)
        named = server.connect("tls", LOCAL, tls.port, Callee("a.example"))
        deaf = server.connect("tls", LOCAL, tcp.port)
        while not (up.done and named.done and deaf.done):
            await asyncio.sleep(0.01)
        assert up.value is server.flow("tls", LOCAL, tls.port)
        assert up.value is not None
        assert server.flow("tls", LOCAL, tls.port, None, Callee("a.example")) is None
        assert (named.value, deaf.value) == (None, None)
        assert server.size_switch.limit == 1300
        await server.stop()

    asyncio.run(live())
    found = [line for line in lines if "no handshake" in line]
    assert any(
        f"WARNING:core: tls:{LOCAL}:{server.sockets.endpoints[0].port}: no handshake: the cert" in x
        for x in found
    )
    assert any("INFO:core: tls:127.0.0.1:" in line and "alert" in line for line in found), (
        "the peer's side of it"
    )


def test_without_a_socket_of_tcp_nothing_is_switched_to_it(tmp_path: Path) -> None:
    for listen, limit in (("udp", 0), ("tcp", 1300)):
        server, _ = serving(tmp_path, "route { exit; }", listen)
        assert server.size_switch.limit == limit
        server.sockets.close()


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


def test_a_connection_on_which_a_reply_is_waited_for_is_not_idle(tmp_path: Path) -> None:
    script = """tcp_connection_lifetime=0
    loadmodule "sl.so" loadmodule "tm.so"
    route { t_relay(); }"""
    server, _ = serving(tmp_path, script, "udp", "tcp")

    async def live() -> bytes:
        loop = asyncio.get_running_loop()
        await server.start()
        with socket.create_server((LOCAL, 0)) as phone, socket.socket(type=socket.SOCK_DGRAM) as caller:
            phone.setblocking(False)
            uri = f"sip:bob@{LOCAL}:{phone.getsockname()[1]};transport=tcp"
            caller.sendto(request("INVITE", uri), (LOCAL, server.sockets.endpoints[0].port))
            line, _ = await loop.sock_accept(phone)
            with line:
                line.setblocking(False)
                assert (await loop.sock_recv(line, 65535)).startswith(b"INVITE ")
                server.sockets.tcp.close_overdue()
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(loop.sock_recv(line, 65535), 0.2)
                server.transactions.flow_failed(next(iter(server.sockets.tcp._places)))
                server.sockets.tcp.close_overdue()
                ended = await asyncio.wait_for(loop.sock_recv(line, 65535), 10)
        await server.stop()
        return ended

    assert asyncio.run(live()) == b""


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
        gc.freeze()  # a start looks for garbage, and other tests have left much to look at
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
