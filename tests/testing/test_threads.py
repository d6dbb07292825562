"""Threads in virtual time."""

from __future__ import annotations

from functools import partial

import pytest

from openpy.db.threads import Crew, Member
from openpy.testing.loop import VirtualLoop
from openpy.testing.threads import LATE, VirtualThreads
from openpy.testing.world import START, World
from tests.testing.life import Life


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


@pytest.mark.parametrize("begun", [False, True])
def test_what_was_put_is_done_before_a_crew_stops(begun: bool) -> None:
    world = World(1)
    threads = VirtualThreads(Life(world), VirtualLoop(Life(world)))
    done: list[str] = []
    crew: Crew[str] = threads.crew(
        "writer", [Member(lambda entries: done.extend(entries), lambda: done.append("end"))], 1
    )
    if begun:
        crew.start()
    crew.put("a")
    crew.put("b")
    crew.stop()
    world.run(1.0)
    assert done == ["a", "b", "end"]


def test_a_member_without_work_is_idle_and_a_repetition_ends() -> None:
    world = World(1)
    threads = VirtualThreads(Life(world), VirtualLoop(Life(world)))
    told: list[str] = []
    crew: Crew[str] = threads.crew("reader", [Member(print, lambda: None, lambda: told.append("idle"), 1.0)])
    crew.start()
    repetition = threads.repeat("step", lambda: told.append("step") or 1.0)  # type: ignore[func-returns-value]
    world.run(2.5)
    repetition.stop(0.0)
    crew.stop()
    assert sorted(told) == ["idle", "idle", "step", "step", "step"]
    world.run(5.0)
    assert len(told) == 5
