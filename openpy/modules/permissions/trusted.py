"""Trusted peers: rows of the table `trusted`."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from openpy.engine.lookups import Row
from openpy.engine.module import ArgumentError, Regex
from openpy.engine.parameters import compile_expression
from openpy.modules.permissions.basic import extended

__all__ = ["Peer", "Peers", "first_of", "peers_of"]

PROTOCOLS = {"any": 0, "udp": 1, "tcp": 2, "tls": 3, "sctp": 4}
"""What `proto` may hold, and how `trusted_dump` shows it. A row with another word is never used."""


class Peer(NamedTuple):
    """Whom a row trusts."""

    source: str
    protocol: str
    text: str | None
    pattern: Regex | None
    tag: str | None

    def __str__(self) -> str:
        """As `trusted_dump` shows it."""
        shown = ("NULL" if value is None else value for value in (self.text, self.tag))
        return f"<{', '.join((self.source, str(PROTOCOLS[self.protocol]), *shown))}>"


def peers_of(rows: Iterable[Row], complain: Callable[[str], None]) -> Iterator[Peer]:
    """The peers of rows (source, protocol, pattern, tag), in order; `complain` hears of those that cannot be used."""
    for source, protocol, text, tag in rows:
        protocol = str(protocol or "").strip().lower()
        if protocol not in PROTOCOLS:
            continue
        try:
            pattern = None if text is None else compile_expression(extended(str(text)), ignore_case=False)
        except ArgumentError as problem:
            complain(f'the row of {source} with the expression "{text}" is left out: {problem.text}')
            continue
        yield Peer(
            _canonical(str(source or "")),
            protocol,
            None if text is None else str(text),
            pattern,
            None if tag is None else str(tag),
        )


def first_of(peers: Iterable[Peer], transport: str, uri: str) -> Peer | None:
    """The first peer that may send by a transport, in the name of a URI."""
    for peer in peers:
        if peer.protocol in ("any", transport) and (peer.pattern is None or peer.pattern.search(uri)):
            return peer
    return None


class Peers:
    """All peers of rows, by source."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self.problems: list[str] = []
        """The rows that cannot be used."""
        self._peers: dict[str, list[Peer]] = {}
        for peer in peers_of(rows, self.problems.append):
            self._peers.setdefault(peer.source, []).append(peer)

    def at(self, address: str) -> list[Peer]:
        """The peers that send from an address."""
        return self._peers.get(address, [])

    def __iter__(self) -> Iterator[Peer]:
        for peers in self._peers.values():
            yield from peers


def _canonical(address: str) -> str:
    """An address as messages come from it; other text as it is."""
    try:
        return str(ipaddress.ip_address(address.strip().strip("[]")))
    except ValueError:
        return address
