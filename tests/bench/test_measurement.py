from __future__ import annotations

import os
import time

import pytest

from bench.generator import Tally
from bench.measurement import measure, percentile
from bench.meter import Meter


def test_cpu_is_told_per_operation() -> None:
    def phase() -> Tally:
        until = time.process_time() + 0.05
        while time.process_time() < until:
            pass
        return Tally(succeeded=10, refused={"412": 2}, lost=1, latencies=[0.001, 0.002], elapsed=0.5)

    row = measure(Meter(os.getpid()), "name", "thing", phase)
    assert row.cpu_us >= 4000
    assert (row.operations, row.per_second, row.errors) == (10, 20.0, 3)
    assert (row.p50_ms, row.p99_ms) == (1.0, 2.0)


@pytest.mark.parametrize(("percent", "expected"), [(1, 1), (50, 50), (99, 99), (100, 100)])
def test_percentiles(percent: float, expected: int) -> None:
    assert percentile(range(100, 0, -1), percent) == expected


def test_no_values_have_no_percentile() -> None:
    assert percentile([], 50) == 0
