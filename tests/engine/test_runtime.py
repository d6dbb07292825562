from __future__ import annotations

import asyncio
import gc
import os
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from openpy.engine.clock import Clock
from openpy.engine.runtime import TICK, Runtime, Tokens
from openpy.engine.waiting import Wait
from openpy.transaction.wheel import Wheel


def running(play: Callable[[Runtime, Wheel], Coroutine[Any, Any, None]]) -> None:
    """Play with a runtime that ticks."""

    async def live() -> None:
        clock = Clock()
        wheel = Wheel(clock.monotonic())
        runtime = Runtime(clock, wheel)
        runtime.start(asyncio.get_running_loop())
        try:
            await play(runtime, wheel)
        finally:
            runtime.stop()

    asyncio.run(live())


async def until(condition: Callable[[], object]) -> None:
    while not condition():
        await asyncio.sleep(0.005)


def test_tokens_are_64_bits_and_never_repeat() -> None:
    tokens = Tokens()
    made = [tokens() for _ in range(600)]
    assert all(len(token) == 16 and int(token, 16) >= 0 for token in made)
    assert len(set(made)) == 600


def test_the_wheel_turns_with_the_clock() -> None:
    async def play(runtime: Runtime, wheel: Wheel) -> None:
        fired: list[float] = []
        begun = asyncio.get_running_loop().time()
        wheel.add(0.05, lambda: fired.append(asyncio.get_running_loop().time() - begun))
        await until(lambda: fired)
        assert 0.04 < fired[0] < 0.05 + 20 * TICK

    running(play)


def test_blocking_work_runs_in_a_thread_and_comes_back_to_the_loop() -> None:
    async def play(runtime: Runtime, wheel: Wheel) -> None:
        heard: list[tuple[int | None, bool]] = []
        loop_thread = threading.get_ident()
        wait: Wait[int] = runtime.run_blocking(lambda a: a if threading.get_ident() != loop_thread else -1, 7)
        wait.on_done(lambda: heard.append((wait.value, threading.get_ident() == loop_thread)))
        await until(lambda: heard)
        assert heard == [(7, True)]

    running(play)


def test_an_error_in_a_thread_fails_the_wait() -> None:
    def fail() -> None:
        raise ValueError("no")

    async def play(runtime: Runtime, wheel: Wheel) -> None:
        wait = runtime.run_blocking(fail)
        await until(lambda: wait.done)
        with pytest.raises(ValueError, match="no"):
            await wait

    running(play)


def test_a_descriptor_is_watched_until_it_is_enough() -> None:
    async def play(runtime: Runtime, wheel: Wheel) -> None:
        out, into = os.pipe()
        heard: list[bytes] = []
        end = runtime.watch(out, lambda: heard.append(os.read(out, 100)))
        os.write(into, b"one")
        await until(lambda: heard)
        end()
        os.write(into, b"two")
        await asyncio.sleep(0.02)
        assert heard == [b"one"]
        os.close(out)
        os.close(into)

    running(play)


def test_callbacks_for_the_loop() -> None:
    async def play(runtime: Runtime, wheel: Wheel) -> None:
        order: list[str] = []
        runtime.soon(lambda: order.append("soon"))
        threading.Thread(target=runtime.post, args=(lambda: order.append("post"),)).start()
        order.append("now")
        await until(lambda: len(order) == 3)
        assert order[0] == "now"
        assert set(order) == {"now", "soon", "post"}

    running(play)


def test_what_is_loaded_is_not_looked_at_again_by_the_collector() -> None:
    before = gc.get_threshold()
    try:

        async def play(runtime: Runtime, wheel: Wheel) -> None:
            runtime.settle()
            assert gc.get_freeze_count() > 0

        running(play)
        assert gc.get_freeze_count() == 0
    finally:
        gc.set_threshold(*before)
