"""What the figures look like: medians over repeats, a table for people, JSON for machines."""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.measurement import Row

COLUMNS = (
    ("scenario", "<18"),
    ("operation", "<18"),
    ("CPU us", ">8"),
    ("range", ">15"),
    ("per second", ">10"),
    ("p50 ms", ">8"),
    ("p99 ms", ">8"),
    ("errors", ">6"),
    ("resent", ">6"),
    ("MiB", ">6"),
)


@dataclass(frozen=True, slots=True)
class Summary:
    """One scenario over all repeats: medians, but errors and retransmissions added up."""

    scenario: str
    operation: str
    cpu_us: float
    cpu_us_range: tuple[float, float]
    per_second: float
    p50_ms: float
    p99_ms: float
    errors: int
    retransmissions: int
    memory_mib: float


def summarize(rows: Sequence[Row]) -> list[Summary]:
    """The rows of all repeats, by scenario, in the order of their first appearance."""
    by_scenario: dict[str, list[Row]] = {}
    for row in rows:
        by_scenario.setdefault(row.scenario, []).append(row)
    return [_summary(found) for found in by_scenario.values()]


def table(summaries: Sequence[Summary]) -> str:
    """A table for the terminal; a cost with errors is no result, and is left out."""
    lines = [" ".join(f"{name:{width}}" for name, width in COLUMNS)]
    for one in summaries:
        cells: tuple[str, ...] = (
            one.scenario,
            one.operation,
            "-" if one.errors else f"{one.cpu_us:.1f}",
            "-" if one.errors else f"{one.cpu_us_range[0]:.1f}-{one.cpu_us_range[1]:.1f}",
            f"{one.per_second:.0f}",
            f"{one.p50_ms:.2f}",
            f"{one.p99_ms:.2f}",
            str(one.errors),
            str(one.retransmissions),
            f"{one.memory_mib:.0f}",
        )
        lines.append(" ".join(f"{cell:{width}}" for cell, (_, width) in zip(cells, COLUMNS, strict=True)))
    return "\n".join(line.rstrip() for line in lines)


def write_json(path: Path, rows: Sequence[Row], about: dict[str, Any]) -> None:
    """All rows and their summaries, with what one must know to compare them."""
    machine = {"cpus": os.cpu_count(), "machine": platform.machine(), "python": platform.python_version()}
    document = {
        "about": {**about, **machine, "time": time.strftime("%Y-%m-%d %H:%M:%S")},
        "summaries": [asdict(one) for one in summarize(rows)],
        "rows": [asdict(row) for row in rows],
    }
    path.write_text(json.dumps(document, indent=1) + "\n")


def _summary(rows: Sequence[Row]) -> Summary:
    cpu = [row.cpu_us for row in rows]
    return Summary(
        scenario=rows[0].scenario,
        operation=rows[0].operation,
        cpu_us=statistics.median(cpu),
        cpu_us_range=(min(cpu), max(cpu)),
        per_second=statistics.median(row.per_second for row in rows),
        p50_ms=statistics.median(row.p50_ms for row in rows),
        p99_ms=statistics.median(row.p99_ms for row in rows),
        errors=sum(row.errors for row in rows),
        retransmissions=sum(row.retransmissions for row in rows),
        memory_mib=statistics.median(row.memory_mib for row in rows),
    )
