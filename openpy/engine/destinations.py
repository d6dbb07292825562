"""Where a message goes, and the way there: one choice for the core and for modules (RFC 3261 16.6 and 18.1).

Rules:
1. A destination is what a URI or the script names. Its host may be a name, which is looked up beside the loop
   when something is sent there; an address costs no wait. A name without a port is that of a domain, whose servers the
   DNS tells (RFC 3263 4): NAPTR where no transport is named either, then SRV, then its own addresses.
2. The servers of a domain and the addresses of each are tried in order: one that a blacklist in force forbids is passed
   over, so is one that no connection can be made to.
3. What the message looks like depends on the way that it takes (our Via names the socket), so it is written for
   each way that is tried.
4. So many addresses of one destination are tried (MOST_ADDRESSES): whoever has a domain says which there are, and each
   of them may be somebody else's.
5. Errors are 1.3's internal codes: `$retcode` of the core functions, and what `sl_reply_error` answers for.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from openpy.engine.blacklists import Target
from openpy.engine.run import Run
from openpy.engine.services import ANYBODY, Callee
from openpy.engine.socketids import read_socket
from openpy.engine.state import State
from openpy.engine.urivars import parsed
from openpy.net.services import NOWHERE, Service, in_turn
from openpy.script.environment import ArgumentError, Environment
from openpy.sip.errors import RemoteError
from openpy.sip.transports import default_port, transport_of
from openpy.sip.uri import cached_uri
from openpy.transaction.flow import Flow

if TYPE_CHECKING:
    from openpy.engine.server import Server

E_IP_BLOCKED, E_BAD_URI, E_BAD_ADDRESS, E_SEND = -473, -475, -476, -477
E_NO_DESTINATION = -19  # nothing that could be sent to
REASONS = {
    E_IP_BLOCKED: "Filtered destination",
    E_BAD_URI: "Bad URI",
    E_BAD_ADDRESS: "Unresolvable destination",
    E_SEND: "Send failed",
}

TRANSPORTS = ("udp", "tcp", "tls", "ws", "wss")
"""What this version sends by."""

MOST_ADDRESSES = 16

REMEMBERED_LENGTH = 160
"""Characters of a URI whose destination is remembered."""


class DestinationError(Exception):
    """A message that cannot be sent on; `code` is 1.3's internal error."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code

    def __str__(self) -> str:
        return f"{REASONS.get(self.code, 'No destination')} ({self.code})"


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a message goes; `host` is an address without brackets, or a name.

    Of a name the transport may be "" and the port 0: the DNS says which.
    """

    transport: str
    host: str
    port: int
    is_name: bool = False
    may_switch: bool = False
    """Whether nobody named the transport: what is too large for UDP then goes by TCP."""


def destination_of(text: str) -> Destination:
    """The destination that a URI names, with a bounded memory for short ones; raises DestinationError."""
    return _known_destination(text) if len(text) <= REMEMBERED_LENGTH else _read_destination(text)


def _read_destination(text: str) -> Destination:
    try:
        uri = cached_uri(text)
    except RemoteError:
        raise DestinationError(E_BAD_URI) from None
    named = transport_of(uri)
    if not uri.is_sip or named not in TRANSPORTS:
        raise DestinationError(E_BAD_URI)
    if uri.scheme == "sip" and not uri.transport:
        named = ""  # the DNS may say which, or the size of what is sent
    return _destination(named, uri.param("maddr") or uri.host, uri.port or 0)


_known_destination = lru_cache(maxsize=1024)(_read_destination)


def current_destination(run: Run) -> Destination:
    """Where the request of a run goes: to its next hop, else to its Request-URI; raises DestinationError.

    One that cannot be read is a parse error, which the error_route hears of.
    """
    next_hop = run.state.destination_uri
    text, what = (next_hop, "dst uri") if next_hop else (run.uri, "r-uri")
    if parsed(run, text, what) is None:
        raise DestinationError(E_BAD_URI)
    return destination_of(text)


def _destination(transport: str, host: str, port: int, *, may_switch: bool = False) -> Destination:
    bare = host.strip("[]")
    try:
        address = str(ipaddress.ip_address(bare))
    except ValueError:
        return Destination(transport, bare, port, is_name=True)
    port = port or default_port(transport or "udp")
    return Destination(transport or "udp", address, port, may_switch=not transport)


@dataclass(frozen=True, slots=True)
class DestinationKind:
    """`[proto:]host[:port]` as the scripts write it; by UDP to port 5060 where nothing else is said."""

    description: str = "a destination such as udp:192.0.2.1:5060"

    def convert(self, text: str, environment: Environment) -> Destination:
        """Convert; raises ArgumentError."""
        written = read_socket(text)
        transport = written.protocol or ""
        if transport and transport not in TRANSPORTS:
            raise ArgumentError(f"bad protocol in {text}: this version sends by {', '.join(TRANSPORTS)}")
        found = _destination(transport, written.host, written.port or 0)
        if found.is_name and not _is_host_name(found.host):
            raise ArgumentError(f'"{text}" names no host')
        return found


def _is_host_name(text: str) -> bool:
    """Whether it may be the name of a host; what looks like an address and is none is not."""
    labels = text.rstrip(".").split(".")
    return not labels[-1].isdigit() and all(
        label and label.replace("-", "").replace("_", "").isalnum() for label in labels
    )


class Ways:
    """The ways to a destination, in the order in which they are tried, each with the message as `written` for it.

    `state` has the socket and the blacklists that the message is sent with. With `only_first` there is one way: the
    first that no blacklist forbids.
    """

    __slots__ = (
        "_destination",
        "_error",
        "_left",
        "_only_first",
        "_server",
        "_servers",
        "_state",
        "_untried",
        "_written",
    )

    def __init__(
        self,
        server: Server,
        state: State,
        destination: Destination,
        written: Callable[[Flow], bytes],
        *,
        only_first: bool = False,
    ) -> None:
        self._server = server
        self._state = state
        self._destination = destination
        self._written = written
        self._only_first = only_first
        self._error = E_BAD_ADDRESS
        self._servers: list[Service] | None = None  # not looked up yet
        self._left: list[Target] = []
        self._untried = MOST_ADDRESSES

    @property
    def has_more(self) -> bool:
        """Whether there are servers or addresses that were not tried yet."""
        return self._servers is None or bool(self._servers or self._left)

    def at_once(self) -> tuple[Flow, bytes] | None:
        """The only one, where nothing has to be waited for: an address by a way that is open. None: ask `next`."""
        if not self._is_plain():
            return None
        server, state, target = self._server, self._state, self._left[0]
        if _is_forbidden(server, state, target):
            return None
        flow = _open_flow(server, state, target, self._callee(target))
        if flow is None:
            return None
        data = self._written(flow)
        if self._may_switch(target) and len(data) > server.size_switch.limit > 0:
            return None
        if state.blacklists and _is_text_forbidden(state, target, data):
            return None
        self._left.clear()
        return flow, data

    async def next(self) -> tuple[Flow, bytes]:
        """The next one.

        Raises DestinationError where none is left: no address, none that may be sent to, none that can be reached.
        """
        server, state = self._server, self._state
        while self._left or self._is_plain() or await self._look_up():
            target = self._left.pop(0)
            if _is_forbidden(server, state, target):
                self._error = E_IP_BLOCKED
                continue
            if self._only_first:
                self._servers, self._left = [], []
            callee = self._callee(target)
            flow = _open_flow(server, state, target, callee) or await server.connect(*target, callee)
            if flow is None:
                if server.dead_targets is not None:
                    server.dead_targets.failed(target)
                self._error = E_SEND
                continue
            data = self._written(flow)
            if self._may_switch(target) and len(data) > server.size_switch.limit > 0:
                stream = await _stream(server, state, target, len(data))
                if stream is not None:
                    flow, data, target = stream, self._written(stream), target._replace(transport="tcp")
            if state.blacklists and _is_text_forbidden(state, target, data):
                self._error = E_IP_BLOCKED
                continue
            return flow, data
        raise DestinationError(self._error)

    def _is_plain(self) -> bool:
        """Whether there is an address that nobody has to be asked for; it is the only one."""
        there = self._destination
        if self._servers is not None or there.is_name or there.transport in ("ws", "wss"):
            return False
        self._servers = []
        self._left = [Target(there.transport, there.host, there.port)]
        return True

    async def _look_up(self) -> bool:
        """Find further addresses; False where there are none."""
        server, there = self._server, self._destination
        if self._servers is None:
            self._servers = []
            if there.transport in ("ws", "wss"):  # it leads to its connection, or nowhere
                flow = server.flow(there.transport, there.host, there.port or default_port(there.transport))
                self._left = [] if flow is None else [Target(flow.transport, flow.host, flow.port)]
                return bool(self._left)
            self._servers = await _servers_of(server, there)
        while self._servers and not self._left:
            self._left = (await _addresses(server, self._servers.pop(0)))[: self._untried]
            self._untried -= len(self._left)
            if not self._untried:
                self._servers.clear()
        return bool(self._left)

    def _may_switch(self, target: Target) -> bool:
        """Whether nobody named the transport: what is too large for UDP then goes by TCP (RFC 3261 18.1.1)."""
        there = self._destination
        return target.transport == "udp" and (there.may_switch or not there.transport)

    def _callee(self, target: Target) -> Callee:
        """Whom a peer by TLS has to prove to be."""
        if target.transport != "tls":
            return ANYBODY
        there = self._destination
        return Callee(there.host.lower() if there.is_name else "", _client_domain(self._server, self._state))


async def way_to(
    run: Run, destination: Destination, written: Callable[[Run, Flow], bytes]
) -> tuple[Flow, bytes]:
    """The first way to a destination, and the message as `written` for it; raises DestinationError."""
    ways = Ways(run.server, run.state, destination, partial(written, run))
    return ways.at_once() or await ways.next()


async def _servers_of(server: Server, destination: Destination) -> list[Service]:
    """The servers that a name stands for: itself, but for a domain whose servers the DNS tells."""
    transport, host, port = destination.transport, destination.host, destination.port
    if not port and "." in host:
        try:
            found = await server.find_servers(host, transport)
        except OSError:  # nobody can tell in time
            return []
        if found:
            return in_turn(found, server.random)
    return [Service((0,), 0, transport or "udp", host, port or default_port(transport or "udp"))]


async def _addresses(server: Server, service: Service) -> list[Target]:
    """The addresses of one server; none where nobody can tell."""
    if service.host == NOWHERE:
        return []
    try:
        hosts = await server.resolve(service.host)
    except OSError:
        return []
    targets = [Target(service.transport, host, service.port) for host in hosts]
    if server.dead_targets is not None:
        for target in targets:
            server.dead_targets.found_by_name(target)
    return targets


def _open_flow(server: Server, state: State, target: Target, callee: Callee = ANYBODY) -> Flow | None:
    """The way to a target, if one is there already."""
    socket = state.send_socket
    local = (
        (socket.host, socket.port) if socket is not None and socket.transport == target.transport else None
    )
    return server.flow(target.transport, target.host, target.port, local, callee)


async def _stream(server: Server, state: State, target: Target, octets: int) -> Flow | None:
    """The way by TCP of a request that is too large for the one by UDP; None where there is none."""
    switch, forced = server.size_switch, state.send_socket
    by_tcp = target._replace(transport="tcp")
    if (
        (forced is not None and forced.transport == "udp")
        or not switch.wants_tcp(octets, target.host, target.port)
        or _is_forbidden(server, state, by_tcp)
    ):
        return None
    flow = _open_flow(server, state, by_tcp) or await server.connect(*by_tcp, ANYBODY)
    if flow is None:
        switch.refused(target.host, target.port)
    return flow


def _client_domain(server: Server, state: State) -> str:
    """The settings of TLS that the script chose by the AVP for that."""
    tls = server.loaded.tls if server.loaded is not None else None
    if tls is None or not tls.client_domain_avp:
        return ""
    values = state.avps.get(tls.client_domain_avp)
    return str(values[0]) if values else ""


def _is_forbidden(server: Server, state: State, target: Target) -> bool:
    """Whether a blacklist that need not see the message is against it."""
    dead = server.dead_targets
    if dead is not None and dead.forbids(target):
        return True
    return any(not each.reads_text and each.forbids(target) for each in state.blacklists)


def _is_text_forbidden(state: State, target: Target, data: bytes) -> bool:
    return any(each.reads_text and each.forbids(target, data) for each in state.blacklists)
