"""One run: a world from a seed, its faults, and what has to be true in the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from openpy.testing.network import Network, Weather
from openpy.testing.world import Violation, World
from tests.simulation.crowd import REFUSED, Crowd
from tests.simulation.database import SimulatedDatabase
from tests.simulation.faults import Faults, draw
from tests.simulation.phones import tokens
from tests.simulation.process import SCRIPT, Process
from tests.simulation.promises import Promises
from tests.simulation.rows import Rows

BEGIN, CALM, END = 0.5, 36.0, 8.0
"""Seconds before the faults begin, after they have ended (longer than a transaction lives), after the last word."""

STEP, MOMENT = 0.05, 0.0005

LAST_LINES = 40
"""Lines of the transcript that are shown of a seed that broke a promise."""


@dataclass
class Result:
    """What became of a seed; `broken` is the promise that was broken, if one was."""

    seed: int
    faults: Sequence[str]
    transcript: list[str]
    broken: str = ""
    lives: int = 0
    notifies: int = 0
    ends: Counter[int] = field(default_factory=Counter)
    """How the requests of the phones ended, by status: 408 where no answer came."""

    def __str__(self) -> str:
        """What broke and how to see it again."""
        tail = "\n".join(self.transcript[-LAST_LINES:])
        return (
            f"seed {self.seed} ({', '.join(self.faults) or 'no faults'}): {self.broken}\n{tail}\n"
            f"again, from the beginning: make simulate SEED={self.seed}"
        )


class Simulation:
    """A world with a server in it. `kinds` of faults and `weather` are drawn from the seed, unless they are given."""

    def __init__(
        self, seed: int, script: Path, kinds: Sequence[str] | None = None, weather: Weather | None = None
    ) -> None:
        self.world = world = World(seed)
        self.network = Network(world)
        self.database = SimulatedDatabase(world)
        self.process = Process(world, self.network, self.database, script)
        self.promises = Promises(world, self.network, self.database, self.process)
        self.rows = Rows(world, self.process, self.database)
        self.crowd = Crowd(world, self.network)
        seconds = world.chance("length").uniform(15.0, 45.0)
        self._seconds = seconds
        self.kinds = draw(world.chance("kinds")) if kinds is None else kinds
        self.faults = Faults(
            world, self.network, self.database, self.process, self.crowd, self.kinds, BEGIN + seconds
        )
        if weather is not None:
            self.network.weather = weather

    def run(self) -> Result:
        """Live through it."""
        result = Result(self.world.seed, self.kinds, self.world.transcript)
        self.world.say("faults", ", ".join(self.kinds) or "none")
        try:
            self._play()
        except Violation as violation:
            result.broken = str(violation)
        finally:
            self.process.kill()
            self.database.close()
        result.lives = self.process.life
        result.notifies = self.promises.telling.count
        result.ends = self.crowd.ends
        return result

    def _play(self) -> None:
        world, crowd, process = self.world, self.crowd, self.process
        process.begin()
        world.every(1.0, self._look)
        world.run(BEGIN)
        world.run(self._seconds)
        world.say("world", "all is well from now on")
        self.faults.end()
        crowd.rest()
        process.begin()
        world.run(CALM)
        world.say("world", "the last word")
        crowd.last_word()
        self._settle()
        self.rows.check()
        self._live_again()

    def _look(self) -> None:
        if self.process.serving and not self.process.stands_still:
            self.promises.check(self.process.since)
            self.rows.check()
            if self.process.agent is not None and self.rows.idle:
                self.promises.check_rows(self.rows.dead)

    def _settle(self) -> None:
        """Wait until everything has ended right and everybody knows it."""
        for _ in range(int(END / STEP)):
            self.world.run(STEP)
            if not self._unsettled():
                return
        for text in self._unsettled():
            self.world.breach(text)
        self.world.judge()

    def _live_again(self) -> None:
        """A new life knows what the one before knew."""
        world, process, rows = self.world, self.process, self.rows
        agent = process.agent
        assert agent is not None
        world.wall_offset = (
            agent.now() - world.now
        )  # else what is short-lived is judged by a clock that has jumped
        before, dead = rows.memory(), rows.dead
        process.kill()
        process.begin()
        while process.agent is None:
            world.run(MOMENT)
        after = rows.memory(dead)
        for table, kept in before.items():
            for id_ in sorted(kept.keys() | after[table].keys()):
                if kept.get(id_) != after[table].get(id_):
                    world.breach(
                        f"{table} {id_}: {kept.get(id_)} became {after[table].get(id_)} by a restart"
                    )
        world.judge()

    def _unsettled(self) -> list[str]:
        """What is not as it has to be once nothing happens any more."""
        server, crowd = self.process.server, self.crowd
        if server is None or not self.process.serving:
            return ["the server does not serve"]
        found = []
        if not self.rows.idle:
            found.append("the server still writes")
        if server.transactions.unanswered() or crowd.unanswered:
            found.append("a transaction has not ended")
        for publisher in crowd.publishers:
            note = f"v{publisher.number}.{publisher.version}"
            if publisher.uri != REFUSED and publisher.wants != (note in self._shown(publisher.uri)):
                found.append(
                    f"{publisher.uri}: {note} should {'' if publisher.wants else 'not '}be published"
                )
        for watcher in crowd.watchers:
            seen = frozenset() if watcher.last is None else tokens(watcher.last.body)
            shown = self._shown(watcher.uri)
            if not watcher.watching or seen != shown:
                found.append(f"{watcher.name} sees {sorted(seen)} and not {sorted(shown)}")
        for owner in crowd.owners:
            watching = self._watching(owner.uri)
            if owner.seen != watching:
                found.append(f"{owner.uri} is told that {owner.seen} watch, and {watching} do")
        return found

    def _watching(self, uri: str) -> list[str]:
        watchers = self.database.ask(
            "SELECT watcher_username, watcher_domain FROM active_watchers "
            "WHERE presentity_uri = ? AND event = 'presence'",
            uri,
        )
        return sorted(f"sip:{user}@{host}" for user, host in watchers)

    def _shown(self, uri: str) -> frozenset[str]:
        user = uri.removeprefix("sip:").partition("@")[0]
        bodies = self.database.ask("SELECT body FROM presentity WHERE username = ?", user)
        return frozenset().union(*(tokens(bytes(body)) for (body,) in bodies))


def simulate(
    seed: int, folder: Path, kinds: Sequence[str] | None = None, weather: Weather | None = None
) -> Result:
    """Run one seed; `folder` takes the server's script."""
    script = folder / "simulation.cfg"
    if not script.exists():
        script.write_text(SCRIPT)
    return Simulation(seed, script, kinds, weather).run()
