"""Keeps many requests outstanding at a server that may die at any moment."""

from __future__ import annotations

import random
import time
from abc import ABC, abstractmethod
from typing import Any, Generic, TypeVar

from tests.scenarios.process import ServerProcess
from tests.scenarios.wire import Phone

T = TypeVar("T")

WINDOW = 48
"""How many requests are kept outstanding, if nothing else is said."""

PATIENCE = 15.0
"""How long a server on a busy machine may take for the answers without which a run means nothing, in seconds."""


class Outstanding(ABC, Generic[T]):
    """The requests of one phone, and what is known of each; `broken` says which promises were."""

    def __init__(self, phone: Phone, seed: int) -> None:
        self.phone = phone
        self.random = random.Random(seed)
        self.broken: list[str] = []
        self._outstanding: dict[str, T] = {}

    @property
    def outstanding(self) -> int:
        return len(self._outstanding)

    def run(self, seconds: float, window: int = WINDOW) -> None:
        """Keep `window` requests outstanding for a while, and until as many have been answered."""
        end = time.monotonic() + seconds
        answered = 0
        while (now := time.monotonic()) < end or answered < window:
            assert now < end + PATIENCE, f"{answered} answers in {seconds + PATIENCE} s"
            self.burst(window - self.outstanding)
            answered += self._read(0.005)

    def burst(self, count: int) -> None:
        """Send so many requests and wait for nothing."""
        for _ in range(count):
            self._ask()

    def cut(self) -> int:
        """The server is dead: take in what it still said; how many requests stay without an answer."""
        while self._read(0.02):
            pass
        count = self.outstanding
        self._outstanding.clear()
        return count

    @abstractmethod
    def _ask(self) -> None:
        """Send one request by chance."""

    @abstractmethod
    def _read(self, patience: float) -> bool:
        """Take in what comes within so many seconds; False: nothing did."""


def strike(
    server: ServerProcess, load: Outstanding[Any], moment: random.Random, *, window: int, burst: int
) -> int:
    """Load the server, kill it at a random moment; how many requests were outstanding."""
    load.run(moment.uniform(0.02, 0.08), window)
    load.burst(burst)
    time.sleep(moment.uniform(0, 0.002))
    server.kill()
    return load.cut()
