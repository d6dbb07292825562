from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from bench.measurement import Row
from bench.report import summarize, table, write_json

ROW = Row("options", "OPTIONS", 1000, 20.0, 50_000.0, 1.0, 2.0, 0, {}, 0, 30.0, 0.5)
ROWS = [
    ROW,
    replace(ROW, scenario="fan-out-10"),
    replace(ROW, cpu_us=40.0, errors=1),
    replace(ROW, cpu_us=21.0),
]


def test_a_summary_is_the_median_but_keeps_every_error() -> None:
    options, fan_out = summarize(ROWS)
    assert options.scenario == "options"
    assert options.cpu_us == 21.0
    assert options.cpu_us_range == (20.0, 40.0)
    assert options.errors == 1
    assert fan_out.cpu_us == 20.0


def test_the_table_has_a_line_for_each_scenario() -> None:
    head, *lines = table(summarize(ROWS)).splitlines()
    assert head.split()[:2] == ["scenario", "operation"]
    assert lines[0].split() == ["options", "OPTIONS", "-", "-", "50000", "1.00", "2.00", "1", "0", "30"]
    assert lines[1].split()[2:4] == ["20.0", "20.0-20.0"]
    assert len(lines) == 2


def test_json_keeps_every_row(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    write_json(path, ROWS, {"window": 64})
    document = json.loads(path.read_text())
    assert document["about"]["window"] == 64
    assert [row["cpu_us"] for row in document["rows"]] == [20.0, 20.0, 40.0, 21.0]
    assert document["summaries"][0]["cpu_us"] == 21.0
