"""What works on a database beside the loop, and the time that it goes by.

Rules:
1. Each entry put for a crew is worked on once, in the order in which they were put.
2. One member of a crew takes at once what waits, up to `most`; the rest is for the next that is free.
3. `stop` works on everything put before it, and returns when the last thread has ended, or its patience.

The simulation passes its own: there a crew works at moments of virtual time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from sys import maxsize
from typing import Generic, NamedTuple, Protocol, TypeVar

__all__ = ["THREADS", "Crew", "Member", "Repetition", "Threads"]

T = TypeVar("T")
P = TypeVar("P", contravariant=True)


class Member(NamedTuple, Generic[T]):
    """What a member of a crew does: `work(entries)`; `idle()` after `patience` seconds without any; `end()` at last."""

    work: Callable[[list[T]], None]
    end: Callable[[], None]
    idle: Callable[[], None] | None = None
    patience: float | None = None


class Crew(Protocol[P]):
    """Works on what is put for it."""

    def start(self) -> None:
        """Begin."""

    def put(self, entry: P) -> None:
        """Give it something to do; may be called in any thread, and before the start."""

    def stop(self, patience: float | None = None) -> None:
        """Finish what was put, and end. Blocks until then, or for so many seconds a member; put nothing more."""


class Repetition(Protocol):
    """Takes one step after the other."""

    def stop(self, patience: float) -> None:
        """Take no further step; wait so many seconds for one that is being taken. May be called in any thread."""


class Threads:
    """Threads of the system."""

    def monotonic(self) -> float:
        """Seconds of a clock that never jumps."""
        return time.monotonic()

    def crew(self, name: str, members: Sequence[Member[T]], most: int = maxsize) -> Crew[T]:
        """A crew, not started yet, with a thread for each member."""
        return _Crew(name, members, most)

    def repeat(self, name: str, step: Callable[[], float | None], pause: float = 0.0) -> Repetition:
        """Call `step` after a pause in seconds, and again after each pause that it returns, until it returns None."""
        return _Repetition(name, step, pause)


THREADS = Threads()
"""The ones of the system: there is nothing to choose."""


class _Crew(Generic[T]):
    """Threads that share a queue, in which None ends one of them."""

    def __init__(self, name: str, members: Sequence[Member[T]], most: int) -> None:
        self._most = most
        self._queue: SimpleQueue[T | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._run, args=(member,), name=name, daemon=True) for member in members
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def put(self, entry: T) -> None:
        self._queue.put(entry)

    def stop(self, patience: float | None = None) -> None:
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join(patience)

    def _run(self, member: Member[T]) -> None:
        running = True
        try:
            while running:
                entries: list[T] = []
                entry = self._next(member)
                while entry is not None:
                    entries.append(entry)
                    if len(entries) == self._most:
                        break
                    try:
                        entry = self._queue.get_nowait()
                    except Empty:
                        break
                running = entry is not None
                if entries:
                    member.work(entries)
        finally:
            member.end()

    def _next(self, member: Member[T]) -> T | None:
        while True:
            try:
                return self._queue.get(timeout=member.patience)
            except Empty:
                if member.idle is not None:
                    member.idle()


class _Repetition:
    """A thread that sleeps between its steps."""

    def __init__(self, name: str, step: Callable[[], float | None], pause: float) -> None:
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(step, pause), name=name, daemon=True)
        self._thread.start()

    def stop(self, patience: float) -> None:
        self._stopped.set()
        if self._thread is not threading.current_thread():
            self._thread.join(patience)

    def _run(self, step: Callable[[], float | None], pause: float | None) -> None:
        while pause is not None and not self._stopped.wait(pause):
            pause = step()
