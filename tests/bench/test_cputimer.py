from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator

import pytest

from bench.cputimer import CpuTimer


@pytest.fixture
def fired() -> Iterator[list[int]]:
    numbers: list[int] = []
    before = signal.signal(signal.SIGPROF, lambda number, _: numbers.append(number))
    yield numbers
    signal.signal(signal.SIGPROF, before)


def _work(seconds: float) -> None:
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


def test_work_of_this_thread_fires(fired: list[int]) -> None:
    timer = CpuTimer(0.005)
    _work(0.2)
    timer.stop()
    count = len(fired)
    assert 5 <= count <= 41
    _work(0.05)
    assert len(fired) == count


def test_work_of_another_thread_does_not(fired: list[int]) -> None:
    timer = CpuTimer(0.005)
    other = threading.Thread(target=_work, args=(0.2,))
    other.start()
    other.join()
    timer.stop()
    assert len(fired) <= 2


def test_what_the_system_refuses_is_an_error() -> None:
    with pytest.raises(OSError, match="timer_settime"):
        CpuTimer(-1.0)
