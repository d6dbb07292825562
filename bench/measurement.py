"""One measured phase: what was done, what it cost the server, how it went."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.generator import Tally
from bench.meter import Meter


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of one scenario."""

    scenario: str
    operation: str  # what one operation is
    operations: int
    cpu_us: float  # CPU microseconds of the server's processes per operation
    per_second: float
    p50_ms: float
    p99_ms: float
    errors: int
    refused: dict[str, int]  # final responses other than 2xx, by code
    retransmissions: int  # by the generator
    memory_mib: float  # of the server's processes, after the phase
    load: float  # the machine's load average over one minute


def measure(meter: Meter, scenario: str, operation: str, phase: Callable[[], Tally]) -> Row:
    """Run a phase; `succeeded` of its tally counts operations."""
    before = meter.cpu()
    tally = phase()
    cpu = meter.cpu() - before
    operations = max(1, tally.succeeded)
    return Row(
        scenario=scenario,
        operation=operation,
        operations=tally.succeeded,
        cpu_us=round(cpu / operations, 2),
        per_second=round(tally.succeeded / max(tally.elapsed, 1e-9), 1),
        p50_ms=round(percentile(tally.latencies, 50) * 1000, 3),
        p99_ms=round(percentile(tally.latencies, 99) * 1000, 3),
        errors=tally.errors,
        refused=tally.refused,
        retransmissions=tally.retransmissions,
        memory_mib=round(meter.memory(), 1),
        load=round(os.getloadavg()[0], 2),
    )


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that `percent` of the values do not exceed; 0 for no values."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[max(0, -int(-len(ordered) * percent // 100) - 1)]
