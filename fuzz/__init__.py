"""Fuzzing: hostile bytes for every parser, and what must hold for them all.

Rules:
1. A target is a file with one function, `check(data)`. It returns for whatever is right, refused input included; what
   it raises is a defect.
2. A target is free of I/O beyond this process, and the same for the same bytes: a finding can be replayed.
3. fuzz/corpus/TARGET holds small inputs of our own to begin with; fuzz/regressions/TARGET one input for each defect
   that was found. tests/fuzzing replays both, without a fuzzer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

FOLDER = Path(__file__).parent
TARGETS = (
    *("message", "stream", "headers", "digest", "pidf", "script", "mi"),
    *("credentials", "routes", "register"),
)


def check_of(target: str) -> Callable[[bytes], None]:
    """The function of a target."""
    check: Callable[[bytes], None] = import_module(f"fuzz.{target}").check
    return check


def inputs(target: str) -> Iterator[Path]:
    """The files of a target: what it begins with, and what was found."""
    for kind in ("corpus", "regressions"):
        yield from sorted((FOLDER / kind / target).glob("*"))
