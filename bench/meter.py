"""CPU time and memory of a process and its children, from /proc (Linux).

The scheduler's own run time counts user and system time in nanoseconds. A child that ended between two readings is
missing from the second; the servers measured here keep their processes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

PROC = Path("/proc")


class Meter:
    """Reads the process tree under one process id."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def cpu(self) -> float:
        """User and system time of all threads so far, in microseconds."""
        return sum(_thread_nanoseconds(pid) for pid in family(self.pid)) / 1000

    def memory(self) -> float:
        """Resident memory in MiB; pages that processes share are counted once."""
        return sum(_proportional_kib(pid) for pid in family(self.pid)) / 1024


def family(pid: int) -> Iterator[int]:
    """A process and all its descendants."""
    yield pid
    for task in _tasks(pid):
        with contextlib.suppress(OSError):
            for child in (task / "children").read_text().split():
                yield from family(int(child))


def _tasks(pid: int) -> list[Path]:
    try:
        return list((PROC / str(pid) / "task").iterdir())
    except OSError:  # it has ended
        return []


def _thread_nanoseconds(pid: int) -> int:
    total = 0
    for task in _tasks(pid):
        with contextlib.suppress(OSError):
            total += int((task / "schedstat").read_text().split()[0])
    return total


def _proportional_kib(pid: int) -> int:
    with contextlib.suppress(OSError):
        for line in (PROC / str(pid) / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0
