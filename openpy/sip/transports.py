"""Transports as SIP names them: in Via, in URIs, and by the ports that go without saying (RFC 3261 19.1, RFC 7118)."""

from __future__ import annotations

from typing import Final

from openpy.sip.uri import Uri

SIP_PORT: Final = 5060
_PORTS: Final = {"tls": 5061, "ws": 80, "wss": 443}

_SECURED: Final = {"": "tls", "tcp": "tls", "tls": "tls", "ws": "wss", "wss": "wss"}


def default_port(transport: str) -> int:
    """The port of a transport (in lower case) where none is written."""
    return _PORTS.get(transport, SIP_PORT)


def transport_of(uri: Uri) -> str:
    """The transport that a URI asks for, in lower case: with sips: the secure one; "" where that cannot be."""
    if uri.scheme == "sips":
        return _SECURED.get(uri.transport, "")
    return uri.transport or "udp"


def port_of(uri: Uri) -> int:
    """The port that a URI means."""
    return uri.port or default_port(transport_of(uri))


def uri_transport(transport: str) -> str:
    """The `transport` parameter of URIs that ask for a transport: RFC 7118 has one name for both kinds of WebSocket."""
    return "ws" if transport == "wss" else transport
