"""What the C allocator holds: 1.3's statistics of the group `shmem`, so that what reads them goes on.

Python's own small objects are not in it (`core:live_objects` counts them); messages, tables, SQLite and libxml2 are.
"""

from __future__ import annotations

import ctypes
import resource
from collections.abc import Callable, Iterator
from functools import partial


class _Mallinfo(ctypes.Structure):
    """glibc's `struct mallinfo2`, mallinfo(3)."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
            *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
        )
    )

    arena: int
    ordblks: int
    hblkhd: int
    uordblks: int
    fordblks: int


_MEANINGS: dict[str, Callable[[_Mallinfo], int]] = {
    "total_size": lambda held: held.arena + held.hblkhd,
    "used_size": lambda held: held.uordblks + held.hblkhd,
    "real_used_size": lambda held: held.uordblks + held.hblkhd,  # what is used is counted with its overhead
    "free_size": lambda held: held.fordblks,
    "fragments": lambda held: held.ordblks,
}


def gauges() -> Iterator[tuple[str, Callable[[], int]]]:
    """Name and reader of each statistic, in octets.

    `max_used_size` is the most that the whole process has had in memory. The others are there with glibc from 2.33 on.
    """
    mallinfo = getattr(ctypes.CDLL(None), "mallinfo2", None)
    if mallinfo is not None:
        mallinfo.restype = _Mallinfo
        for name, meaning in _MEANINGS.items():
            yield name, partial(_read, mallinfo, meaning)
    yield "max_used_size", largest_resident


def _read(mallinfo: Callable[[], _Mallinfo], meaning: Callable[[_Mallinfo], int]) -> int:
    return meaning(mallinfo())


def largest_resident() -> int:
    """The most octets that the process has had in memory."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
