"""A network of datagrams that delays, loses, doubles and reorders them, or lets nothing through.

A socket here is the part of `socket.socket` that the server uses of a datagram socket.
"""

from __future__ import annotations

import errno
import socket
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any, cast

from openpy.testing.world import World

Address = tuple[str, int]

FIRST_FREE_PORT = 40000
"""Who asks for port 0 gets one from here on."""

BUFFER = 4000
"""Datagrams that wait in a socket; more are lost."""


@dataclass
class Weather:
    """How datagrams fare: probabilities, and delays in seconds."""

    delay: float = 0.01
    loss: float = 0.0
    doubled: float = 0.0
    reordered: float = 0.0


class Network:
    """All sockets, and what is on its way between them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.weather = Weather()
        self.cut_off: set[str] = set()
        """Addresses that nothing reaches and nothing leaves."""
        self.watch: Callable[[str, bytes, Address, Address], None] = lambda *_: None
        """Told "sent" by a socket, or "read" from one: data, from where, to where."""
        self._chance = world.chance("network")
        self._receivers: dict[Address, Callable[[bytes, Address], None]] = {}
        self.free_ports = count(FIRST_FREE_PORT)

    def attach(self, address: Address, receiver: Callable[[bytes, Address], None]) -> None:
        """Take what is sent to an address."""
        self._receivers[address] = receiver

    def detach(self, address: Address) -> None:
        """Nobody takes it any more."""
        self._receivers.pop(address, None)

    def send(self, data: bytes, source: Address, target: Address) -> None:
        """Send a datagram, which may arrive."""
        weather, chance = self.weather, self._chance
        if source[0] in self.cut_off or target[0] in self.cut_off or chance.random() < weather.loss:
            return
        for _ in range(2 if chance.random() < weather.doubled else 1):
            delay = chance.uniform(0.1, 1.0) * weather.delay
            if chance.random() < weather.reordered:
                delay += chance.uniform(0.0, 20.0) * weather.delay
            self.world.at(delay, lambda: self._deliver(data, source, target))

    def _deliver(self, data: bytes, source: Address, target: Address) -> None:
        receiver = self._receivers.get(target)
        if receiver is not None:
            receiver(data, source)

    def socket(self, arrived: Callable[[], None]) -> socket.socket:
        """A socket of the server; `arrived` hears when there may be something to read."""
        return cast(socket.socket, VirtualSocket(self, arrived))


class VirtualSocket:
    """A datagram socket that never blocks."""

    def __init__(self, network: Network, arrived: Callable[[], None]) -> None:
        self._network = network
        self._arrived = arrived
        self._address: Address = ("", 0)
        self._buffer: deque[tuple[bytes, Address]] = deque()

    @property
    def readable(self) -> bool:
        """Whether something waits to be read."""
        return bool(self._buffer)

    def setblocking(self, flag: bool) -> None:
        """It never blocks."""
        assert not flag

    def setsockopt(self, *_: Any) -> None:
        """It has no options."""

    def getsockopt(self, *_: Any) -> bytes:
        """It tells nothing of a kernel; raises OSError."""
        raise OSError(errno.ENOPROTOOPT, "there is no kernel")

    def bind(self, address: Address) -> None:
        """Take an address; port 0 becomes one that is free."""
        self._address = address = address if address[1] else (address[0], next(self._network.free_ports))
        self._network.attach(address, self._take)

    def getsockname(self) -> Address:
        """The address that it took."""
        return self._address

    def close(self) -> None:
        """Take nothing more."""
        self._network.detach(self._address)

    def sendto(self, data: bytes, address: Address) -> int:
        """Send a datagram."""
        self._network.watch("sent", data, self._address, address)
        self._network.send(data, self._address, address)
        return len(data)

    def recvfrom(self, size: int) -> tuple[bytes, Address]:
        """The datagram that waits longest; raises BlockingIOError where none does."""
        if not self._buffer:
            raise BlockingIOError
        data, source = self._buffer.popleft()
        self._network.watch("read", data, source, self._address)
        return data, source

    def _take(self, data: bytes, source: Address) -> None:
        if len(self._buffer) < BUFFER:
            self._buffer.append((data, source))
            self._arrived()
