"""The listening sockets of a server and the names by which it is itself."""

from __future__ import annotations

import asyncio
import errno
import time
from collections.abc import Callable
from dataclasses import dataclass
from socket import AddressFamily, socket

from openpy.engine.config import LAST_PORT, LISTENED, OTHER_TRANSPORT, TYPES_OF_SERVICE, CoreConfig
from openpy.engine.stacks import stacks_of
from openpy.engine.tlsdomains import TlsContexts
from openpy.net.addresses import all_addresses, resolve_listen
from openpy.net.layer import ANYBODY, Bounds, Callee
from openpy.net.tcp import TcpConnections, TcpLimits
from openpy.net.tls import TlsStack
from openpy.net.udp import Backlog, UdpSocket, open_socket
from openpy.script.syntax import SocketId
from openpy.sip.errors import RemoteError
from openpy.sip.transports import default_port, uri_transport
from openpy.sip.uri import normal_host
from openpy.transaction.flow import Flow


class SocketError(Exception):
    """A socket that cannot be had; the text says which and what to do."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address that the server listens on."""

    transport: str
    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.transport}:{bracketed(self.host)}:{self.port}"


def bracketed(host: str) -> str:
    """A host as it stands in a message: IPv6 in brackets."""
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def _bare(host: str) -> str:
    """A host as it is compared: without brackets, in its one spelling."""
    return normal_host(host.strip("[]"))


@dataclass(slots=True)
class Receivers:
    """Who hears of what arrives."""

    datagram: Callable[[bytes, Flow], None]
    message: Callable[[bytes, Flow], None]
    broken: Callable[[bytes, Flow, RemoteError], None]
    lost: Callable[[Flow], None]
    burst_ended: Callable[[], None]
    backlog: Callable[[], Backlog] | None = None
    """Makes a backlog for a datagram socket; None: everything is served, however late."""
    clock: Callable[[], float] = time.monotonic
    failed: Callable[[Flow, str], None] = lambda flow, why: None
    """Hears of handshakes that failed, and why."""
    sending: Callable[[bytes, Flow], None] | None = None
    """Hears each message that is about to be sent."""
    stranded: Callable[[bytes, Flow], bool] = lambda data, flow: False
    """May take what is to be sent by a connection that is gone."""
    in_use: Callable[[Flow], bool] = lambda flow: False
    """Says whether somebody waits for a reply on a connection."""


class Sockets:
    """All sockets of a server."""

    def __init__(
        self,
        config: CoreConfig,
        receivers: Receivers,
        datagrams: Callable[[AddressFamily], socket] = open_socket,
        tls: TlsContexts | None = None,
    ) -> None:
        """`datagrams` opens a datagram socket; `tls` is what TLS is done with, if it is on."""
        self._config = config
        self._datagrams = datagrams
        self._receivers = receivers
        self.udp: list[UdpSocket] = []
        limits = _tcp_limits(config.number)
        self._stacks = stacks_of(config, tls, limits.bounds)
        self.tcp = TcpConnections(
            received=receivers.message,
            broken=receivers.broken,
            lost=receivers.lost,
            burst_ended=receivers.burst_ended,
            limits=limits,
            stacks=self._stacks,
            failed=receivers.failed,
            sending=receivers.sending,
            stranded=receivers.stranded,
            in_use=receivers.in_use,
        )
        self.endpoints: list[Endpoint] = []
        self._names: dict[str, str] = {}
        """What `listen` calls an address, where it names it otherwise."""
        self._own: set[tuple[str, int]] = set()
        self._aliases: set[tuple[str, int]] = set()

    def bind(self) -> None:
        """Take all addresses; raises SocketError."""
        for entry in self._config.listen or [SocketId(None, "", None)]:
            self._bind_entry(entry)
        self.take_aliases()

    def renew_tls(self, tls: TlsContexts) -> None:
        """Show and ask for this in the handshakes that begin from now on."""
        for transport, stack in self._stacks.items():
            if isinstance(stack, TlsStack):
                stack.renew(tls.servers.get(transport), tls.clients if transport == "tls" else None)

    def take_aliases(self) -> None:
        """Be known by the names that the configuration has now."""
        self._aliases = {(_bare(alias.host), alias.port or 0) for alias in self._config.aliases}

    async def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to read and accept."""
        for udp in self.udp:
            udp.start(loop)
        await self.tcp.start(loop)

    def stop_reading(self) -> None:
        """Take nothing new."""
        for udp in self.udp:
            udp.stop_reading()
        self.tcp.stop_accepting()

    def close(self) -> None:
        """Close everything."""
        for udp in self.udp:
            udp.close()
        self.tcp.close()

    def is_myself(self, host: str, port: int) -> bool:
        """Whether host:port (port 0: any) is a socket of ours, in any transport, or an alias."""
        host = host.lower().strip("[]")
        if ":" in host:
            host = normal_host(host)
        if port == 0:
            return any(own == host for own, _ in self._own) or any(name == host for name, _ in self._aliases)
        return (host, port) in self._own or (host, port) in self._aliases or (host, 0) in self._aliases

    def listening(self, wanted: SocketId) -> Endpoint | None:
        """The first of our sockets that a text means; what it leaves open fits any."""
        host = _bare(wanted.host)
        for endpoint in self.endpoints:
            if (
                wanted.protocol in (None, endpoint.transport, uri_transport(endpoint.transport))
                and host in (endpoint.host, self._names.get(endpoint.host))
                and not (wanted.port and wanted.port != endpoint.port)
            ):
                return endpoint
        return None

    def keep(self, flow: Flow, seconds: float) -> None:
        """Let a connection live so long at least, also if it says nothing."""
        self.tcp.keep(flow, seconds)

    def listens(self, transport: str) -> bool:
        """Whether there is a socket of a transport."""
        return any(endpoint.transport == transport for endpoint in self.endpoints)

    def flow(
        self,
        transport: str,
        host: str,
        port: int,
        local: tuple[str, int] | None = None,
        callee: Callee = ANYBODY,
    ) -> Flow | None:
        """A way to a peer that needs no waiting. The host of a client of WebSocket may be a name that only it uses."""
        host = host.strip("[]")
        if transport == "ws":  # URIs have no other word for wss
            return self._web_socket("ws", host, port) or self._web_socket("wss", host, port)
        if transport == "wss":
            return self._web_socket("wss", host, port)
        if transport != "udp":
            return self.tcp.find(host, port, transport, callee)
        for udp in self.udp:
            if (local is None or local == (udp.host, udp.port)) and (":" in udp.host) == (":" in host):
                return udp.flow(host, port)
        return self.flow(transport, host, port, None) if local is not None else None

    def _web_socket(self, transport: str, host: str, port: int) -> Flow | None:
        return self.tcp.find(host, port, transport) or self.tcp.find_name(host, transport)

    # --- binding ------------------------------------------------------------------------------------------------

    def _bind_entry(self, entry: SocketId) -> None:
        try:
            hosts = resolve_listen(entry.host) if entry.host else all_addresses()
        except OSError as error:
            raise SocketError(f"could not resolve {entry.host}: {error}") from None
        for host in hosts:
            for transport in self._transports(entry):
                port = self._port(entry, transport)
                self._bind_one(Endpoint(transport, host, port))
                if entry.host and entry.host.strip("[]") != host:
                    self._own.add((entry.host.lower(), port))
                    self._names[host] = entry.host.lower()

    def _port(self, entry: SocketId, transport: str) -> int:
        """The port of a socket; that of TLS beside UDP and TCP is one higher."""
        if entry.port is not None:
            beside = transport == "tls" and entry.protocol in (None, "any") and entry.port
            return entry.port + 1 if beside else entry.port
        if transport in ("udp", "tcp"):
            return self._config.number("port")
        return self._config.number("tls_port_no") if transport == "tls" else default_port(transport)

    def _transports(self, entry: SocketId) -> list[str]:
        """Without a protocol: UDP and TCP, and TLS where that is asked for."""
        number, disabled = self._config.number, self._config.values["disable_tls"]
        if entry.protocol in (None, "any"):
            found = ["udp", "tcp", *(("tls",) if disabled == 0 else ())]
        else:
            assert entry.protocol is not None
            if entry.protocol not in LISTENED:
                raise SocketError(f"-l {entry.protocol}:{entry.host}: {OTHER_TRANSPORT}")
            found = [entry.protocol]
        if number("disable_tcp"):
            return [each for each in found if each == "udp"]
        return [each for each in found if not (disabled and each in ("tls", "wss"))]

    def _bind_one(self, endpoint: Endpoint) -> None:
        if endpoint.port > LAST_PORT:  # that of TLS is one higher than what was written
            raise SocketError(f"cannot listen on {endpoint}: the last port is {LAST_PORT}")
        if endpoint.port and endpoint in self.endpoints:  # two lines may mean the same address
            return
        try:
            if endpoint.transport == "udp":
                port = self._bind_udp(endpoint)
            else:
                port = self.tcp.bind(endpoint.host, endpoint.port, endpoint.transport)
        except OSError as error:
            raise SocketError(
                f"cannot listen on {endpoint}: {error.strerror}; {_way_out(endpoint, error)}"
            ) from None
        self.endpoints.append(Endpoint(endpoint.transport, endpoint.host, port))
        self._own.add((endpoint.host, port))

    def _bind_udp(self, endpoint: Endpoint) -> int:
        tos = self._config.values["tos"]
        udp = UdpSocket(
            endpoint.host,
            endpoint.port,
            received=self._receivers.datagram,
            burst_ended=self._receivers.burst_ended,
            receive_buffer=self._config.number("maxbuffer"),
            tos=TYPES_OF_SERVICE[tos] if isinstance(tos, str) else tos or 0,
            open_socket=self._datagrams,
            backlog=None if self._receivers.backlog is None else self._receivers.backlog(),
            clock=self._receivers.clock,
            queue=self._config.number("udp_send_queue"),
            flows=self._config.number("udp_flows"),
            sending=self._receivers.sending,
        )
        udp.bind()
        self.udp.append(udp)
        return udp.port


def _tcp_limits(number: Callable[[str], int]) -> TcpLimits:
    return TcpLimits(
        connections=number("tcp_max_connections"),
        source_connections=number("tcp_max_source_connections"),
        lifetime=number("tcp_connection_lifetime"),
        connect_timeout=number("tcp_connect_timeout"),
        message_time=number("tcp_max_msg_time"),
        send_timeout=number("tcp_send_timeout"),
        secure_send_timeout=number("tls_send_timeout"),
        handshake_time=number("tls_handshake_timeout"),
        held=number("tcp_buffers"),
        bounds=Bounds(number("tcp_max_message"), number("max_head"), number("tcp_send_buffer")),
    )


def _way_out(endpoint: Endpoint, error: OSError) -> str:
    """What to do about an address that cannot be had."""
    if error.errno == errno.EADDRNOTAVAIL:
        return "no interface of this machine has that address"
    if error.errno == errno.EACCES:
        return "ports below 1024 belong to root: start as root, with user= to run as another"
    port = endpoint.port + 10
    return (
        "is another server running there? Choose another port, "
        f"such as -l {endpoint.transport}:{bracketed(endpoint.host)}:{port} or make run PORT={port}"
    )
