"""Sockets as texts name them: `[proto:]host[:port]`, in scripts and on the command line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from openpy.script.callgraph import routes_of
from openpy.script.diagnostics import Diagnostic, error
from openpy.script.environment import ArgumentError, Environment
from openpy.script.literals import text_of
from openpy.script.rules.calls import UNKNOWN_SOCKET
from openpy.script.syntax import Call, Script, SocketId
from openpy.script.traversal import walk

__all__ = ["PROTOCOLS", "SocketId", "SocketKind", "read_socket", "unknown_sockets"]

PROTOCOLS = ("udp", "tcp", "tls", "sctp", "ws", "wss")


def read_socket(text: str) -> SocketId:
    """Take `[proto:]host[:port]` apart; raises ArgumentError."""
    protocol, colon, rest = text.partition(":")
    if colon and protocol.lower() in PROTOCOLS:
        kind: str | None = protocol.lower()
    else:
        kind, rest = None, text
    host, port = rest, ""
    if rest.startswith("["):
        host, _, port = rest.partition("]")
        host, port = host + "]", port.removeprefix(":") if port.startswith(":") else port and "none"
    elif rest.count(":") == 1:
        host, _, port = rest.partition(":")
        port = port or "none"
    if not host or (port and not (port.isascii() and port.isdigit() and int(port) <= 65535)):
        raise ArgumentError(f'"{text}" is no address: write [udp:|tcp:|tls:|ws:|wss:]address[:port]')
    return SocketId(kind, host, int(port) if port else None)


@dataclass(frozen=True, slots=True)
class SocketKind:
    """A socket that the server listens on; which there are is known when it has opened them."""

    description: str = "a listening socket such as udp:192.0.2.1:5060"

    def convert(self, text: str, environment: Environment) -> SocketId:
        """Convert; raises ArgumentError."""
        return read_socket(text)


def unknown_sockets(script: Script, is_known: Callable[[SocketId], bool]) -> list[Diagnostic]:
    """The sockets that a script forces and the server does not listen on."""
    found = []
    for route in routes_of(script):
        for node in walk(route):
            if isinstance(node, Call) and node.name == "force_send_socket":
                text = text_of(node.arguments[0])
                if not is_known(read_socket(text)):
                    message = f"force_send_socket: the server doesn't listen on {text}"
                    found.append(error(UNKNOWN_SOCKET, node.position, message, f"add: listen={text}"))
    return found
