"""Ports that are free for UDP and TCP at once, which the system never promises of one that it picked for either."""

from __future__ import annotations

import socket
from contextlib import closing

__all__ = ["free_port", "same_port"]


def same_port(host: str = "127.0.0.1") -> tuple[socket.socket, socket.socket]:
    """A UDP and a TCP socket bound to one port; the second does not listen yet."""
    while True:
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind((host, 0))
        tcp = socket.socket()
        try:
            tcp.bind(udp.getsockname())
        except OSError:  # somebody's connection has it
            udp.close()
            tcp.close()
        else:
            return udp, tcp


def free_port() -> int:
    """A port that was free for both a moment ago."""
    udp, tcp = same_port()
    with closing(udp), closing(tcp):
        port: int = udp.getsockname()[1]
        return port
