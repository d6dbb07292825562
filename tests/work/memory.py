"""The memory that the server keeps for one of each thing."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

from bench.generator import Step
from bench.messages import Presentity, Watcher
from bench.steps import bursts, publish, refresh, subscribe
from tests.work.house import AFTERMATH, House

ROOT = Path(__file__).parent.parent.parent

BURST = 100
MANY = 2_000
"""How many are made: tables grow in steps, which so many level out."""


def kept(house: House) -> dict[str, int]:
    """Bytes of each thing, all bookkeeping included.

    A publication; a subscription to somebody who publishes; one to somebody of whom nothing else is known; a
    transaction that was answered.
    """
    sender = house.sender
    publishers = [Presentity(sender, f"kept{number}") for number in range(MANY)]
    unknown = [Presentity(sender, f"unknown{number}") for number in range(MANY)]
    watchers = [Watcher(sender, f"known{number}", user) for number, user in enumerate(publishers)]
    alone = [Watcher(sender, f"alone{number}", user) for number, user in enumerate(unknown)]
    things: dict[str, Iterator[Step]] = {
        "publication": map(publish, publishers),
        "subscription": map(subscribe, watchers),
        "subscription-alone": map(subscribe, alone),
    }
    found = {}
    tracemalloc.start()
    try:
        for name, steps in things.items():
            before = _traced()
            _play(house, steps)
            house.pass_time(AFTERMATH)
            found[name] = (_traced() - before) // MANY
        before = _traced()
        _play(house, map(refresh, publishers))
        found["transaction"] = (_traced() - before) // MANY
    finally:
        tracemalloc.stop()
    return found


def _play(house: House, steps: Iterator[Step]) -> None:
    for burst in bursts(steps, BURST):
        house.play(burst)


def _traced() -> int:
    """The bytes that the server holds; the datagrams that it was given are its own from then on."""
    gc.collect()
    others = [
        tracemalloc.Filter(False, f"{folder}/*") for folder in (ROOT / "bench", ROOT / "tests" / "simulation")
    ]
    snapshot = tracemalloc.take_snapshot().filter_traces(others)
    return sum(statistic.size for statistic in snapshot.statistics("filename"))
