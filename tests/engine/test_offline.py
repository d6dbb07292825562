from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from openpy.engine.module import ModuleError
from openpy.engine.offline import OfflineServer, VirtualClock
from tests.engine.kit import request

MODULES = "".join(f'loadmodule "{name}.so"\n' for name in ("sqlite", "sl", "tm", "textops", "xlog"))


def offline(
    tmp_path: Path, script: str, body: Callable[[OfflineServer], Coroutine[Any, Any, None]]
) -> OfflineServer:
    """A server without a wire, on which `body` runs between its beginning and its end."""
    path = tmp_path / "openser.cfg"
    path.write_text(MODULES + script)
    log: list[str] = []

    async def main() -> OfflineServer:
        server = OfflineServer(tmp_path, lambda level, line: log.append(line))
        server.load(path)
        server.bind()
        await server.begin()
        try:
            await body(server)
        finally:
            await server.finish()
        return server

    return asyncio.run(main())


def done() -> bool:
    return True


def starts(server: OfflineServer) -> list[str]:
    return [data.split(b"\r\n", 1)[0].decode() for _, data in server.sent]


def test_what_is_sent_is_kept(tmp_path: Path) -> None:
    async def body(server: OfflineServer) -> None:
        server.dispatcher.receive(request(), server.peer("udp", "192.0.2.1", 5066))
        assert await server.settle(done)

    server = offline(tmp_path, 'route { $ru = "sip:x@192.0.2.9"; t_relay(); }', body)
    assert starts(server) == ["OPTIONS sip:x@192.0.2.9 SIP/2.0"]
    flow = server.sent[0][0]
    assert (flow.host, flow.port, flow.reliable, flow.local_host) == ("192.0.2.9", 5060, False, "127.0.0.1")
    assert server.remarks == ["the script names no address to listen on: it runs as if on 127.0.0.1"]


def test_it_is_where_the_script_listens_without_being_there(tmp_path: Path) -> None:
    async def body(server: OfflineServer) -> None:
        assert server.is_myself("192.0.2.99", 5080)
        assert server.peer("udp", "192.0.2.1", 5060).local_port == 5080

    server = offline(tmp_path, "listen=udp:192.0.2.99:5080\nlisten=tcp:192.0.2.99:5080\nroute { ; }", body)
    assert server.remarks == []


def test_a_connection_is_as_if_it_were_there_and_that_is_said(tmp_path: Path) -> None:
    async def body(server: OfflineServer) -> None:
        server.dispatcher.receive(request(), server.peer("udp", "192.0.2.1", 5066))
        await server.settle(done)

    server = offline(tmp_path, 'route { $ru = "sip:x@192.0.2.9;transport=tcp"; t_relay(); }', body)
    assert starts(server) == ["OPTIONS sip:x@192.0.2.9;transport=tcp SIP/2.0"]
    assert server.sent[0][0].reliable
    assert server.remarks[-1] == "no connection was opened to tcp:192.0.2.9:5060"


def test_names_are_not_looked_up(tmp_path: Path) -> None:
    async def body(server: OfflineServer) -> None:
        assert server.resolve("192.0.2.3").value == ("192.0.2.3",)
        assert server.resolve("[2001:db8::1]").value == ("2001:db8::1",)
        assert server.resolve("example.com").value == ()

    server = offline(tmp_path, "route { ; }", body)
    assert server.remarks[-1] == "example.com was not looked up: for the script it has no address"


PRESENCE = """
loadmodule "presence.so"
loadmodule "presence_xml.so"
modparam("presence", "db_url", "sqlite:///real.sqlite")
modparam("presence_xml", "force_active", 1)
route { handle_publish(); }
"""


def test_no_database_of_the_script_is_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    async def body(server: OfflineServer) -> None:
        assert server.database("sqlite:///real.sqlite") is server.database("sqlite:///real.sqlite")
        with pytest.raises(ModuleError):
            server.database("nonsense")

    server = offline(tmp_path, PRESENCE, body)
    assert not (tmp_path / "real.sqlite").exists()
    assert (tmp_path / "0.sqlite").exists()
    assert server.remarks[-1] == "an empty temporary database was used in place of sqlite:///real.sqlite"


def test_modules_that_take_commands_are_not_started(tmp_path: Path) -> None:
    async def body(server: OfflineServer) -> None:
        assert not (tmp_path / "fifo").exists()

    fifo = f'loadmodule "mi_fifo.so"\nmodparam("mi_fifo", "fifo_name", "{tmp_path}/fifo")\nroute {{ ; }}'
    assert "mi_fifo was not started" in offline(tmp_path, fifo, body).remarks


def test_what_never_comes_is_waited_for_in_virtual_time(tmp_path: Path) -> None:
    async def body(server: OfflineServer) -> None:
        before, began = server.clock.monotonic(), time.monotonic()
        assert not await server.settle(lambda: False)
        assert server.clock.monotonic() - before >= 60
        assert time.monotonic() - began < 30

    offline(tmp_path, "route { ; }", body)


def test_virtual_time_stands_still() -> None:
    clock = VirtualClock()
    now, wall = clock.monotonic(), clock.wall()
    time.sleep(0.01)
    assert (clock.monotonic(), clock.wall()) == (now, wall)
    assert abs(wall - time.time()) < 5
    clock.now += 7
    assert clock.wall() == wall + 7


def test_the_process_is_left_as_it_was(tmp_path: Path) -> None:
    async def body(server: OfflineServer) -> None:
        pass

    before = sys.getswitchinterval()
    offline(tmp_path, "route { ; }", body)
    assert sys.getswitchinterval() == before
