"""Phones that reach a real server through a network that loses, doubles and reorders datagrams, both ways.

Phones and network are those of the simulation; here their time is that of the machine, and what the network delivers to
the server goes out of a real socket, one for each phone.
"""

from __future__ import annotations

import random
import selectors
import socket
import time
from collections import Counter
from collections.abc import Callable
from typing import Self

from openpy.testing.network import Address, Network, Weather
from openpy.testing.world import World
from openpy.transaction.timers import TimerValues
from openpy.transaction.wheel import Wheel
from tests.simulation.phones import Handset, Publisher, Watcher, tokens

TICK = 0.01
"""Seconds between two looks at the timers."""

LIFETIME = 600
"""Seconds, of everything that is published and subscribed."""


class Town:
    """Publishers and watchers, some to a phone, with a server at the other end of the network.

    `weather` is how datagrams fare; `timers` are those of the phones.
    """

    def __init__(self, server: Address, seed: int, weather: Weather, timers: TimerValues) -> None:
        self.server = server
        self.publishers: list[Publisher] = []
        self.watchers: list[Watcher] = []
        self._world = World(seed)
        self._chance = self._world.chance("town")
        self._timers = timers
        self._network = Network(self._world)
        self._network.weather = weather
        self._network.attach(server, self._leave)
        self._wheel = Wheel(self._world.now, TICK)
        self._world.every(TICK, self._look_at_timers)
        self._sockets: dict[Address, socket.socket] = {}
        self._selector = selectors.DefaultSelector()
        self._handsets: list[Handset] = []
        self._offset = self._world.now - time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._selector.close()
        for opened in self._sockets.values():
            opened.close()

    # --- who lives here ---------------------------------------------------------------------------------------

    def settle(self, presentities: int, watchers: int, phones: int) -> None:
        """So many presentities with a publisher each, each watched by so many, on so many phones."""
        self._handsets = [self._handset() for _ in range(phones)]
        for number in range(presentities):
            uri = f"sip:user{number}@example.org"
            self.publishers.append(Publisher(self._any_phone(), uri, number, LIFETIME))
            for one in range(watchers):
                name = f"sip:watcher{number}.{one}@example.net"
                self.watchers.append(Watcher(self._world, self._any_phone(), uri, name, LIFETIME))

    def act(self, rounds: int, seconds: float) -> None:
        """Everybody begins to watch; all publish `rounds` states each within so many seconds, at any time."""
        for watcher in self.watchers:
            self._some_time(seconds / 4, watcher.subscribe)
            self._some_time(seconds, watcher.refresh)
        for publisher in self.publishers:
            for _ in range(rounds):
                self._some_time(seconds, publisher.publish)

    def refresh(self) -> None:
        """All watchers ask for a longer life, as they do sooner or later."""
        for watcher in self.watchers:
            watcher.refresh()

    def _handset(self) -> Handset:
        opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        opened.bind((self.server[0], 0))
        opened.setblocking(False)
        address: Address = opened.getsockname()
        self._sockets[address] = opened
        self._selector.register(opened, selectors.EVENT_READ, address)
        handset = Handset(self._world, self._network, self._wheel, address, self.server)
        handset.layer.use_timers(self._timers)
        return handset

    def _any_phone(self) -> Handset:
        return self._chance.choice(self._handsets)

    def _some_time(self, seconds: float, action: Callable[[], None]) -> None:
        self._world.at(self._chance.uniform(0, seconds), action)

    # --- what became of it ------------------------------------------------------------------------------------

    @property
    def ends(self) -> Counter[int]:
        """How the phones' requests ended, by status; 408 for no answer."""
        return sum((handset.agent.ends for handset in self._handsets), Counter())

    @property
    def at_rest(self) -> bool:
        """Whether nothing waits for an answer."""
        return not any(handset.agent.open for handset in self._handsets)

    def uninformed(self) -> list[str]:
        """The watchers that do not show the last state of their presentity."""
        last = {publisher.uri: f"v{publisher.number}.{publisher.version}" for publisher in self.publishers}
        return [
            watcher.name
            for watcher in self.watchers
            if watcher.last is None or tokens(watcher.last.body) != {last[watcher.uri]}
        ]

    # --- time and the wire ------------------------------------------------------------------------------------

    def live(self, seconds: float, until: Callable[[], bool] = lambda: False) -> bool:
        """Let time pass, until something is true; returns whether it came true."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for key, _ in self._selector.select(TICK / 2):
                self._enter(key.data)
            self._world.run(time.monotonic() + self._offset - self._world.now)
            if until():
                return True
        return False

    def _look_at_timers(self) -> None:
        self._wheel.advance(self._world.now)

    def _enter(self, address: Address) -> None:
        """Take what the server has sent to a phone."""
        opened = self._sockets[address]
        try:
            while True:
                data, source = opened.recvfrom(65535)
                self._network.send(data, source, address)
        except BlockingIOError:
            return

    def _leave(self, data: bytes, source: Address) -> None:
        self._sockets[source].sendto(data, self.server)


def seed() -> int:
    """Another one each time; a test prints it."""
    return random.SystemRandom().getrandbits(32)
