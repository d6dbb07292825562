"""The servers of a domain by NAPTR and SRV records (RFC 3263 section 4, RFC 2782), asked of the DNS.

These functions block: they run in threads.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from operator import itemgetter
from random import Random
from typing import Any, NamedTuple

import dns.exception
import dns.name
import dns.resolver

PATIENCE = 1.5
"""Seconds that one question may take: where the DNS knows no such records, it says so at once or never."""

NAPTR = {"SIP+D2U": "udp", "SIP+D2T": "tcp"}
"""The services of NAPTR records, and the transports of this version that they stand for."""

SRV = {"udp": "_sip._udp", "tcp": "_sip._tcp", "tls": "_sips._tcp"}
"""The SRV records of each transport."""

MOST_NAMES = 8
"""NAPTR records of one domain that are followed: whoever has a domain could let a thread ask for hours."""

MOST_SERVERS = 64
"""Servers of one domain that count."""

NOWHERE = ""
"""The host of what is decidedly not there: its SRV record names "." (RFC 2782)."""

PLAIN = ("udp", "tcp")
"""What a URI that names no transport may mean, best first: security is asked for, or it is not there."""


class Service(NamedTuple):
    """One server; the lowest `rank` is tried first, those of one rank by `weight`."""

    rank: tuple[int, ...]
    weight: int
    transport: str
    host: str
    port: int


def find_services(name: str, transport: str = "") -> list[Service]:
    """The servers of a domain for a transport, or for any.

    None where the domain has no such records, and where the DNS cannot tell: some servers drop what they do not know,
    and who asks goes on to ask for addresses. What was found before the DNS fell silent counts.
    """
    found: list[Service] = []
    with suppress(dns.exception.DNSException):
        for owner, each, rank in _naptr(name)[:MOST_NAMES] if not transport else ():
            found += _by_srv(owner, each, rank)
        if not found:
            for number, each in enumerate([transport] if transport else PLAIN):
                found += _by_srv(f"{SRV[each]}.{name}", each, (number,))
    return sorted(found)[:MOST_SERVERS]


def _naptr(name: str) -> list[tuple[str, str, tuple[int, int]]]:
    """The names of the SRV records that a domain wants to be asked for, best first, with their transports and ranks."""
    found = []
    for record in _ask(name, "NAPTR"):
        transport = NAPTR.get(record.service.decode("ascii", "replace").upper())
        if transport is not None and record.flags.lower() == b"s":
            owner = record.replacement.to_text(omit_final_dot=True)
            found.append((owner, transport, (record.order, record.preference)))
    return sorted(found, key=itemgetter(2))


def _by_srv(name: str, transport: str, rank: tuple[int, ...]) -> list[Service]:
    return [
        Service(
            (*rank, record.priority),
            record.weight,
            transport,
            NOWHERE if record.target == dns.name.root else record.target.to_text(omit_final_dot=True),
            record.port,
        )
        for record in _ask(name, "SRV")
    ]


def _ask(name: str, kind: str) -> list[Any]:
    try:
        return list(_resolver().resolve(name, kind, lifetime=PATIENCE))
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []


@cache
def _resolver() -> dns.resolver.Resolver:
    """The system's name servers; raises NoResolverConfiguration where the machine knows none."""
    return dns.resolver.Resolver()


def in_turn(services: Iterable[Service], chance: Random) -> list[Service]:
    """The order in which servers are tried: by rank, and by chance according to weight within one (RFC 2782)."""
    left = sorted(services)
    found = []
    while left:
        best = [service for service in left if service.rank == left[0].rank]
        (chosen,) = chance.choices(best, [service.weight or 0.001 for service in best])
        left.remove(chosen)
        found.append(chosen)
    return found
