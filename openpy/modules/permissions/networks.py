"""Addresses and networks in groups: rows of the table `address`.

Rules:
1. A row is a group, an address, how many bits of it count (32: that address alone) and a port (0: any).
2. An IPv6 address, which 1.3 does not know, may have up to 128 bits. One with bits beyond its mask is refused: it is
   probably one address, written with the default of 32.
3. To look for an address costs a step for each length of mask that its group has.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from openpy.engine.lookups import Row

__all__ = ["Entry", "Networks"]

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
ANY_PORT = 0

LONGEST_ADDRESS = 64
"""Characters, with brackets and a scope; of what is longer nothing is kept."""


class Entry(NamedTuple):
    """What a row says."""

    group: int
    network: Network
    port: int

    @property
    def is_host(self) -> bool:
        """Whether it is one address alone."""
        return self.network.prefixlen == self.network.max_prefixlen

    def __str__(self) -> str:
        """As `address_dump` and `subnet_dump` show it."""
        mask = "" if self.is_host else f"{self.network.prefixlen}, "
        return f"<{self.group}, {self.network.network_address}, {mask}{self.port}>"


class Networks:
    """All entries of rows, ready to be asked. To make it takes 10 us a row."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self.problems: list[str] = []
        """The rows that cannot be used."""
        self.entries = list(_entries(rows, self.problems.append))
        self._ports: dict[tuple[int, int, int, int], set[int]] = {}
        self._lengths: dict[tuple[int, int], list[int]] = {}
        for group, network, port in self.entries:
            version, length = network.version, network.prefixlen
            key = group, version, length, int(network.network_address) >> (network.max_prefixlen - length)
            self._ports.setdefault(key, set()).add(port)
            lengths = self._lengths.setdefault((group, version), [])
            if length not in lengths:
                lengths.append(length)

    def has(self, group: int, address: str, port: int) -> bool:
        """Whether a group has an address and port; text that is no address is in no group."""
        found = _number(address) if len(address) <= LONGEST_ADDRESS else None
        if found is None:
            return False
        version, bits, number = found
        for length in self._lengths.get((group, version), ()):
            ports = self._ports.get((group, version, length, number >> (bits - length)), ())
            if port in ports or ANY_PORT in ports:
                return True
        return False


def _entries(rows: Iterable[Row], complain: Callable[[str], None]) -> Iterator[Entry]:
    """The entries of rows (group, address, mask, port); `complain` hears of those that cannot be used."""
    for group, address, mask, port in rows:
        try:
            yield Entry(int(group), _network(str(address), int(mask)), int(port))
        except (TypeError, ValueError) as problem:
            complain(f"the row ({group}, {address}, {mask}, {port}) is left out: {problem}")


def _network(address: str, mask: int) -> Network:
    """Raises ValueError."""
    read = ipaddress.ip_address(address.strip().strip("[]"))
    try:
        return ipaddress.ip_network((read, mask), strict=read.version == 6)
    except ValueError:
        if 0 <= mask <= read.max_prefixlen:
            raise ValueError(f"there are bits beyond the mask of {mask}; 128 means one address") from None
        raise ValueError(
            f"the mask of an IPv{read.version} address has 0 to {read.max_prefixlen} bits"
        ) from None


@lru_cache(maxsize=4096)
def _number(address: str) -> tuple[int, int, int] | None:
    """Version, number of bits, and the address as a number. Peers repeat, and reading an address costs 1 us."""
    try:
        read = ipaddress.ip_address(address.strip("[]"))
    except ValueError:
        return None
    return read.version, read.max_prefixlen, int(read)
