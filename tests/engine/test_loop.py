"""Where the loop waits its turns are measured, and kept apart."""

from __future__ import annotations

import asyncio
from functools import partial

from openpy.engine.loop import new_loop
from openpy.engine.module import Count
from openpy.engine.pace import Pace
from openpy.engine.stalls import Stalls


def test_the_loop_waits_only_where_it_has_nothing_to_do() -> None:
    waits: list[str] = []

    class Noted(Pace):
        def wait(self) -> None:
            waits.append("wait")

    async def live() -> None:
        for _ in range(5):
            await asyncio.sleep(0)  # there is a next step already
        waits.append("idle")
        await asyncio.sleep(0.01)
        waits.append("woken")

    stalls = Stalls(Count(), Count(), lambda: 0.0)
    with asyncio.Runner(loop_factory=partial(new_loop, stalls, Noted())) as runner:
        runner.run(live())
    assert waits[: waits.index("woken")] == ["idle", "wait"]
