"""Threads in virtual time: they begin a little later, work at one moment, and are busy for the time it took."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from sys import maxsize
from typing import Generic, TypeVar

from openpy.db.threads import Crew, Member, Repetition, Threads
from openpy.testing.loop import Ports, VirtualLoop, Work

T = TypeVar("T")

LATE = 0.002
"""Seconds until a thread gets its turn, at most."""


class VirtualThreads(Threads):
    """The threads of one process."""

    def __init__(self, process: Ports, loop: VirtualLoop) -> None:
        self.process = process
        self._world = process.world
        self._loop = loop
        self._chance = self._world.chance(f"threads {self._world.now}")

    def monotonic(self) -> float:
        """Seconds of the world's clock, with what the work under way has spent."""
        return self._world.now + (self._world.spent if self._loop.blocking else 0.0)

    def crew(self, name: str, members: Sequence[Member[T]], most: int = maxsize) -> Crew[T]:
        """A crew whose members work at moments of virtual time."""
        return _Crew(self, members, most)

    def repeat(self, name: str, step: Callable[[], float | None], pause: float = 0.0) -> Repetition:
        """Steps, each at a moment of virtual time."""
        return _Repetition(self, step, pause)

    def soon(self, action: Callable[[], None]) -> None:
        """Let a thread have its turn."""
        self.process.at(self._chance.uniform(0, LATE), action)

    def work(self, action: Callable[[], T]) -> tuple[T, float]:
        """Do blocking work; what it gave, and how long it took."""
        if self._loop.blocking:
            return action(), 0.0  # a thread that waits for another
        with Work(self._loop):
            result = action()
            return result, self._world.spent


class _Crew(Generic[T]):
    """Members that take what waits, whenever they are free."""

    def __init__(self, threads: VirtualThreads, members: Sequence[Member[T]], most: int) -> None:
        self._threads = threads
        self._members = members
        self._free = deque(members)
        self._most = most
        self._entries: deque[T] = deque()
        self._taken: dict[int, tuple[Member[T], list[T]]] = {}
        self._running = False

    def start(self) -> None:
        self._running = True
        for member in self._members:
            if member.idle is not None and member.patience is not None:
                self._threads.process.at(
                    member.patience, partial(self._idle, member, member.idle, member.patience)
                )
        self._go_on()

    def put(self, entry: T) -> None:
        self._entries.append(entry)
        self._go_on()

    def stop(self, patience: float | None = None) -> None:
        self._running = False
        for member, entries in list(self._taken.values()):
            self._threads.work(partial(member.work, entries))
        self._taken.clear()
        while self._entries:
            self._threads.work(partial(self._members[0].work, self._take()))
        for member in self._members:
            member.end()

    def _take(self) -> list[T]:
        return [self._entries.popleft() for _ in range(min(self._most, len(self._entries)))]

    def _go_on(self) -> None:
        while self._running and self._free and self._entries:
            member = self._free.popleft()
            self._taken[id(member)] = member, self._take()
            self._threads.soon(partial(self._work, member))

    def _work(self, member: Member[T]) -> None:
        taken = self._taken.pop(id(member), None)
        if taken is not None:
            _, spent = self._threads.work(partial(member.work, taken[1]))
            self._threads.process.at(spent, partial(self._done, member))

    def _done(self, member: Member[T]) -> None:
        self._free.append(member)
        self._go_on()

    def _idle(self, member: Member[T], idle: Callable[[], None], patience: float) -> None:
        if self._running:
            if member in self._free:
                self._threads.work(idle)
            self._threads.process.at(patience, partial(self._idle, member, idle, patience))


class _Repetition:
    """One step after the other."""

    def __init__(self, threads: VirtualThreads, step: Callable[[], float | None], pause: float) -> None:
        self._threads = threads
        self._step = step
        self._stopped = False
        threads.process.at(threads.monotonic() - threads.process.world.now + pause, self._run)

    def stop(self, patience: float) -> None:
        self._stopped = True

    def _run(self) -> None:
        if self._stopped:
            return
        pause, spent = self._threads.work(self._step)
        if pause is not None:
            self._threads.process.at(spent + pause, self._run)
