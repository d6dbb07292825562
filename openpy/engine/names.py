"""What the DNS says of a name, looked up beside the loop: addresses, or the servers of a domain.

Rules:
1. Names have threads of their own: a silent name server keeps nothing waiting but those who ask for names.
2. A name is looked up once at a time; who asks meanwhile waits for the same answer.
3. That there is nothing is an answer; that nobody can tell is none: who asks is failed with OSError, since it says
   nothing about the peer.
4. Nobody waits longer than `timeout`. Then nobody can tell, though a thread may still wait; a name that no thread has
   taken up by then is not looked up at all. So many may wait for a thread; of one more nobody can tell, at once.
5. An answer is kept for a while, and that there is no address, or no answer, for less. What is kept is bounded: the
   oldest gives way.
6. All but `_work` happens in the loop. `stop` waits for no thread.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Sequence
from functools import partial
from typing import Generic, NamedTuple, TypeVar

from openpy.db.threads import Crew, Member, Threads
from openpy.engine.waiting import Wait
from openpy.transaction.wheel import Wheel

T = TypeVar("T")

UNKNOWN = (socket.EAI_AGAIN, socket.EAI_FAIL, socket.EAI_MEMORY)
"""What the resolver says where it cannot tell. An error of the system (no descriptor is left) tells as little."""

THREADS = 8
"""How many names are looked up at one time."""

KEPT = 4096
"""How many answers are kept."""

LONGEST_NAME = 253
"""Characters, without the last dot (RFC 1035 2.3.4). Whatever is longer is no name, and nothing is kept of it."""

FAILURE_KEPT = 5.0
"""Seconds that a failure is kept, if answers are kept so long."""


class Limits(NamedTuple):
    """`timeout` and `keep` in seconds; `queue` names may wait for a thread."""

    timeout: float = 4.0
    keep: float = 30.0
    queue: int = 256


class _LookUp(Generic[T]):
    """A name that is being looked up, or waits for a thread, and who waits for it."""

    __slots__ = ("name", "taken", "waits")

    def __init__(self, name: str) -> None:
        self.name = name
        self.waits: list[Wait[tuple[T, ...]]] = []
        self.taken = False
        """Whether a thread has begun."""


class Names(Generic[T]):
    """Looks up names by `find`. `post(callback)` runs a callback in the loop, from any thread."""

    def __init__(
        self,
        wheel: Wheel,
        clock: Callable[[], float],
        post: Callable[[Callable[[], None]], None],
        threads: Threads,
        find: Callable[[str], Sequence[T]],
    ) -> None:
        """`find(name)` blocks; raises OSError or ValueError where it finds nothing."""
        self._wheel = wheel
        self._clock = clock
        self._post = post
        self._threads = threads
        self._find = find
        self.limits = Limits()
        self._crew: Crew[_LookUp[T]] | None = None
        self._under_way: dict[str, _LookUp[T]] = {}
        self._kept: dict[str, tuple[float, tuple[T, ...] | None]] = {}

    def resolve(self, name: str) -> Wait[tuple[T, ...]]:
        """What there is of a name; fails with OSError where nobody can tell."""
        wait: Wait[tuple[T, ...]] = Wait()
        if len(name) > LONGEST_NAME + name.endswith("."):
            wait.resolve(())
            return wait
        name = name.lower()
        until, addresses = self._kept.get(name, (0.0, None))
        if until > self._clock():
            _complete(wait, name, addresses)
            return wait
        look_up = self._under_way.get(name) or self._begin(name)
        if look_up is None:
            _complete(wait, name, None)
            return wait
        if not look_up.waits:
            self._wheel.add(self.limits.timeout, partial(self._give_up, look_up, wait))
        look_up.waits.append(wait)
        return wait

    def stop(self) -> None:
        """Look nothing up any more, and tell those who wait."""
        for look_up in list(self._under_way.values()):
            self._tell(look_up, None)
        if self._crew is not None:
            self._crew.stop(0.0)
            self._crew = None

    def _begin(self, name: str) -> _LookUp[T] | None:
        """Have a name looked up; None if too many wait already."""
        if sum(not look_up.taken for look_up in self._under_way.values()) >= self.limits.queue:
            return None
        if self._crew is None:
            members = [Member(self._work, _nothing) for _ in range(THREADS)]
            self._crew = self._threads.crew("openpy-names", members, most=1)
            self._crew.start()
        look_up = self._under_way[name] = _LookUp(name)
        self._crew.put(look_up)
        return look_up

    def _work(self, look_ups: list[_LookUp[T]]) -> None:
        """In a thread: look up what somebody still waits for."""
        for look_up in look_ups:
            if look_up.waits:
                look_up.taken = True
                found = self._found(look_up.name)
                with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                    self._post(partial(self._tell, look_up, found))

    def _found(self, name: str) -> tuple[T, ...] | None:
        try:
            return tuple(self._find(name))
        except ValueError:  # this can be no name
            return ()
        except OSError as error:
            return () if isinstance(error, socket.gaierror) and error.errno not in UNKNOWN else None

    def _give_up(self, look_up: _LookUp[T], first: Wait[tuple[T, ...]]) -> None:
        """It takes too long, if the one who waited first still waits. A later answer is kept all the same."""
        if first.done:
            return
        self._tell(look_up, None)
        if look_up.taken:
            self._under_way[look_up.name] = look_up

    def _tell(self, look_up: _LookUp[T], addresses: tuple[T, ...] | None) -> None:
        """Keep an answer (None: there is none), and tell it to all who wait for it."""
        if self._under_way.get(look_up.name) is look_up:
            del self._under_way[look_up.name]
        self._keep(look_up.name, addresses)
        waits, look_up.waits = look_up.waits, []
        for wait in waits:
            _complete(wait, look_up.name, addresses)

    def _keep(self, name: str, addresses: tuple[T, ...] | None) -> None:
        self._kept.pop(name, None)
        if len(self._kept) >= KEPT:
            del self._kept[next(iter(self._kept))]
        keep = self.limits.keep if addresses else min(self.limits.keep, FAILURE_KEPT)
        self._kept[name] = self._clock() + keep, addresses


def _complete(wait: Wait[tuple[T, ...]], name: str, addresses: tuple[T, ...] | None) -> None:
    if addresses is None:
        wait.fail(OSError(f"nobody can tell about {name}: the name servers do not answer"))
    else:
        wait.resolve(addresses)


def _nothing() -> None:
    """A thread that looks names up has nothing to close."""
