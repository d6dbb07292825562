"""What a server takes from the machine that it runs on, beside clock and loop: the simulation passes its own."""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Callable
from dataclasses import dataclass, field

from openpy.db.threads import THREADS, Threads
from openpy.engine.garbage import Collector
from openpy.net.udp import open_socket

POOL = 256


class Tokens:
    """Random tokens from the system, fetched in pools."""

    __slots__ = ("_left", "_pool")

    def __init__(self) -> None:
        self._pool = ""
        self._left = 0

    def __call__(self) -> str:
        """64 random bits as 16 hex digits."""
        if not self._left:
            self._pool = os.urandom(8 * POOL).hex()
            self._left = POOL
        self._left -= 1
        return self._pool[16 * self._left : 16 * self._left + 16]


def _seeded() -> random.Random:
    return random.Random(random.SystemRandom().getrandbits(64))


@dataclass(frozen=True, slots=True)
class Machine:
    """Chance, threads, sockets, and the garbage collector.

    `token()` gives 64 random bits as 16 hex digits, for what nobody may guess; `random` is for what anybody may.
    `datagrams(family)` opens a datagram socket.
    """

    random: random.Random = field(default_factory=_seeded)
    token: Callable[[], str] = field(default_factory=Tokens)
    threads: Threads = THREADS
    datagrams: Callable[[socket.AddressFamily], socket.socket] = open_socket
    collector: Collector = field(default_factory=Collector)
