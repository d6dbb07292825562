"""The longest turn of the loop is known, whenever it was."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial

from openpy.engine.loop import new_loop
from openpy.engine.module import Count
from openpy.engine.pace import Pace
from openpy.engine.stalls import STALL, Stalls


class Clock:
    """Stands still until it is set."""

    now = 10.0

    def __call__(self) -> float:
        return self.now


def running(stalls: Stalls, *steps: Callable[[], object]) -> None:
    """Each step in a turn of its own."""

    async def live() -> None:
        for step in steps:
            asyncio.get_running_loop().call_soon(step)
            await asyncio.sleep(0)

    with asyncio.Runner(loop_factory=partial(new_loop, stalls, Pace())) as runner:
        runner.run(live())


def test_the_longest_turn_counts_and_each_that_is_too_long() -> None:
    clock = Clock()
    stalls = Stalls(Count(), Count(), clock)

    def work(seconds: float) -> Callable[[], None]:
        def step() -> None:
            clock.now += seconds

        return step

    running(stalls, work(9.0), stalls.begin, work(0.03125), work(0.125), work(0.0625), work(0.0))
    assert stalls.longest.value == 125
    assert stalls.number.value == 2
    stalls.longest.value = 0
    running(stalls, work(0.015625))
    assert stalls.longest.value == 16


def test_waiting_is_no_work() -> None:
    stalls = Stalls(Count(), Count(), time.thread_time)

    async def wait() -> None:
        await asyncio.sleep(0.1)

    with asyncio.Runner(loop_factory=partial(new_loop, stalls, Pace())) as runner:
        runner.run(wait())
    assert stalls.longest.value < 50
    assert not stalls.number.value


def test_two_steps_of_one_turn_add_up() -> None:
    clock = Clock()
    stalls = Stalls(Count(), Count(), clock)

    def step() -> None:
        clock.now += STALL * 0.6

    async def live() -> None:
        for _ in range(2):
            asyncio.get_running_loop().call_soon(step)
        await asyncio.sleep(0)

    with asyncio.Runner(loop_factory=partial(new_loop, stalls, Pace())) as runner:
        runner.run(live())
    assert stalls.number.value == 1
