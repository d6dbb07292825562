from __future__ import annotations

import asyncio
from pathlib import Path
from typing import cast

import pytest
from wsproto import ConnectionType, WSConnection
from wsproto.events import Request as HttpRequest
from wsproto.events import TextMessage

from openpy.engine.intake import NO_CERTIFICATE, tell_handshake
from openpy.engine.log import Log
from openpy.engine.server import Server
from openpy.net.udp import UdpFlow
from openpy.transaction.flow import Flow
from tests.engine.kit import LOCAL, KeptFlow, Sent, request, serving


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


def test_a_client_of_web_socket_is_found_by_its_name(tmp_path: Path) -> None:
    server, _ = serving(tmp_path, "route { exit; }", "ws")
    client = WSConnection(ConnectionType.CLIENT)

    async def live() -> None:
        await server.start()
        reader, writer = await asyncio.open_connection(LOCAL, server.sockets.endpoints[0].port)
        writer.write(client.send(HttpRequest(host="a", target="/", subprotocols=["sip"])))
        client.receive_data(await reader.read(1000))
        assert len(list(client.events())) == 1
        text = request(via="SIP/2.0/WS x1.invalid;branch=z9hG4bKa").decode()
        writer.write(client.send(TextMessage(text)))
        while not server.messages_received:
            await asyncio.sleep(0.005)
        found = server.flow("ws", "x1.invalid", 80)
        assert found is not None
        assert server.flow("ws", found.host, found.port) is found
        writer.close()
        await server.stop()

    asyncio.run(live())


@pytest.mark.parametrize(("is_ours", "level"), [(True, "WARNING"), (False, "INFO")])
def test_a_handshake_of_ours_that_failed_is_worth_a_warning(is_ours: bool, level: str) -> None:
    lines: list[str] = []
    flow = KeptFlow([], "tls", "2001:db8::1")
    flow.is_ours = is_ours  # type: ignore[attr-defined]
    tell_handshake(Log(3, lambda _, line: lines.append(line)), cast(Flow, flow), NO_CERTIFICATE)
    (line,) = lines
    assert f"{level}:core: tls:[2001:db8::1]:5066: no handshake: {NO_CERTIFICATE} (" in line
    assert "tls_require_client_certificate=no" in line
