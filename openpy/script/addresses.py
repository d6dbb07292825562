"""Addresses and networks beside `src_ip` and `dst_ip`, read when a script is loaded."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable
from functools import lru_cache

from openpy.script.comparisons import ERROR, Verdict
from openpy.script.values import Value

IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network
IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


def networks_of(texts: Iterable[str]) -> tuple[IpNetwork, ...]:
    """Read `10.0.0.0/8`, `10.0.0.0/255.0.0.0`, `10.1.2.3`, `[::1]`; other texts are left out."""
    return tuple(network for text in texts if (network := _network(text)) is not None)


def _network(text: str) -> IpNetwork | None:
    try:
        return ipaddress.ip_network(text.replace("[", "").replace("]", ""), strict=False)
    except ValueError:
        return None


def is_in(networks: tuple[IpNetwork, ...]) -> Callable[[Value], Verdict]:
    """Make the test whether an address, as text, is in one of the networks; ERROR if it is no address."""

    def test(value: Value) -> Verdict:
        address = _address(value) if isinstance(value, str) else None
        if address is None:
            return ERROR
        return any(address in network for network in networks)

    return test


@lru_cache(maxsize=4096)
def _address(text: str) -> IpAddress | None:
    """Peers repeat, and reading an address costs 1 us."""
    try:
        return ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return None
