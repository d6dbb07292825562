from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import closing

from openpy.engine.log import ERROR, NOTICE, WARNING
from openpy.engine.logbuffer import OVERHEAD, LogBuffer
from openpy.engine.module import Count

PATIENCE = 20.0


class Target:
    """A sink that can be blocked, and then tells that it waits."""

    def __init__(self) -> None:
        self.written: list[tuple[int, str]] = []
        self.open = threading.Event()
        self.open.set()
        self.entered = threading.Event()

    def __call__(self, level: int, line: str) -> None:
        self.entered.set()
        assert self.open.wait(PATIENCE)
        if line == "bad":
            raise OSError("no space left on device")
        self.written.append((level, line))


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_lines_pass_in_their_order() -> None:
    target, lost = Target(), Count()
    with closing(LogBuffer(target, lost, str)) as buffer:
        for number in range(500):
            buffer(NOTICE, str(number))
    assert target.written == [(NOTICE, str(number)) for number in range(500)]
    assert lost.value == 0


def test_a_target_that_blocks_stops_nobody_and_loses_what_does_not_fit() -> None:
    target, lost = Target(), Count()
    target.open.clear()
    with closing(LogBuffer(target, lost, lambda text: f"! {text}", room=10 * (OVERHEAD + 4))) as buffer:
        buffer(ERROR, "0000")
        assert target.entered.wait(PATIENCE)
        for number in range(1, 25):
            buffer(ERROR, f"{number:04}")
        assert lost.value == 15, "room for ten lines, the one that is being written included"
        assert target.written == []
        target.open.set()
        until(lambda: len(target.written) == 11)
        buffer(ERROR, "after")
    lines = [line for _, line in target.written]
    assert lines[:10] == [f"{number:04}" for number in range(10)]
    assert lines[10].startswith("! 15 lines of this log were lost")
    assert target.written[10][0] == WARNING
    assert lines[11:] == ["after"]
    assert lost.value == 15


def test_what_is_too_long_is_lost_and_told_by_the_end() -> None:
    target, lost = Target(), Count()
    with closing(LogBuffer(target, lost, str, room=1000)) as buffer:
        buffer(ERROR, "x" * 1000)
    assert [line.split(":")[0] for _, line in target.written] == ["1 lines of this log were lost"]
    assert lost.value == 1


def test_a_line_that_is_refused_is_counted_and_the_next_one_passes() -> None:
    target, lost = Target(), Count()
    with closing(LogBuffer(target, lost, str)) as buffer:
        buffer(ERROR, "bad")
        buffer(ERROR, "good")
    assert target.written == [(ERROR, "good")]
    assert lost.value == 1


def test_the_end_waits_for_what_was_taken_but_not_for_ever() -> None:
    target, lost = Target(), Count()
    target.open.clear()
    buffer = LogBuffer(target, lost, str)
    buffer(ERROR, "late")
    begun = time.monotonic()
    buffer.close(0.1)
    assert 0.1 <= time.monotonic() - begun < PATIENCE
    assert target.written == []
    target.open.set()
    buffer.close(PATIENCE)
    assert target.written == [(ERROR, "late")]
