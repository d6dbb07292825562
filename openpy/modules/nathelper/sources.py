"""Where messages come from, and addresses that mean nothing outside of their own network."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import Final, NamedTuple

from openpy.engine.run import Run
from openpy.engine.sockets import bracketed
from openpy.sip.transports import uri_transport

_PRIVATE = tuple(map(ipaddress.ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))
"""The networks that RFC 1918 leaves to everybody; 1.3 knows no others."""

_LONGEST: Final = 64
"""Characters of an address, with brackets and a scope. Of what is longer, which a stranger made up, nothing is kept."""


class Source(NamedTuple):
    """The address, port and transport (in lower case) that a message came from."""

    host: str
    port: int
    transport: str

    @property
    def hostport(self) -> str:
        """As it stands in a URI."""
        return f"{bracketed(self.host)}:{self.port}"

    @property
    def uri(self) -> str:
        """The URI that leads back there."""
        transport = uri_transport(self.transport).upper()
        return f"sip:{self.hostport}" + (f";transport={transport}" if transport != "UDP" else "")


def source_of(run: Run) -> Source:
    """Where the message of a run came from."""
    flow = run.flow
    host, port = run.message.source or (flow.host, flow.port)
    return Source(host, port, flow.transport)


def is_private(host: str) -> bool:
    """Whether it is an address of a private network; a name is none."""
    return len(host) <= _LONGEST and _is_private(host)


@lru_cache(maxsize=4096)
def _is_private(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return any(address in network for network in _PRIVATE)


def is_same_address(host: str, address: str) -> bool:
    """Whether a host is written as this address; a name is not."""
    return len(host) <= _LONGEST and _is_same_address(host, address)


@lru_cache(maxsize=4096)
def _is_same_address(host: str, address: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")) == ipaddress.ip_address(address)
    except ValueError:
        return False
