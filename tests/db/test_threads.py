from __future__ import annotations

import threading
import time
from itertools import pairwise
from queue import SimpleQueue

import pytest

from openpy.db.threads import THREADS, Member


def ignore() -> None:
    """Nothing is to be closed."""


def test_what_waits_is_worked_on_at_once_and_in_order() -> None:
    taken: list[list[int]] = []
    ended: list[str] = []
    member: Member[int] = Member(taken.append, lambda: ended.append(threading.current_thread().name))
    crew = THREADS.crew("writer", [member])
    for number in range(5):
        crew.put(number)
    crew.start()
    crew.stop()
    assert taken == [[0, 1, 2, 3, 4]]
    assert ended == ["writer"]


def test_no_member_takes_more_than_its_share() -> None:
    together = threading.Barrier(2, timeout=10)
    taken: SimpleQueue[list[int]] = SimpleQueue()

    def work(entries: list[int]) -> None:
        together.wait()  # broken, unless both members have something to do
        taken.put(entries)

    crew = THREADS.crew("reader", [Member(work, ignore), Member(work, ignore)], most=1)
    crew.put(1)
    crew.put(2)
    crew.start()
    assert sorted([taken.get(timeout=10), taken.get(timeout=10)]) == [[1], [2]]
    crew.stop()


def test_who_has_nothing_to_do_is_told_so() -> None:
    idle = threading.Event()
    member: Member[int] = Member(lambda _: None, ignore, idle.set, 0.01)
    crew = THREADS.crew("writer", [member])
    crew.start()
    assert idle.wait(10)
    crew.stop()


def test_steps_follow_after_the_pauses_that_they_ask_for() -> None:
    steps: SimpleQueue[float] = SimpleQueue()
    pauses = iter([0.02, 0.05, None])

    def step() -> float | None:
        steps.put(THREADS.monotonic())
        return next(pauses)

    times = [THREADS.monotonic()]
    THREADS.repeat("connector", step, 0.01)
    times += [steps.get(timeout=10) for _ in range(3)]
    for (before, after), pause in zip(pairwise(times), (0.01, 0.02, 0.05), strict=True):
        assert after - before >= pause


def test_no_step_is_taken_after_the_stop() -> None:
    steps: list[int] = []
    repetition = THREADS.repeat("connector", lambda: steps.append(1), 30.0)
    repetition.stop(10)
    assert not any(thread.name == "connector" and thread.is_alive() for thread in threading.enumerate())
    assert steps == []


def test_a_step_may_stop_its_own_repetition() -> None:
    done: SimpleQueue[str] = SimpleQueue()
    started = threading.Event()

    def step() -> float:
        started.wait(10)
        repetition.stop(10)
        done.put("stopped")
        return 0.0

    repetition = THREADS.repeat("connector", step)
    started.set()
    assert done.get(timeout=10) == "stopped"
    time.sleep(0.02)
    assert done.empty()


@pytest.mark.parametrize("number", [1, 2])
def test_stop_ends_every_member(number: int) -> None:
    crew = THREADS.crew("crew of the test", [Member[int](lambda _: None, ignore) for _ in range(number)])
    crew.start()
    assert sum(thread.name == "crew of the test" for thread in threading.enumerate()) == number
    crew.stop()
    assert not any(thread.name == "crew of the test" for thread in threading.enumerate())


def test_stop_waits_no_longer_than_it_is_told() -> None:
    free, ended = threading.Event(), threading.Event()

    def work(events: list[threading.Event]) -> None:
        for event in events:
            event.wait(20)

    crew = THREADS.crew("crew", [Member(work, ended.set)])
    crew.start()
    crew.put(free)
    crew.stop(0.01)
    in_time = not ended.is_set()
    free.set()
    assert in_time
    assert ended.wait(20), "the member goes on, and ends when it is free"
