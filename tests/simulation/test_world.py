"""The world itself: its order, its chance, and the time that blocking work takes."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from openpy.db.dialect import execute, fetch
from openpy.db.errors import OutcomeUnknown, Unavailable
from openpy.db.threads import Member
from tests.simulation.database import SimulatedDatabase
from tests.simulation.loop import VirtualLoop
from tests.simulation.network import Address, Network, Weather
from tests.simulation.threads import LATE, VirtualThreads
from tests.simulation.world import START, Action, Violation, World

HERE, THERE = ("192.0.2.1", 5060), ("192.0.2.2", 5060)


class Life:
    """A process that never ends."""

    def __init__(self, world: World) -> None:
        self.world = world

    def at(self, delay: float, action: Action) -> None:
        self.world.at(delay, action)


def test_events_happen_in_order_of_time_and_then_of_making() -> None:
    world = World(1)
    happened: list[tuple[str, float]] = []
    for name, delay in (("c", 2.0), ("a", 1.0), ("b", 1.0)):
        world.at(delay, lambda name=name: happened.append((name, world.now - START)))  # type: ignore[misc]
    world.run(1.5)
    assert happened == [("a", 1.0), ("b", 1.0)]
    world.run(1.0)
    assert happened[2:] == [("c", 2.0)]


def test_a_broken_promise_ends_the_run_at_once() -> None:
    world = World(1)
    late: list[str] = []
    world.at(1.0, lambda: world.breach("it was promised"))
    world.at(1.0, lambda: late.append("too late"))
    with pytest.raises(Violation, match="it was promised"):
        world.run(2.0)
    assert not late


def test_chance_is_the_seeds_and_a_stream_for_each_purpose() -> None:
    def draws(seed: int, purpose: str) -> list[float]:
        chance = World(seed).chance(purpose)
        return [chance.random() for _ in range(3)]

    assert draws(1, "network") == draws(1, "network")
    assert draws(1, "network") != draws(2, "network") != draws(2, "faults") != draws(1, "faults")


def test_the_loop_turns_as_asyncio_does() -> None:
    world = World(1)
    loop = VirtualLoop(Life(world))
    told: list[tuple[str, float]] = []

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(seconds)
        told.append((f"{seconds}", world.now - START))

    async def play() -> None:
        await asyncio.gather(sleep(2.0), sleep(1.0))
        told.append((await asyncio.to_thread(lambda: "from a thread"), world.now - START))

    task = loop.create_task(play())
    world.run(10.0)
    assert task.result() is None
    assert told == [("1.0", 1.0), ("2.0", 2.0), ("from a thread", 2.0)]


def test_an_error_in_a_callback_is_a_breach() -> None:
    world = World(1)
    VirtualLoop(Life(world)).call_later(1.0, lambda: 1 // 0)
    with pytest.raises(Violation, match="ZeroDivisionError"):
        world.run(2.0)


def test_what_a_thread_posts_arrives_when_it_has_come_so_far() -> None:
    world = World(1)
    loop = VirtualLoop(Life(world))
    threads = VirtualThreads(Life(world), loop)
    told: list[tuple[list[int], float]] = []

    def work(entries: list[int]) -> None:
        world.spend(0.5)
        loop.call_soon_threadsafe(lambda: told.append((entries, world.now - START)))
        world.spend(0.5)

    crew = threads.crew("writer", [Member(work, lambda: None)])
    crew.start()
    crew.put(1)
    crew.put(2)
    world.at(0.1, partial(crew.put, 3))  # while the first is at work
    world.run(3.0)
    assert [entries for entries, _ in told] == [[1], [2, 3]]
    assert 0.5 <= told[0][1] <= 0.5 + LATE
    assert 1.5 <= told[1][1] <= 1.5 + 2 * LATE


def test_steps_come_after_their_pauses() -> None:
    world = World(1)
    threads = VirtualThreads(Life(world), VirtualLoop(Life(world)))
    pauses = iter([0.25, 1.0, None])
    steps: list[float] = []

    def step() -> float | None:
        steps.append(threads.monotonic() - START)
        world.spend(0.25)
        return next(pauses)

    threads.repeat("connector", step, 0.5)
    world.run(10.0)
    assert steps == [0.5, 1.0, 2.25]


@pytest.mark.parametrize(
    ("weather", "least", "most"),
    [
        (Weather(), 1000, 1000),
        (Weather(loss=0.3), 600, 800),
        (Weather(doubled=0.1), 1050, 1150),
    ],
)
def test_datagrams_are_lost_and_doubled(weather: Weather, least: int, most: int) -> None:
    world = World(1)
    network = Network(world)
    network.weather = weather
    arrived: list[bytes] = []
    network.attach(THERE, lambda data, _: arrived.append(data))
    for number in range(1000):
        network.send(b"%d" % number, HERE, THERE)
    world.run(10.0)
    assert least <= len(arrived) <= most


def test_datagrams_overtake_each_other_and_nothing_comes_through_a_cut() -> None:
    world = World(1)
    network = Network(world)
    network.weather = Weather(delay=0.001, reordered=0.2)
    arrived: list[int] = []

    def take(data: bytes, _: Address) -> None:
        arrived.append(int(data))

    network.attach(THERE, take)
    for number in range(100):
        world.at(number / 100, partial(network.send, b"%d" % number, HERE, THERE))
    world.run(2.0)
    assert sorted(arrived) == list(range(100)) != arrived
    network.cut_off.add(THERE[0])
    network.send(b"100", HERE, THERE)
    world.run(2.0)
    assert len(arrived) == 100


def test_a_commit_of_unknown_outcome_is_done_or_not() -> None:
    world = World(1)
    database = SimulatedDatabase(world)
    outcomes = set()
    for number in range(20):
        database.trouble.unknown = 0.0
        connection = database.dialect.connect(database.url)
        execute(connection, "BEGIN IMMEDIATE")
        execute(connection, "INSERT INTO version VALUES (?, 1)", (f"t{number}",))
        database.trouble.unknown = 1.0
        with pytest.raises(OutcomeUnknown):
            connection.commit()
        with pytest.raises(Unavailable):
            fetch(connection, "SELECT 1")
        outcomes.add(bool(database.ask("SELECT 1 FROM version WHERE table_name = ?", f"t{number}")))
    database.close()
    assert outcomes == {True, False}


def test_a_database_that_is_away_takes_nothing_and_keeps_what_was_committed() -> None:
    world = World(1)
    database = SimulatedDatabase(world)
    connection = database.dialect.connect(database.url)
    execute(connection, "INSERT INTO version VALUES ('kept', 1)")
    execute(connection, "BEGIN IMMEDIATE")
    execute(connection, "INSERT INTO version VALUES ('lost', 1)")
    database.trouble.away = True
    with pytest.raises(Unavailable):
        connection.commit()
    with pytest.raises(Unavailable):
        database.dialect.connect(database.url)
    database.trouble.away = False
    again = database.dialect.connect(database.url)
    assert fetch(again, "SELECT table_name FROM version WHERE table_name IN ('kept', 'lost')") == [("kept",)]
    database.close()
