"""Ports that are free for UDP and TCP at once, and that no connection is given by chance."""

from __future__ import annotations

import random
import socket
from contextlib import closing

__all__ = ["family_of", "free_port", "same_port"]

CHOICE = range(10_000, 30_000)
"""Below those from which the system takes what it gives to sockets that do not ask for a port."""

_chance = random.SystemRandom()


def family_of(host: str) -> socket.AddressFamily:
    """The family of an address in text."""
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def same_port(host: str = "127.0.0.1") -> tuple[socket.socket, socket.socket]:
    """A UDP and a TCP socket bound to one port; the second does not listen yet."""
    while True:
        address = (host, _chance.choice(CHOICE))
        udp = socket.socket(family_of(host), socket.SOCK_DGRAM)
        tcp = socket.socket(family_of(host))
        try:
            udp.bind(address)
            tcp.bind(address)
        except OSError:  # somebody has it
            udp.close()
            tcp.close()
        else:
            return udp, tcp


def free_port(host: str = "127.0.0.1") -> int:
    """A port that was free for both a moment ago."""
    udp, tcp = same_port(host)
    with closing(udp), closing(tcp):
        port: int = udp.getsockname()[1]
        return port
