"""The event loop as the server uses it: timers, threads, and waits for them."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from openpy.engine.clock import Clock
from openpy.engine.garbage import Collector
from openpy.engine.waiting import Wait
from openpy.transaction.wheel import Wheel

TICK = 0.1
SWITCH_INTERVAL = 0.0005  # the writer's thread gets its turn soon beside a busy loop
POOL = 256


class Tokens:
    """Random tokens from the system, fetched in pools."""

    __slots__ = ("_left", "_pool")

    def __init__(self) -> None:
        self._pool = ""
        self._left = 0

    def __call__(self) -> str:
        """64 random bits as 16 hex digits."""
        if not self._left:
            self._pool = os.urandom(8 * POOL).hex()
            self._left = POOL
        self._left -= 1
        return self._pool[16 * self._left : 16 * self._left + 16]


class Runtime:
    """Drives the timer wheel and runs blocking work beside the loop."""

    def __init__(self, clock: Clock, wheel: Wheel) -> None:
        self._clock = clock
        self._wheel = wheel
        self._loop: asyncio.AbstractEventLoop | None = None
        self._threads = ThreadPoolExecutor(4, "openpy-blocking")
        self._tick: asyncio.TimerHandle | None = None
        self._collector = Collector()
        self._settled = False

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop; there is one after `start`."""
        assert self._loop is not None
        return self._loop

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to tick."""
        self._loop = loop
        sys.setswitchinterval(SWITCH_INTERVAL)
        self._turn()

    def settle(self) -> None:
        """Everything is loaded: from now on the garbage collector keeps out of the way."""
        self._collector.start()
        self._settled = True

    def stop(self) -> None:
        """Stop ticking and wait for the threads."""
        if self._tick is not None:
            self._tick.cancel()
        self._threads.shutdown()
        self._collector.stop()

    def post(self, callback: Callable[[], None]) -> None:
        """Run a callback in the loop, from any thread."""
        self.loop.call_soon_threadsafe(callback)

    def soon(self, callback: Callable[[], None]) -> None:
        """Run a callback in the loop's next round."""
        self.loop.call_soon(callback)

    def watch(self, descriptor: int, readable: Callable[[], None]) -> Callable[[], None]:
        """Call back whenever a descriptor has something to read, until the returned function is called."""
        self.loop.add_reader(descriptor, readable)

        def end() -> None:
            self.loop.remove_reader(descriptor)

        return end

    def run_blocking(self, function: Callable[..., Any], *arguments: Any) -> Wait[Any]:
        """Run a blocking function in a thread."""
        wait: Wait[Any] = Wait()

        def finished(future: Future[Any]) -> None:
            error = future.exception()
            if error is not None:
                self.post(lambda: wait.fail(error))
            else:
                self.post(lambda: wait.resolve(future.result()))

        self._threads.submit(function, *arguments).add_done_callback(finished)
        return wait

    def _turn(self) -> None:
        now = self._clock.monotonic()
        self._wheel.advance(now)
        if self._settled:
            self._collector.turn(now)
        self._tick = self.loop.call_later(TICK, self._turn)
