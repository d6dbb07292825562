from __future__ import annotations

import asyncio
import errno
import re
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from openpy.engine.config import CoreConfig
from openpy.engine.sockets import Endpoint, Receivers, SocketError, Sockets, bracketed
from openpy.engine.tlsdomains import TlsContexts
from openpy.net.addresses import all_addresses
from openpy.net.tcp import TcpConnections
from openpy.net.udp import UdpSocket
from openpy.script.syntax import SocketId
from openpy.sip.errors import RemoteError
from openpy.transaction.flow import Flow
from tests.ports import free_port


def ignore(*_: object) -> None:
    pass


@contextmanager
def bound(
    *listen: SocketId,
    alias: tuple[SocketId, ...] = (),
    tls: TlsContexts | None = None,
    **values: int | str | None,
) -> Iterator[Sockets]:
    config = CoreConfig(listen=list(listen), aliases=list(alias))
    config.values.update(values)
    sockets = Sockets(config, Receivers(ignore, ignore, ignore, ignore, ignore), tls=tls)
    with closing(sockets):
        sockets.bind()
        yield sockets


def kinds(sockets: Sockets) -> list[tuple[str, str]]:
    return [(endpoint.transport, endpoint.host) for endpoint in sockets.endpoints]


LOCAL = "127.0.0.1"


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (SocketId(None, LOCAL, 0), [("udp", LOCAL), ("tcp", LOCAL)]),
        (SocketId("any", LOCAL, 0), [("udp", LOCAL), ("tcp", LOCAL)]),
        (SocketId("udp", LOCAL, 0), [("udp", LOCAL)]),
        (SocketId("tcp", LOCAL, 0), [("tcp", LOCAL)]),
        (SocketId("udp", "localhost", 0), [("udp", LOCAL)]),
        (SocketId("udp", "[::1]", 0), [("udp", "::1")]),
    ],
)
def test_what_listen_means(entry: SocketId, expected: list[tuple[str, str]]) -> None:
    with bound(entry) as sockets:
        assert kinds(sockets) == expected
        assert all(endpoint.port for endpoint in sockets.endpoints)


@pytest.mark.parametrize(
    ("disabled", "expected"),
    [
        (None, ["udp", "tcp", "tls", "ws", "wss"]),
        (0, ["udp", "tcp", "tls", "tls", "ws", "wss"]),
        (1, ["udp", "tcp", "ws"]),
    ],
)
def test_where_there_is_tls(disabled: int | None, expected: list[str]) -> None:
    listen = [SocketId(kind, LOCAL, 0) for kind in (None, "tls", "ws", "wss")]
    with bound(*listen, tls=TlsContexts(), disable_tls=disabled) as sockets:
        assert [endpoint.transport for endpoint in sockets.endpoints] == expected
        assert sockets.listens("wss") is ("wss" in expected)
    with bound(*listen, tls=TlsContexts(), disable_tcp=1) as sockets:
        assert [endpoint.transport for endpoint in sockets.endpoints] == ["udp"]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (SocketId("tls", LOCAL, None), [("tls", 5061)]),
        (SocketId("ws", LOCAL, None), [("ws", 80)]),
        (SocketId("wss", LOCAL, None), [("wss", 443)]),
        (SocketId(None, LOCAL, 7070), [("udp", 7070), ("tcp", 7070), ("tls", 7071)]),
        (SocketId(None, LOCAL, None), [("udp", 5060), ("tcp", 5060), ("tls", 5061)]),
        (SocketId("tls", LOCAL, 7070), [("tls", 7070)]),
    ],
)
def test_the_ports_of_transports(
    monkeypatch: pytest.MonkeyPatch, entry: SocketId, expected: list[tuple[str, int]]
) -> None:
    monkeypatch.setattr(UdpSocket, "bind", ignore)
    monkeypatch.setattr(TcpConnections, "bind", lambda self, host, port, transport: port)
    with bound(entry, tls=TlsContexts(), disable_tls=0) as sockets:
        assert [(each.transport, each.port) for each in sockets.endpoints] == expected


def test_uris_that_say_ws_mean_wss_too() -> None:
    with bound(SocketId("wss", LOCAL, 0), SocketId("ws", LOCAL, 0), tls=TlsContexts()) as sockets:
        wss, ws = sockets.endpoints
        assert sockets.listening(SocketId("ws", LOCAL, wss.port)) is wss
        assert sockets.listening(SocketId("ws", LOCAL, ws.port)) is ws
        assert sockets.listening(SocketId("wss", LOCAL, ws.port)) is None
        assert sockets.flow("ws", "x.invalid", 80) is None


def test_an_interface_is_all_its_addresses() -> None:
    with bound(SocketId("udp", "lo", 0)) as sockets:
        assert ("udp", LOCAL) in kinds(sockets)


def test_without_listen_every_address_is_taken_in_both_transports() -> None:
    with bound(port=0) as sockets:
        assert kinds(sockets) == [(kind, host) for host in all_addresses() for kind in ("udp", "tcp")]


def test_an_address_that_is_named_twice_is_one_socket() -> None:
    port = free_port()
    named = (SocketId(None, LOCAL, port), SocketId("tcp", LOCAL, port), SocketId("udp", "localhost", port))
    with bound(*named) as sockets:
        assert kinds(sockets) == [("udp", LOCAL), ("tcp", LOCAL)]
        assert sockets.is_myself("localhost", port)
    with bound(SocketId("udp", LOCAL, 0), SocketId("udp", LOCAL, 0)) as sockets:
        assert len(sockets.endpoints) == 2


def test_disable_tcp_opens_none() -> None:
    with bound(SocketId(None, LOCAL, 0), SocketId("tcp", LOCAL, 0), disable_tcp=1) as sockets:
        assert kinds(sockets) == [("udp", LOCAL)]


def test_the_port_parameter_is_for_sockets_that_give_none() -> None:
    port = free_port()
    with bound(SocketId("udp", LOCAL, None), port=port) as sockets:
        assert sockets.endpoints == [Endpoint("udp", LOCAL, port)]


@pytest.mark.parametrize("kind", ["udp", "tcp"])
def test_a_port_that_is_taken_is_told_with_the_way_out(kind: str) -> None:
    with bound(SocketId(None, LOCAL, 0)) as first:
        port = next(e.port for e in first.endpoints if e.transport == kind)
        text = f"cannot listen on {kind}:{LOCAL}:{port}: Address already in use"
        with pytest.raises(SocketError, match=re.escape(text)) as caught, bound(SocketId(kind, LOCAL, port)):
            pass
        assert f"-l {kind}:{LOCAL}:{port + 10}" in str(caught.value)


@pytest.mark.parametrize(
    ("number", "way_out"), [(errno.EADDRNOTAVAIL, "no interface"), (errno.EACCES, "start as root")]
)
def test_the_way_out_fits_the_reason(monkeypatch: pytest.MonkeyPatch, number: int, way_out: str) -> None:
    def refuse(_: object) -> None:
        raise OSError(number, "refused")

    monkeypatch.setattr(UdpSocket, "bind", refuse)
    with pytest.raises(SocketError, match=way_out), bound(SocketId("udp", LOCAL, 0)):
        pass


def test_there_may_be_no_port_for_tls_beside_udp_and_tcp(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(UdpSocket, "bind", ignore)
    monkeypatch.setattr(TcpConnections, "bind", lambda *asked: asked[2])
    told = "cannot listen on tls:127.0.0.1:65536: the last port is 65535"
    with pytest.raises(SocketError, match=told), bound(SocketId(None, LOCAL, 65535), disable_tls=0):
        pass


def test_a_name_that_does_not_resolve_is_told() -> None:
    with (
        pytest.raises(SocketError, match=r"could not resolve nowhere\.invalid"),
        bound(SocketId("udp", "nowhere.invalid", 0)),
    ):
        pass


def test_transports_that_are_not_built_are_refused() -> None:
    with pytest.raises(SocketError, match="udp, tcp, tls, ws, wss only"), bound(SocketId("sctp", LOCAL, 0)):
        pass


@pytest.mark.parametrize("tos", ["IPTOS_THROUGHPUT", 0x08])
def test_type_of_service_and_buffer_are_set(tos: int | str) -> None:
    with bound(SocketId("udp", LOCAL, 0), SocketId("udp", "::1", 0), tos=tos, maxbuffer=65536) as sockets:
        four, six = (udp._socket for udp in sockets.udp)
        assert four is not None
        assert six is not None
        assert four.getsockopt(socket.IPPROTO_IP, socket.IP_TOS) == 0x08
        assert six.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS) == 0x08
        assert four.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) >= 65536


@pytest.mark.parametrize("kind", ["udp", "tcp"])
def test_every_address_of_both_families_may_have_one_port(kind: str) -> None:
    port = free_port()
    with bound(SocketId(kind, "0.0.0.0", port), SocketId(kind, "[::]", port)) as sockets:
        assert [str(each) for each in sockets.endpoints] == [f"{kind}:0.0.0.0:{port}", f"{kind}:[::]:{port}"]


def test_myself_is_every_socket_and_alias() -> None:
    port = free_port()
    alias = (
        SocketId(None, "any.example", None),
        SocketId("udp", "Named.example", 5061),
        SocketId(None, "[::1]", 5070),
        SocketId(None, "[2001:db8:0::1]", 5071),
    )
    with bound(SocketId("udp", "localhost", port), alias=alias) as sockets:
        for host, at in [
            (LOCAL, port), (LOCAL, 0), ("localhost", port), ("LocalHost", port), ("any.example", 5060),
            ("any.example", 1), ("ANY.example", 0), ("named.example", 5061), ("named.example", 0),
            ("::1", 5070), ("[::1]", 5070), ("[0:0::0:1]", 5070), ("::00:1", 0), ("[2001:DB8::0:1]", 5071),
        ]:  # fmt: skip
            assert sockets.is_myself(host, at), (host, at)
        for host, at in [(LOCAL, 5060), ("named.example", 5060), ("other.example", 0), ("::1", 5060)]:
            assert not sockets.is_myself(host, at), (host, at)


def test_a_flow_leaves_by_a_socket_that_fits() -> None:
    with bound(SocketId("udp", LOCAL, 0), SocketId("udp", LOCAL, 0), SocketId("udp", "::1", 0)) as sockets:
        first, second, six = sockets.endpoints

        def local(host: str, wanted: tuple[str, int] | None = None) -> tuple[str, int]:
            flow = sockets.flow("udp", host, 5060, wanted)
            assert flow is not None
            return flow.local_host, flow.local_port

        assert local("192.0.2.1") == (first.host, first.port)
        assert local("192.0.2.1", (second.host, second.port)) == (second.host, second.port)
        assert local("192.0.2.1", ("10.9.9.9", 5060)) == (first.host, first.port)
        assert local("[2001:db8::1]") == (six.host, six.port)
        assert sockets.flow("tls", "192.0.2.1", 5061, None) is None
        assert sockets.flow("tcp", "192.0.2.1", 5060, None) is None
    with bound(SocketId("udp", LOCAL, 0)) as sockets:
        assert sockets.flow("udp", "::1", 5060, None) is None


def test_a_connection_is_kept_by_the_transport_that_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with bound(SocketId("udp", LOCAL, 0)) as sockets:
        kept: list[float] = []
        monkeypatch.setattr(sockets.tcp, "keep", lambda flow, seconds: kept.append(seconds))
        flow = sockets.flow("udp", "192.0.2.1", 5060, None)
        assert flow is not None
        sockets.keep(flow, 30)
        assert kept == [30]


def test_what_arrives_is_handed_on_until_reading_stops() -> None:
    heard: list[bytes] = []
    lost: list[Flow] = []
    broken: list[RemoteError] = []

    def keep(data: bytes, flow: Flow) -> None:
        heard.append(data)

    def broke(head: bytes, flow: Flow, error: RemoteError) -> None:
        broken.append(error)

    async def talk() -> None:
        config = CoreConfig(listen=[SocketId(None, LOCAL, 0)])
        sockets = Sockets(config, Receivers(keep, keep, broke, lost.append, ignore))
        sockets.bind()
        await sockets.start(asyncio.get_running_loop())
        udp, tcp = (endpoint.port for endpoint in sockets.endpoints)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
            phone.sendto(b"by udp", (LOCAL, udp))
        reader, writer = await asyncio.open_connection(LOCAL, tcp)
        writer.write(b"OPTIONS sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\nOPTIONS sip:b SIP/2.0\r\n\r\n")
        assert await reader.read() == b""
        writer.close()
        while not lost:
            await asyncio.sleep(0.01)
        sockets.stop_reading()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(LOCAL, tcp)
        sockets.close()

    asyncio.run(talk())
    assert sorted(heard) == [b"OPTIONS sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\n", b"by udp"]
    assert [error.reason for error in broken] == ["Missing Content-Length"]


def test_an_endpoint_is_written_as_listen_takes_it() -> None:
    assert str(Endpoint("udp", "::1", 5060)) == "udp:[::1]:5060"
    assert bracketed("[::1]") == "[::1]"
    assert bracketed(LOCAL) == LOCAL


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (SocketId(None, LOCAL, None), 0),
        (SocketId("udp", LOCAL, None), 0),
        (SocketId("tcp", LOCAL, None), 2),
        (SocketId(None, "LocalHost", None), 1),
        (SocketId("udp", "[::1]", None), 3),
        (SocketId("udp", "[0:0::1]", None), 3),
        (SocketId(None, LOCAL, 1), None),
        (SocketId("tls", LOCAL, None), None),
        (SocketId(None, "192.0.2.1", None), None),
    ],
)
def test_which_socket_is_meant(wanted: SocketId, expected: int | None) -> None:
    listen = [SocketId("udp", LOCAL, 0), SocketId("udp", "localhost", 0), SocketId("tcp", LOCAL, 0)]
    with bound(*listen, SocketId("udp", "::1", 0)) as sockets:
        found = sockets.listening(wanted)
        if wanted.host == "LocalHost":
            assert found in sockets.endpoints
        else:
            assert found == (None if expected is None else sockets.endpoints[expected])
        last = sockets.endpoints[2]
        assert sockets.listening(SocketId(None, LOCAL, last.port)) is last


def test_other_aliases_count_from_then_on() -> None:
    with bound(SocketId("udp", "127.0.0.1", 0), alias=(SocketId(None, "one.example", None),)) as sockets:
        sockets._config.aliases[:] = [SocketId(None, "two.example", 5070)]
        assert sockets.is_myself("one.example", 5060)
        sockets.take_aliases()
        assert not sockets.is_myself("one.example", 5060)
        assert sockets.is_myself("two.example", 5070)
        assert not sockets.is_myself("two.example", 5060)
