"""Runs a Python program (`-m bench.sampler FILE METHOD -m MODULE ARGUMENTS`) that can be profiled while it runs.

SIGUSR2 starts a profile; the next SIGUSR2 ends it and writes FILE. Two methods:

- sample: every few milliseconds of the main thread's CPU time it notes which functions are running. It slows the
  program by about 1 %. What C code uses (sending, encoding) is its Python caller's.
- calls: cProfile. It counts every call; its times are by the wall clock, and make small functions look dearer than
  they are.
"""

from __future__ import annotations

import cProfile
import json
import os
import pstats
import runpy
import signal
import sys
import time
from collections import defaultdict
from dataclasses import asdict, dataclass
from pathlib import Path
from types import CodeType, FrameType
from typing import Protocol

from bench.cputimer import CpuTimer

INTERVAL = 0.001  # seconds of CPU time; the kernel's tick is the least it can do
OTHER_THREADS = "(other threads)"


@dataclass(slots=True)
class Spent:
    """CPU seconds of one function, itself and with all that it called."""

    file: str
    line: int
    function: str
    calls: int  # 0 where calls were not counted
    itself: float
    total: float


class Method(Protocol):
    """A way to profile."""

    def start(self) -> None:
        """Begin."""

    def stop(self) -> list[Spent]:
        """End; returns what was found."""


class Sampling:
    """Statistical profile of the main thread, weighted by its CPU clock."""

    def __init__(self) -> None:
        self._itself: dict[CodeType, float] = defaultdict(float)
        self._total: dict[CodeType, float] = defaultdict(float)

    def start(self) -> None:
        """Begin."""
        self._began = time.process_time(), time.thread_time()
        self._last = self._began[1]
        signal.signal(signal.SIGPROF, self._note)
        self._timer = CpuTimer(INTERVAL)

    def stop(self) -> list[Spent]:
        """End; returns what was found."""
        self._timer.stop()
        main = time.thread_time() - self._began[1]
        others = max(0.0, time.process_time() - self._began[0] - main)
        found = [
            Spent(code.co_filename, code.co_firstlineno, code.co_qualname, 0, self._itself[code], total)
            for code, total in self._total.items()
        ]
        return [*found, Spent("", 0, OTHER_THREADS, 0, others, others)]

    def _note(self, _: int, frame: FrameType | None) -> None:
        now = time.thread_time()
        weight, self._last = now - self._last, now
        if frame is not None:
            self._itself[frame.f_code] += weight
        running: set[CodeType] = set()
        while frame is not None:
            running.add(frame.f_code)
            frame = frame.f_back
        for code in running:
            self._total[code] += weight


class Calls:
    """cProfile of the main thread."""

    def __init__(self) -> None:
        self._profile = cProfile.Profile()

    def start(self) -> None:
        """Begin."""
        self._profile.enable()

    def stop(self) -> list[Spent]:
        """End; returns what was found."""
        self._profile.disable()
        found = pstats.Stats(self._profile).stats.items()  # type: ignore[attr-defined]
        return [
            Spent(file, line, function, calls, itself, total)
            for (file, line, function), (_, calls, itself, total, _) in found
        ]


METHODS: dict[str, type[Method]] = {"sample": Sampling, "calls": Calls}


class Switch:
    """What SIGUSR2 turns on and off."""

    def __init__(self, path: Path, kind: type[Method]) -> None:
        self._path = path
        self._kind = kind
        self._running: Method | None = None

    def turn(self, *_: object) -> None:
        """Start, or stop and write; the file appears when it is complete."""
        if self._running is None:
            self._running = self._kind()
            self._running.start()
            return
        found = self._running.stop()
        self._running = None
        unfinished = self._path.with_suffix(".part")
        unfinished.write_text(json.dumps([asdict(one) for one in found]))
        os.replace(unfinished, self._path)


def main() -> None:
    """Install the switch, then become the program."""
    _, path, method, flag, module, *arguments = sys.argv
    if flag != "-m":
        raise SystemExit("usage: -m bench.sampler FILE METHOD -m MODULE ARGUMENTS")
    signal.signal(signal.SIGUSR2, Switch(Path(path), METHODS[method]).turn)
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
