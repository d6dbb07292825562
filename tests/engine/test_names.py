from __future__ import annotations

import errno
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from queue import SimpleQueue

import pytest

from openpy.db.threads import THREADS as SYSTEM
from openpy.engine import names as names_module
from openpy.engine.names import FAILURE_KEPT, THREADS, Limits, Names
from openpy.engine.waiting import Wait
from openpy.transaction.wheel import Wheel

Addresses = tuple[str, ...]
PATIENCE = 20.0


class World:
    """Time that stands still, name servers that can be silent, and a loop that turns when it is told to."""

    def __init__(self, **limits: int) -> None:
        self.now = 100.0
        self.wheel = Wheel(self.now)
        self.asked: list[str] = []
        self.zone: dict[str, Sequence[str] | Exception] = {"here.example": ["192.0.2.1", "2001:db8::1"]}
        self.answering = threading.Event()
        self.answering.set()
        self.asking: SimpleQueue[str] = SimpleQueue()
        self._posted: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self.names = Names(self.wheel, lambda: self.now, self._posted.put, SYSTEM, self.find)
        self.names.limits = Limits(**limits)

    def find(self, name: str) -> Sequence[str]:
        self.asked.append(name)
        self.asking.put(name)
        assert self.answering.wait(PATIENCE)
        answer = self.zone.get(name, socket.gaierror(socket.EAI_NONAME, "Name or service not known"))
        if isinstance(answer, Exception):
            raise answer
        return answer

    def silence(self, *names: str) -> None:
        """The name servers are silent, and these names are being looked up."""
        self.answering.clear()
        for name in names:
            self.names.resolve(name)
            self.asking.get(timeout=PATIENCE)

    def turn(self) -> None:
        """Run the next thing that a thread posts."""
        self._posted.get(timeout=PATIENCE)()

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        self.wheel.advance(self.now)

    def answer(self, name: str) -> Addresses:
        """Ask, and wait for the threads."""
        wait = self.names.resolve(name)
        while not wait.done:
            self.turn()
        return told(wait)

    def close(self) -> None:
        self.answering.set()
        self.names.stop()


def told(wait: Wait[Addresses]) -> Addresses:
    assert wait.done
    assert wait.value is not None, "it failed"
    return wait.value


def failed(wait: Wait[Addresses]) -> bool:
    assert wait.done
    try:
        next(wait.__await__(), None)
    except OSError as error:
        return "nobody can tell" in str(error)
    return False


@pytest.fixture
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    made = World(**getattr(request, "param", {}))
    yield made
    made.close()


def test_a_name_has_addresses_or_none(world: World) -> None:
    world.zone["no.such..name"] = UnicodeError("label empty or too long")
    assert world.answer("Here.Example") == ("192.0.2.1", "2001:db8::1")
    assert world.answer("absent.example") == ()
    assert world.answer("no.such..name") == ()
    assert world.asked == ["here.example", "absent.example", "no.such..name"]


def test_what_is_longer_than_a_name_is_neither_looked_up_nor_kept(world: World) -> None:
    longest = ".".join(["x" * 49] * 5) + ".exa"
    assert len(longest) == 253
    assert world.answer(longest) == ()
    assert told(world.names.resolve("x" + longest)) == ()
    assert told(world.names.resolve("x" * 60_000)) == ()
    assert world.asked == [longest]


def test_that_nobody_can_tell_is_no_answer(world: World) -> None:
    world.zone["broken.example"] = socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
    wait = world.names.resolve("broken.example")
    world.turn()
    assert failed(wait)


def test_that_the_system_fails_is_no_answer(world: World) -> None:
    world.zone["here.example"] = OSError(errno.EMFILE, "Too many open files")  # getaddrinfo: EAI_SYSTEM
    wait = world.names.resolve("here.example")
    world.turn()
    assert failed(wait)


def test_an_answer_is_kept_and_a_failure_for_less(world: World) -> None:
    for name in ("here.example", "absent.example", "here.example", "absent.example"):
        world.answer(name)
    assert world.asked == ["here.example", "absent.example"]
    world.pass_time(FAILURE_KEPT)
    world.answer("absent.example")
    world.answer("here.example")
    assert world.asked[2:] == ["absent.example"]
    world.pass_time(30)
    world.answer("here.example")
    assert world.asked[3:] == ["here.example"]


@pytest.mark.parametrize("world", [{"keep": 0}], indirect=True)
def test_what_is_not_to_be_kept_is_asked_again(world: World) -> None:
    world.answer("here.example")
    world.answer("here.example")
    assert len(world.asked) == 2


def test_what_is_kept_is_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names_module, "KEPT", 2)
    for name in ("a", "b", "c", "c", "b", "a"):
        world.answer(name)
    assert world.asked == ["a", "b", "c", "a"]


def test_who_asks_meanwhile_waits_for_the_same_answer(world: World) -> None:
    world.silence("here.example")
    waits = [world.names.resolve("here.example") for _ in range(5)]
    assert not any(wait.done for wait in waits)
    world.answering.set()
    world.turn()
    assert {told(wait) for wait in waits} == {("192.0.2.1", "2001:db8::1")}
    assert len(world.asked) == 1


def test_nobody_waits_longer_than_the_timeout(world: World) -> None:
    world.silence("here.example")
    wait = world.names.resolve("here.example")
    world.pass_time(3.9)
    assert not wait.done
    world.pass_time(0.2)
    assert failed(wait)
    assert failed(world.names.resolve("here.example")), "kept for a while"
    world.pass_time(FAILURE_KEPT)
    again = world.names.resolve("here.example")
    assert not again.done
    world.answering.set()
    world.turn()
    assert told(again) == ("192.0.2.1", "2001:db8::1"), "the first look-up's answer, late"
    assert len(world.asked) == 1


@pytest.mark.parametrize("world", [{"queue": 3}], indirect=True)
def test_so_many_may_wait_for_a_thread(world: World) -> None:
    world.silence(*(f"silent-{number}.example" for number in range(THREADS)))
    queued = [world.names.resolve(f"queued-{number}.example") for number in range(3)]
    assert not any(wait.done for wait in queued)
    assert failed(world.names.resolve("one-more.example"))
    world.pass_time(5)
    assert all(failed(wait) for wait in queued)
    late = world.names.resolve("late.example")
    waiting = not late.done
    assert waiting, "there is room again"
    world.answering.set()
    while not late.done:
        world.turn()
    assert not [name for name in world.asked if name.startswith("queued")], "nobody waited for them any more"


def test_a_stop_waits_for_no_thread(world: World) -> None:
    world.silence("here.example")
    wait = world.names.resolve("here.example")
    world.names.stop()
    assert failed(wait)
    world.answering.set()
    world.turn()


def test_an_answer_after_the_end_of_the_loop_is_of_no_use() -> None:
    ended = threading.Event()

    def closed(callback: Callable[[], None]) -> None:
        ended.set()
        raise RuntimeError("Event loop is closed")

    names: Names[str] = Names(Wheel(0.0), lambda: 0.0, closed, SYSTEM, lambda name: [])
    names.resolve("late.example")
    assert ended.wait(PATIENCE)
    names.stop()  # a thread that failed would have been reported: warnings are errors
