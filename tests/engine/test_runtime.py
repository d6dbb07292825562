from __future__ import annotations

import asyncio
import gc
import os
import threading
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from openpy.engine.clock import Clock
from openpy.engine.garbage import Collector
from openpy.engine.programs import Program
from openpy.engine.runtime import AT_ONCE, CATCH_UP, TICK, Runtime
from openpy.engine.waiting import Wait
from openpy.transaction.wheel import Wheel


def running(
    play: Callable[[Runtime, Wheel], Coroutine[Any, Any, None]],
    burst_ended: Callable[[], None] = lambda: None,
) -> None:
    """Play with a runtime that ticks."""

    async def live() -> None:
        clock = Clock()
        wheel = Wheel(clock.monotonic())
        runtime = Runtime(clock, wheel, Collector(), burst_ended=burst_ended)
        runtime.start(asyncio.get_running_loop())
        try:
            await play(runtime, wheel)
        finally:
            runtime.stop()

    asyncio.run(live())


async def until(condition: Callable[[], object]) -> None:
    while not condition():
        await asyncio.sleep(0.005)


def test_the_wheel_turns_with_the_clock() -> None:
    async def play(runtime: Runtime, wheel: Wheel) -> None:
        fired: list[float] = []
        begun = asyncio.get_running_loop().time()
        wheel.add(0.05, lambda: fired.append(asyncio.get_running_loop().time() - begun))
        await until(lambda: fired)
        assert 0.04 < fired[0] < 0.05 + 20 * TICK

    running(play)


def test_what_is_called_back_ends_as_a_burst_of_messages_does() -> None:
    order: list[str] = []

    async def play(runtime: Runtime, wheel: Wheel) -> None:
        async def work() -> None:
            await asyncio.sleep(0)

        def called(what: str) -> Callable[[], None]:
            return lambda: order.append(what)

        async def both(what: str) -> None:
            await until(lambda: what in order and "ended" in order[order.index(what) :])
            assert order[order.index(what) + 1] == "ended"

        runtime.post(called("posted"))
        await both("posted")
        runtime.soon(called("soon"))
        await both("soon")
        runtime.run_blocking(int).on_done(called("blocking"))
        await both("blocking")
        runtime.run_task(work()).on_done(called("task"))
        await both("task")
        runtime.run_program(Program("true", {})).on_done(called("program"))
        await both("program")
        wheel.add(0.0, called("timer"))
        await both("timer")
        out, into = os.pipe()
        os.write(into, b"x")
        end = runtime.watch(out, lambda: order.append(os.read(out, 1).decode()))
        await both("x")
        end()
        os.close(out)
        os.close(into)

    running(play, lambda: order.append("ended"))


def test_a_callback_that_fails_ends_the_burst_too() -> None:
    ended: list[bool] = []
    failures: list[object] = []

    async def play(runtime: Runtime, wheel: Wheel) -> None:
        def fail() -> None:
            raise ZeroDivisionError

        runtime.loop.set_exception_handler(lambda loop, context: failures.append(context["exception"]))
        ended.clear()
        runtime.soon(fail)
        await until(lambda: ended)
        assert isinstance(failures[0], ZeroDivisionError)

    running(play, lambda: ended.append(True))


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


def test_while_it_runs_the_collector_keeps_out_of_the_way() -> None:
    async def play(runtime: Runtime, wheel: Wheel) -> None:
        assert not gc.isenabled()
        assert gc.get_freeze_count() > 0

    running(play)
    assert gc.get_freeze_count() == 0


def test_many_timers_fire_in_slices_between_which_others_get_their_turn() -> None:
    async def play(runtime: Runtime, wheel: Wheel) -> None:
        fired: list[int] = []
        seen: list[int] = []
        for number in range(3 * AT_ONCE + 1):
            wheel.add(0.05, fired.append, number)

        def look() -> None:
            seen.append(len(fired))
            if len(fired) <= 3 * AT_ONCE:
                runtime.soon(look)

        look()
        await until(lambda: len(fired) > 3 * AT_ONCE)
        assert {AT_ONCE, 2 * AT_ONCE, 3 * AT_ONCE} <= set(seen)
        assert fired == sorted(fired)

    running(play)


class StoppedClock(Clock):
    """A clock of which time can be lost."""

    __slots__ = ("lost",)

    def __init__(self) -> None:
        self.lost = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.lost


@pytest.mark.parametrize(("messages", "forever"), [(0, False), (3, False), (3, True)])
def test_after_a_standstill_what_has_arrived_is_read_before_timers_fire(messages: int, forever: bool) -> None:
    """One message a round of the loop; or there is no end of them, and timers fire all the same."""
    order: list[str] = []
    clock = StoppedClock()
    wheel = Wheel(clock.monotonic())
    runtime = Runtime(clock, wheel, Collector(), lambda: order.count("read"))

    async def live() -> None:
        out, into = os.pipe()

        def read() -> None:
            order.append("read")
            if forever:
                clock.lost += CATCH_UP / 20
            else:
                os.read(out, 1)

        runtime.start(asyncio.get_running_loop())
        wheel.add(1.0, order.append, "fired")
        os.write(into, b"." * messages)
        clock.lost += 5.0
        end = runtime.watch(out, read)
        started = wheel.now
        await until(lambda: "fired" in order)
        assert wheel.now - started >= 5.0
        end()
        runtime.stop()
        os.close(out)
        os.close(into)

    asyncio.run(live())
    before = order.index("fired")
    assert before == messages if not forever else before > messages


def test_what_is_begun_after_a_standstill_lasts_from_then_on() -> None:
    clock = StoppedClock()
    wheel = Wheel(clock.monotonic())
    runtime = Runtime(clock, wheel, Collector(), lambda: next(numbers))
    begun: list[float] = []
    fired: list[float] = []

    def messages() -> Iterator[int]:
        for number in range(100):
            if number == 1:
                begun.append(clock.monotonic())
                wheel.add(0.3, lambda: fired.append(clock.monotonic()))
            yield min(number, 3)

    numbers = messages()

    async def live() -> None:
        runtime.start(asyncio.get_running_loop())
        clock.lost += 5.0
        await until(lambda: fired)
        runtime.stop()

    asyncio.run(live())
    assert fired[0] - begun[0] >= 0.29


def test_a_program_runs_beside_the_loop() -> None:
    async def play(runtime: Runtime, wheel: Wheel) -> None:
        wait = runtime.run_program(Program("echo done", {}, room=100))
        assert not wait.done
        await until(lambda: wait.done)
        assert (await wait).output == b"done\n"

    running(play)


def test_programs_are_ended_before_a_stop(tmp_path: Path) -> None:
    pid = tmp_path / "pid"

    async def play(runtime: Runtime, wheel: Wheel) -> None:
        wait = runtime.run_program(Program(f"echo $$ > {pid}.new; mv {pid}.new {pid}; sleep 60", {}))
        await until(pid.exists)
        await runtime.end_programs()
        assert not Path("/proc", pid.read_text().strip()).exists()
        assert not wait.done

    running(play)


def test_one_that_rests_leaves_the_timers_to_others() -> None:
    async def play(runtime: Runtime, wheel: Wheel) -> None:
        fired: list[None] = []
        wheel.add(0.1, lambda: fired.append(None))
        runtime.rest()
        await asyncio.sleep(0.3)
        assert not fired
        wheel.advance(wheel.now + 1.0)
        assert fired

    running(play)


def test_a_task_may_wait_for_whatever_asyncio_has() -> None:
    async def works() -> str:
        await asyncio.sleep(0.001)
        return "done"

    async def fails() -> None:
        await asyncio.sleep(0)
        raise ValueError("no")

    async def play(runtime: Runtime, wheel: Wheel) -> None:
        done, failed = runtime.run_task(works()), runtime.run_task(fails())
        await until(lambda: done.done and failed.done)
        assert done.value == "done"
        with pytest.raises(ValueError, match="no"):
            failed.__await__().send(None)

    running(play)
