"""The core functions that send without state, and those that say how the message leaves and how replies come back
(openser 1.3 core, `action` and `forward`).
"""

from __future__ import annotations

from dataclasses import dataclass

from openpy.engine.blacklists import Blacklist, BlacklistKind
from openpy.engine.corefunction import core_function
from openpy.engine.destinations import (
    E_BAD_URI,
    TRANSPORTS,
    Destination,
    DestinationError,
    DestinationKind,
    current_destination,
    destination_of,
    way_to,
)
from openpy.engine.forward import request_to_send, stateless_branch
from openpy.engine.parameters import NumberKind
from openpy.engine.run import Run
from openpy.engine.socketids import SocketKind
from openpy.engine.sockets import bracketed
from openpy.engine.urivars import parsed
from openpy.script.environment import ArgumentError, Effect, Environment, Function
from openpy.script.syntax import SocketId
from openpy.sip.errors import RemoteError
from openpy.sip.message import Request
from openpy.sip.transports import default_port, transport_of
from openpy.sip.uri import parse_uri

PORT = NumberKind(1, 65535, "a port, 1 to 65535")

# --- sending ------------------------------------------------------------------------------------------------


async def forward(run: Run, destination: Destination | None = None) -> int:
    """Send the request on without state: to a destination, the next hop, or the Request-URI. 1; below 0: it cannot be.

    -473 all addresses are blacklisted, -475 bad URI, -476 no address, -477 nobody can be reached.
    """
    request = run.message
    if not isinstance(request, Request):
        run.warn("forward() is for requests: a reply goes on by itself")
        return -1
    request.wants_rport |= run.flow.reliable  # the reply has to find this connection
    branch = stateless_branch(request)
    try:
        destination = destination or current_destination(run)
        flow, data = await way_to(run, destination, lambda run, flow: request_to_send(run, flow, branch))
    except DestinationError as error:
        return _failed(run, error)
    flow.send(data)
    run.server.forwarded_requests.value += 1
    return 1


async def forward_to(run: Run, host: str, port: int) -> int:
    """The same as SER's scripts write it; `uri:host` and `uri:port` are those of the Request-URI."""
    try:
        uri = parsed(run, run.uri)
        if uri is None:
            raise DestinationError(E_BAD_URI)
        transport = transport_of(uri)
        transport = transport if transport in TRANSPORTS else "udp"
        host, port = host or uri.host, port or uri.port or default_port(transport)
        destination = destination_of(f"sip:{bracketed(host)}:{port};transport={transport}")
    except DestinationError as error:
        return _failed(run, error)
    return await forward(run, destination)


async def send(run: Run, destination: Destination) -> int:
    """Send the message to a destination, byte for byte as it was received; codes as of forward()."""
    try:
        flow, data = await way_to(run, destination, lambda run, _: run.message.raw)
    except DestinationError as error:
        return _failed(run, error)
    flow.send(data)
    return 1


def _failed(run: Run, error: DestinationError) -> int:
    run.error = error.code
    return error.code


@dataclass(frozen=True, slots=True)
class LegacyHostKind:
    """A host, or `uri:host`, which becomes ""."""

    description: str = "a host, or uri:host"

    def convert(self, text: str, environment: Environment) -> str:
        """Convert; raises ArgumentError."""
        return "" if text == "uri:host" else DestinationKind().convert(text, environment).host


@dataclass(frozen=True, slots=True)
class LegacyPortKind:
    """A port, or `uri:port`, which becomes 0."""

    description: str = "a port, or uri:port"

    def convert(self, text: str, environment: Environment) -> int:
        """Convert; raises ArgumentError."""
        return 0 if text == "uri:port" else PORT.convert(text, environment)


# --- how it leaves --------------------------------------------------------------------------------------------


def force_send_socket(run: Run, socket: SocketId) -> int:
    """Send this message from a socket; the start fails where the server does not listen on it."""
    run.state.send_socket = run.server.sockets.listening(socket)
    return 1


def set_advertised_address(run: Run, host: str) -> int:
    """The host that our Via on this message names."""
    run.state.advertised_host = host
    return 1


def set_advertised_port(run: Run, port: int) -> int:
    """The port that our Via on this message names."""
    run.state.advertised_port = port
    return 1


def force_local_rport(run: Run) -> int:
    """Ask for replies to the port that we send from: `;rport` in our Via (RFC 3581)."""
    run.state.local_rport = True
    return 1


def use_blacklist(run: Run, blacklist: Blacklist) -> int:
    """Send this message to nobody on a list, beside those that are in force already."""
    if blacklist not in run.state.blacklists:
        run.state.blacklists += (blacklist,)
    return 1


@dataclass(frozen=True, slots=True)
class HostKind:
    """A host name or an address; IPv6 gets its brackets."""

    description: str = "a host name or an address"

    def convert(self, text: str, environment: Environment) -> str:
        """Convert; raises ArgumentError."""
        try:
            return parse_uri(f"sip:{bracketed(text)}").host
        except RemoteError:
            raise ArgumentError(f'"{text}" is no host') from None


# --- how replies come back ------------------------------------------------------------------------------------


def force_rport(run: Run) -> int:
    """Send replies to the port that the request came from, as if its Via asked for it (RFC 3581)."""
    run.message.wants_rport = True
    return 1


def force_tcp_alias(run: Run, port: int = 0) -> int:
    """Let this connection serve for requests to that port of its peer, or to that of the Via; -1 if another one does.

    By UDP it does nothing.
    """
    if not run.flow.reliable:
        return 1
    port = port or run.message.via.port or default_port(run.flow.transport)
    return 1 if run.server.sockets.tcp.add_alias(run.flow, port) else -1


SENDING_FUNCTIONS: tuple[Function, ...] = (
    core_function(
        forward,
        DestinationKind(),
        optional=1,
        effect=Effect.RELAYS,
        overload=core_function(
            forward_to, LegacyHostKind(), LegacyPortKind(), name="forward", effect=Effect.RELAYS
        ),
    ),
    core_function(send, DestinationKind(), effect=Effect.RELAYS),
    core_function(force_send_socket, SocketKind()),
    core_function(set_advertised_address, HostKind()),
    core_function(set_advertised_port, PORT),
    core_function(force_local_rport),
    core_function(use_blacklist, BlacklistKind()),
    core_function(force_rport),
    core_function(force_tcp_alias, PORT, optional=1),
)
