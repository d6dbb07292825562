"""The faults of a run, drawn from its seed: which, how hard, and when."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from openpy.testing.network import Network, Weather
from openpy.testing.world import Action, World
from tests.simulation.crowd import Crowd
from tests.simulation.database import SimulatedDatabase, Trouble
from tests.simulation.process import Process

RESTART = 0.3
"""Seconds from the end of one life to the next, at most."""

HOUR = 3600.0


KINDS = (
    "bad weather",
    "partitions",
    "a failing database",
    "a database that goes away",
    "a slow database",
    "kills",
    "restarts",
    "clock jumps",
    "stops",
    "floods",
    "noise",
)


def draw(chance: random.Random) -> list[str]:
    """Some kinds of faults, or none."""
    return sorted(chance.sample(KINDS, chance.choice((0, 1, 1, 2, 2, 3, 4))))


class Faults:
    """What goes wrong in a world for so many `seconds`: faults of these `kinds`."""

    def __init__(
        self,
        world: World,
        network: Network,
        database: SimulatedDatabase,
        process: Process,
        crowd: Crowd,
        kinds: Sequence[str],
        seconds: float,
    ) -> None:
        self._world = world
        self._network = network
        self._database = database
        self._process = process
        self._crowd = crowd
        self._seconds = seconds
        self._chance = world.chance("faults")
        begin: dict[str, Action] = {
            "bad weather": self._bad_weather,
            "partitions": self._partitions,
            "a failing database": self._failing_database,
            "a database that goes away": self._database_away,
            "a slow database": self._slow_database,
            "kills": self._kills,
            "restarts": self._restarts,
            "clock jumps": self._clock_jumps,
            "stops": self._stops,
            "floods": self._floods,
            "noise": self._noise,
        }
        for kind in kinds:
            begin[kind]()

    def end(self) -> None:
        """From now on all is well."""
        self._network.weather = Weather()
        self._network.cut_off.clear()
        self._database.trouble = Trouble()

    # --- the network --------------------------------------------------------------------------------------------

    def _bad_weather(self) -> None:
        chance = self._chance
        self._network.weather = Weather(
            delay=chance.choice((0.005, 0.02, 0.1)),
            loss=chance.choice((0.01, 0.1, 0.3)),
            doubled=chance.choice((0.0, 0.1)),
            reordered=chance.choice((0.0, 0.2)),
        )

    def _partitions(self) -> None:
        def cut(chance: random.Random) -> None:
            host = chance.choice(self._crowd.hosts)
            self._world.say("network", f"{host} is cut off")
            self._network.cut_off.add(host)
            self._world.at(chance.uniform(0.2, 20), lambda: self._network.cut_off.discard(host))

        self._some(3, cut)

    # --- the database -------------------------------------------------------------------------------------------

    def _failing_database(self) -> None:
        trouble, level = self._database.trouble, self._chance.choice((0.002, 0.01, 0.05))
        for kind in self._chance.sample(("locked", "lost", "silent", "unknown"), 2):
            setattr(trouble, kind, level)

    def _database_away(self) -> None:
        def leave(chance: random.Random) -> None:
            self._world.say("database", "goes away")
            self._database.trouble.away = True
            self._world.at(chance.uniform(0.05, 5), come)

        def come() -> None:
            self._world.say("database", "is back")
            self._database.trouble.away = False

        self._some(3, leave)

    def _slow_database(self) -> None:
        self._database.trouble.latency = self._chance.choice((0.01, 0.05, 0.2))

    # --- the process --------------------------------------------------------------------------------------------

    def _kills(self) -> None:
        def kill(chance: random.Random) -> None:
            self._process.kill()
            self._start_again(chance)

        self._some(4, kill)

    def _restarts(self) -> None:
        self._some(2, lambda _: self._process.terminate())

    def _start_again(self, chance: random.Random) -> None:
        self._world.at(chance.uniform(0.0, RESTART), self._process.begin)

    def _clock_jumps(self) -> None:
        def jump(chance: random.Random) -> None:
            hours = chance.choice((-24.0, -3.0, -0.1, 0.1, 3.0, 24.0))
            self._world.say("clock", f"jumps by {hours} h")
            self._world.wall_offset += hours * HOUR

        self._some(3, jump)

    def _stops(self) -> None:
        self._some(3, lambda chance: self._process.stand_still(chance.choice((0.5, 5.0, 5.0))))

    # --- those who send too much, or nonsense -------------------------------------------------------------------

    def _floods(self) -> None:
        self._some(2, lambda chance: self._crowd.flood(chance.choice((20, 100, 100, 200, 200, 2000))))

    def _noise(self) -> None:
        self._some(30, self._crowd.nonsense)

    # --- moments ------------------------------------------------------------------------------------------------

    def _some(self, most: int, fault: Callable[[random.Random], None]) -> None:
        """Let it happen some times, at moments by chance."""
        chance = self._chance
        for _ in range(chance.randint(1, most)):
            self._world.at(chance.uniform(1.0, self._seconds), lambda: fault(chance))
