"""Where a message goes, and the way there: one choice for the core and for modules (RFC 3261 16.6 and 18.1).

Rules:
1. A destination is what a URI or the script names. Its host may be a name, which is looked up beside the loop
   when something is sent there; an address costs no wait.
2. The addresses of a name are tried in order: one that a blacklist in force forbids is passed over, so is one that no
   connection can be made to.
3. What the message looks like depends on the way that it takes (our Via names the socket), so it is written for
   each way that is tried.
4. Errors are 1.3's internal codes: `$retcode` of the core functions, and what `sl_reply_error` answers for.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass

from openpy.engine.blacklists import Target
from openpy.engine.run import Run
from openpy.engine.socketids import read_socket
from openpy.engine.urivars import parsed
from openpy.script.environment import ArgumentError, Environment
from openpy.sip.errors import RemoteError
from openpy.sip.uri import cached_uri
from openpy.transaction.flow import Flow

E_IP_BLOCKED, E_BAD_URI, E_BAD_ADDRESS, E_SEND = -473, -475, -476, -477

DEFAULT_PORT = 5060
TRANSPORTS = ("udp", "tcp")
"""What this version sends by."""


class DestinationError(Exception):
    """A message that cannot be sent on; `code` is 1.3's internal error."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a message goes; `host` is an address without brackets, or a name."""

    transport: str
    host: str
    port: int
    is_name: bool = False


def destination_of(text: str) -> Destination:
    """The destination that a URI names; raises DestinationError."""
    try:
        uri = cached_uri(text)
    except RemoteError:
        raise DestinationError(E_BAD_URI) from None
    transport = (uri.param("transport") or "udp").lower()
    if uri.scheme != "sip" or transport not in TRANSPORTS:
        raise DestinationError(E_BAD_URI)
    return _destination(transport, uri.param("maddr") or uri.host, uri.port or DEFAULT_PORT)


def current_destination(run: Run) -> Destination:
    """Where the request of a run goes: to its next hop, else to its Request-URI; raises DestinationError.

    One that cannot be read is a parse error, which the error_route hears of.
    """
    next_hop = run.state.destination_uri
    text, what = (next_hop, "dst uri") if next_hop else (run.uri, "r-uri")
    if parsed(run, text, what) is None:
        raise DestinationError(E_BAD_URI)
    return destination_of(text)


def _destination(transport: str, host: str, port: int) -> Destination:
    bare = host.strip("[]")
    try:
        return Destination(transport, str(ipaddress.ip_address(bare)), port)
    except ValueError:
        return Destination(transport, bare, port, is_name=True)


@dataclass(frozen=True, slots=True)
class DestinationKind:
    """`[proto:]host[:port]` as the scripts write it; by UDP to port 5060 where nothing else is said."""

    description: str = "a destination such as udp:192.0.2.1:5060"

    def convert(self, text: str, environment: Environment) -> Destination:
        """Convert; raises ArgumentError."""
        written = read_socket(text)
        transport = written.protocol or "udp"
        if transport not in TRANSPORTS:
            raise ArgumentError(f"bad protocol in {text}: this version sends by udp and tcp")
        found = _destination(transport, written.host, written.port or DEFAULT_PORT)
        if found.is_name and not _is_host_name(found.host):
            raise ArgumentError(f'"{text}" names no host')
        return found


def _is_host_name(text: str) -> bool:
    """Whether it may be the name of a host; what looks like an address and is none is not."""
    labels = text.rstrip(".").split(".")
    return not labels[-1].isdigit() and all(
        label and label.replace("-", "").replace("_", "").isalnum() for label in labels
    )


async def way_to(
    run: Run, destination: Destination, written: Callable[[Run, Flow], bytes]
) -> tuple[Flow, bytes]:
    """The way to a destination, and the message as `written` for it.

    Raises DestinationError: no address, none that may be sent to, none that can be reached.
    """
    error = E_BAD_ADDRESS
    for host in (destination.host,) if not destination.is_name else await _addresses(run, destination):
        target = Target(destination.transport, host, destination.port)
        if _is_forbidden(run, target):
            error = E_IP_BLOCKED
            continue
        flow = await _flow(run, target)
        if flow is None:
            if run.server.dead_targets is not None:
                run.server.dead_targets.failed(target)
            error = E_SEND
            continue
        data = written(run, flow)
        if run.state.blacklists and _is_text_forbidden(run, target, data):
            error = E_IP_BLOCKED
            continue
        return flow, data
    raise DestinationError(error)


async def _addresses(run: Run, destination: Destination) -> tuple[str, ...]:
    server = run.server
    try:
        addresses = await server.resolve(destination.host)
    except OSError:  # nobody can tell
        raise DestinationError(E_BAD_ADDRESS) from None
    if server.dead_targets is not None:
        for host in addresses:
            server.dead_targets.found_by_name(Target(destination.transport, host, destination.port))
    return addresses


async def _flow(run: Run, target: Target) -> Flow | None:
    socket = run.state.send_socket
    local = (
        (socket.host, socket.port) if socket is not None and socket.transport == target.transport else None
    )
    flow = run.server.flow(*target, local)
    return await run.server.connect(*target) if flow is None else flow


def _is_forbidden(run: Run, target: Target) -> bool:
    """Whether a blacklist that need not see the message is against it."""
    dead = run.server.dead_targets
    if dead is not None and dead.forbids(target):
        return True
    return any(not each.reads_text and each.forbids(target) for each in run.state.blacklists)


def _is_text_forbidden(run: Run, target: Target, data: bytes) -> bool:
    return any(each.reads_text and each.forbids(target, data) for each in run.state.blacklists)
