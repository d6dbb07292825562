"""The event loop as the server uses it: timers, threads, programs, and waits for them.

Rules:
1. Timers fire once each tick, many of them in slices, between which messages are read.
2. A tick that comes `LATE` says that the process stood still (stopped, swapped out, suspended). What arrived meanwhile
   arrived in time: it is read first, and what it ends does not run out. Only then timers fire.
3. Whatever is called back from here ends as a burst of messages does: what a resumed route has submitted to a
   database is handed over. A quiet server has no messages that would do it.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from openpy.engine.clock import Clock
from openpy.engine.garbage import Collector
from openpy.engine.programs import Ended, Program, Programs
from openpy.engine.waiting import Wait
from openpy.transaction.wheel import Wheel

TICK = 0.1
AT_ONCE = 1000  # timers that fire before messages are read again: under 10 ms
LATE = 0.5  # seconds
CATCH_UP = 2.0  # seconds that timers wait for what is read first, at most: there may be a flood
SWITCH_INTERVAL = 0.0005  # the writer's thread gets its turn soon beside a busy loop


class Runtime:
    """Drives the timer wheel and runs blocking work beside the loop."""

    def __init__(
        self,
        clock: Clock,
        wheel: Wheel,
        collector: Collector,
        received: Callable[[], int] = lambda: 0,
        burst_ended: Callable[[], None] = lambda: None,
    ) -> None:
        """`received()` is how many messages were read so far; `burst_ended` is called after what is called back."""
        self._clock = clock
        self._wheel = wheel
        self._loop: asyncio.AbstractEventLoop | None = None
        self._threads = ThreadPoolExecutor(4, "openpy-blocking")
        self._programs = Programs(burst_ended)
        self._tick: asyncio.TimerHandle | None = None
        self._collector = collector
        self._received = received
        self._burst_ended = burst_ended
        self._due = clock.monotonic()
        self._is_behind = False

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop; there is one after `start`."""
        assert self._loop is not None
        return self._loop

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to tick, and keep the garbage collector out of the way."""
        self._loop = loop
        self._collector.start()
        sys.setswitchinterval(SWITCH_INTERVAL)
        self._due = self._clock.monotonic()
        self._turn()

    def rest(self) -> None:
        """Tick no more: from now on somebody else fires the timers when they are due."""
        if self._tick is not None:
            self._tick.cancel()

    def stop(self) -> None:
        """Stop ticking and wait for the threads."""
        self.rest()
        self._threads.shutdown()
        self._collector.stop()

    def post(self, callback: Callable[[], None]) -> None:
        """Run a callback in the loop, from any thread."""
        self.loop.call_soon_threadsafe(self._call, callback)

    def soon(self, callback: Callable[[], None]) -> None:
        """Run a callback in the loop's next round."""
        self.loop.call_soon(self._call, callback)

    def watch(self, descriptor: int, readable: Callable[[], None]) -> Callable[[], None]:
        """Call back whenever a descriptor has something to read, until the returned function is called."""
        self.loop.add_reader(descriptor, self._call, readable)

        def end() -> None:
            self.loop.remove_reader(descriptor)

        return end

    def run_blocking(self, function: Callable[..., Any], *arguments: Any) -> Wait[Any]:
        """Run a blocking function in a thread."""
        return self._waited(self.loop.run_in_executor(self._threads, function, *arguments))

    def run_task(self, coroutine: Coroutine[Any, Any, Any]) -> Wait[Any]:
        """Run a coroutine that may await whatever asyncio has."""
        return self._waited(self.loop.create_task(coroutine))

    def run_program(self, program: Program) -> Wait[Ended]:
        """Run a program beside the loop, within its bounds; fails with OSError where it cannot be started."""
        return self._programs.run(self.loop, program)

    async def end_programs(self) -> None:
        """Kill all programs that still run; nobody is told."""
        await self._programs.stop()

    def _call(self, callback: Callable[[], None]) -> None:
        try:
            callback()
        finally:
            self._burst_ended()

    def _waited(self, future: asyncio.Future[Any]) -> Wait[Any]:
        """A wait for a future."""
        wait: Wait[Any] = Wait()
        future.add_done_callback(lambda done: self._call(partial(_complete, wait, done)))
        return wait

    def _turn(self) -> None:
        now = self._clock.monotonic()
        if not self._is_behind:
            if now - self._due < LATE:
                self._fire()
            else:
                self._is_behind = True
                self._wheel.now = now  # what is begun by what is read lasts from now on
                self.soon(partial(self._catch_up, now + CATCH_UP))
        self._collector.turn(now)
        self._due = now + TICK
        self._tick = self.loop.call_later(TICK, self._turn)

    def _catch_up(self, until: float, seen: int = -1) -> None:
        """Fire once a whole round of the loop has read nothing more."""
        received = self._received()
        if received == seen or self._clock.monotonic() >= until:
            self._fire()
        else:
            self.soon(partial(self._catch_up, until, received))

    def _fire(self) -> None:
        """Fire the timers that are due; many in slices, between which messages are read."""
        self._is_behind = self._wheel.advance(self._clock.monotonic(), AT_ONCE) >= AT_ONCE
        self._burst_ended()
        if self._is_behind:
            self.soon(self._fire)


def _complete(wait: Wait[Any], future: asyncio.Future[Any]) -> None:
    error = future.exception()
    if error is not None:
        wait.fail(error)
    else:
        wait.resolve(future.result())
