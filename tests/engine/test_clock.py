from __future__ import annotations

import time

from openpy.engine.clock import Clock


def test_both_clocks_are_the_systems() -> None:
    clock = Clock()
    assert abs(clock.monotonic() - time.monotonic()) < 1
    assert abs(clock.wall() - time.time()) < 1
    assert clock.monotonic() <= clock.monotonic()
