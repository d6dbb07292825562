"""Everybody who talks to the server: some presentities with their publishers and watchers, and rude phones."""

from __future__ import annotations

import random
from collections import Counter
from typing import TypeVar

from openpy.testing.network import Network
from openpy.testing.world import Action, World
from openpy.transaction.wheel import Wheel
from tests.simulation.owners import Owner
from tests.simulation.phones import TICK, Handset, Hasty, Publisher, Rude, Watcher
from tests.simulation.process import ADDRESS
from tests.simulation.stranger import Stranger

H = TypeVar("H", bound=Handset)

LIFETIMES = (8, 20, 60, 600)
"""Seconds: some run out in the course of a run."""

REFUSED = "sip:refused@example.org"
"""The presentity whose rows the database refuses."""


class Crowd:
    """The phones of a world; `hosts` are their addresses."""

    def __init__(self, world: World, network: Network) -> None:
        self.hosts: list[str] = []
        self.publishers: list[Publisher] = []
        self.watchers: list[Watcher] = []
        self.rude: list[Watcher] = []
        self.owners: list[Owner] = []
        self._world = world
        self._network = network
        self._wheel = Wheel(world.now)
        self._chance = world.chance("crowd")
        self._handsets: list[Handset] = []
        self._busy = True
        self._stranger = Stranger(world, network)
        world.every(TICK, self._turn)
        self._settle_in()

    @property
    def unanswered(self) -> int:
        """Requests that wait for their final answer."""
        return sum(handset.agent.open for handset in self._handsets)

    @property
    def ends(self) -> Counter[int]:
        """How the others ended, by status: 408 where none came."""
        return sum((handset.agent.ends for handset in self._handsets), Counter[int]())

    # --- who there is -------------------------------------------------------------------------------------------

    def _settle_in(self) -> None:
        chance = self._chance
        for number in range(chance.randint(1, 4)):
            uri = f"sip:user{number}@example.org"
            for _ in range(chance.choice((1, 1, 1, 2, 3))):
                self._add_publisher(uri)
            for _ in range(chance.randint(0, 4)):
                self._add_watcher(uri, self._handset(Handset), self.watchers)
            if chance.random() < 0.3:
                rude = self._handset(Rude)
                rude.status = chance.choice((481, 500, 401, 404, 503, 0, 0))
                self._add_watcher(uri, rude, self.rude)
            if chance.random() < 0.3:
                owner = Owner(self._world, self._handset(Handset), uri, chance.choice(LIFETIMES))
                self.owners.append(owner)
                self._later(owner.subscribe)
        if chance.random() < 0.3:
            self._add_publisher(REFUSED)
        if chance.random() < 0.3:
            rude = self._handset(Rude)
            rude.status = 200
            hasty = Hasty(rude, "sip:user0@example.org")
            self._later(lambda: self._hurry(hasty))
        if chance.random() < 0.3:
            self._later(self._all_at_once)

    def _add_publisher(self, uri: str) -> None:
        publisher = Publisher(
            self._handset(Handset), uri, len(self.publishers), self._chance.choice(LIFETIMES)
        )
        self.publishers.append(publisher)
        self._later(lambda: self._act(publisher))

    def _add_watcher(self, uri: str, handset: Handset, kind: list[Watcher]) -> None:
        name = f"sip:watcher{len(self.watchers) + len(self.rude)}@example.net"
        watcher = Watcher(self._world, handset, uri, name, self._chance.choice(LIFETIMES))
        kind.append(watcher)
        self._later(lambda: self._look(watcher))

    def _handset(self, kind: type[H]) -> H:
        host = f"192.0.2.{len(self.hosts) + 1}"
        self.hosts.append(host)
        handset = kind(self._world, self._network, self._wheel, (host, 5070), ADDRESS)
        self._handsets.append(handset)
        return handset

    def _turn(self) -> None:
        self._wheel.advance(self._world.now)

    # --- what they do -------------------------------------------------------------------------------------------

    def _later(self, act: Action) -> None:
        self._world.at(self._chance.expovariate(0.3), act)

    def _act(self, publisher: Publisher) -> None:
        if not self._busy:
            return
        act = self._chance.random()
        if not publisher.wants or act < 0.6:
            publisher.publish()
        elif act < 0.8:
            publisher.refresh()
        else:
            publisher.remove()
        self._later(lambda: self._act(publisher))

    def _look(self, watcher: Watcher) -> None:
        if not self._busy:
            return
        if not watcher.wants:
            watcher.subscribe()
        elif self._chance.random() < 0.8:
            watcher.refresh()
        else:
            watcher.close()
        self._later(lambda: self._look(watcher))

    def _hurry(self, hasty: Hasty) -> None:
        if self._busy:
            hasty.act(self._chance)
            self._world.at(self._chance.choice((0.002, 0.1, 2.9, 3.2)), lambda: self._hurry(hasty))

    def _all_at_once(self) -> None:
        """Everybody has the same idea."""
        if self._busy:
            for publisher in self.publishers:
                publisher.publish()
            for watcher in self.watchers:
                watcher.refresh()
            self._later(self._all_at_once)

    def rest(self) -> None:
        """Do nothing more, but keep and watch what there is."""
        self._busy = False
        for watcher in (*self.watchers, *self.owners):
            watcher.subscribe()

    def last_word(self) -> None:
        """Every publisher publishes once more, and some take it back; those who watch their watchers ask again."""
        for owner in self.owners:
            owner.refresh()
        for publisher in self.publishers:
            publisher.publish()
            if self._chance.random() < 0.3:
                publisher.remove()

    def flood(self, number: int) -> None:
        """So many requests at one moment."""
        self._world.say("crowd", f"a flood of {number} requests")
        for _ in range(number):
            self._stranger.ask(
                self._chance.choice(("OPTIONS", "SUBSCRIBE", "PUBLISH")), "sip:user0@example.org"
            )

    def nonsense(self, chance: random.Random) -> None:
        """Something that makes no sense."""
        self._stranger.babble(chance)
