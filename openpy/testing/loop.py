"""An asyncio event loop in virtual time: it turns when the world says so, and never waits."""

from __future__ import annotations

import asyncio
import contextvars
import traceback
from asyncio.events import _set_running_loop
from collections import deque
from collections.abc import Callable, Coroutine
from heapq import heappop, heappush
from itertools import count
from typing import Any, Protocol, cast

from openpy.testing.world import World


class Readable(Protocol):
    """A socket that `add_reader` takes."""

    @property
    def readable(self) -> bool:
        """Whether something waits to be read."""
        ...


class Ports(Protocol):
    """Where a loop's events come from: the process that it runs in."""

    world: World

    def at(self, delay: float, action: Callable[[], None]) -> None:
        """Let something happen in this process, so many seconds from now."""
        ...


class VirtualLoop:
    """The loop of one process: the part of `asyncio.AbstractEventLoop` that the server uses.

    In one turn it runs what was called soon, then what can be read, then the timers that are due, as asyncio does.
    """

    def __init__(self, process: Ports) -> None:
        self._process = process
        self._world = process.world
        self._ready: deque[asyncio.Handle] = deque()
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._order = count()
        self._readers: dict[Readable, asyncio.Handle] = {}
        self._next_turn = float("inf")
        self.face = cast(asyncio.AbstractEventLoop, self)
        """What asyncio takes it for."""
        self.over = False
        """Whether the process has ended."""
        self.blocking = False
        """Whether a thread is at work: what it posts arrives when it has come so far."""

    # --- what asyncio and the server call -----------------------------------------------------------------------

    def time(self) -> float:
        """The loop's clock, in seconds."""
        return self._world.now

    def get_debug(self) -> bool:
        """It has no debug mode."""
        return False

    def is_running(self) -> bool:
        """It never rests."""
        return True

    def is_closed(self) -> bool:
        """It is never closed."""
        return False

    def call_soon(
        self, callback: Callable[..., object], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.Handle:
        """Call back in the next turn."""
        handle = asyncio.Handle(callback, args, self.face, context)
        self._ready.append(handle)
        self._turn_in(0.0)
        return handle

    def call_soon_threadsafe(
        self, callback: Callable[..., object], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.Handle:
        """The same from a thread that is at work: when that one has come so far."""
        if not self.blocking:
            return self.call_soon(callback, *args, context=context)
        handle = asyncio.Handle(callback, args, self.face, context)
        self._process.at(self._world.spent, lambda: self._take(handle))
        return handle

    def call_later(
        self,
        delay: float,
        callback: Callable[..., object],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        """Call back in so many seconds."""
        return self.call_at(self._world.now + delay, callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        """Call back at a time of this clock."""
        handle = asyncio.TimerHandle(when, callback, args, self.face, context)
        heappush(self._timers, (when, next(self._order), handle))
        self._turn_in(when - self._world.now)
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """It is passed over when its time comes."""

    def create_future(self) -> asyncio.Future[Any]:
        """A future of this loop."""
        return asyncio.Future(loop=self.face)

    def create_task(self, coro: Coroutine[Any, Any, Any], **_: Any) -> asyncio.Task[Any]:
        """A task of this loop."""
        return asyncio.Task(coro, loop=self.face)

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:
        """Do blocking work at one moment; what it gives arrives later by what it spent."""
        future = self.create_future()

        def work() -> None:
            with Work(self):
                try:
                    result = func(*args)
                except Exception as error:  # noqa: BLE001 - it is told to who waits for it
                    self.call_soon_threadsafe(future.set_exception, error)
                else:
                    self.call_soon_threadsafe(future.set_result, result)

        self._process.at(0.0, work)
        return future

    async def sock_connect(self, *_: Any) -> None:
        """Refuse; raises ConnectionRefusedError."""
        raise ConnectionRefusedError("nobody listens on TCP in this world")

    def add_reader(self, fd: Any, callback: Callable[..., Any], *args: Any) -> None:
        """Call back whenever a socket has something to read."""
        self._readers[fd] = asyncio.Handle(callback, args, self.face)
        self.arrived()

    def remove_reader(self, fd: Any) -> bool:
        """Call back no more; whether it did."""
        handle = self._readers.pop(fd, None)
        if handle is not None:
            handle.cancel()  # it may be among those of this turn
        return handle is not None

    def remove_writer(self, fd: Any) -> bool:
        """False: nothing is ever waited for."""
        return False  # what is sent leaves at once: nobody ever waits to write

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """What nobody caught is a broken promise."""
        if self.over:
            return  # a task of a life that was killed
        error = context.get("exception")
        trace = "" if error is None else "".join(traceback.format_exception(error))
        self._world.breach(f"the loop: {context['message']}: {trace}")

    # --- what the world calls -----------------------------------------------------------------------------------

    def arrived(self) -> None:
        """There may be something to read."""
        if any(item.readable for item in self._readers):
            self._turn_in(0.0)

    def _take(self, handle: asyncio.Handle) -> None:
        self._ready.append(handle)
        self._turn_in(0.0)

    def _turn_in(self, delay: float) -> None:
        when = self._world.now + max(delay, 0.0)
        if when < self._next_turn:
            self._next_turn = when
            self._process.at(max(delay, 0.0), self._turn)

    def _turn(self) -> None:
        now = self._world.now
        if self._next_turn > now:
            return  # a turn that was made before has done this one's work
        self._next_turn = float("inf")
        handles = list(self._ready)
        self._ready.clear()
        handles += [handle for item, handle in self._readers.items() if item.readable]
        while self._timers and self._timers[0][0] <= now:
            handles.append(heappop(self._timers)[2])
        _set_running_loop(self.face)
        try:
            for handle in handles:
                if not handle.cancelled():
                    handle._run()
        finally:
            _set_running_loop(None)
        if self._ready or any(item.readable for item in self._readers):
            self._turn_in(0.0)
        elif self._timers:
            self._turn_in(self._timers[0][0] - now)


class Work:
    """Blocking work in a thread of the process, from its first moment on: it `spend`s time."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def __enter__(self) -> None:
        self._loop._world.spent = 0.0
        self._loop.blocking = True

    def __exit__(self, *_: object) -> None:
        self._loop.blocking = False
