from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.compare import Comparison, fault, known_peers, main, table

HARNESS = """
import json, pathlib, sys
given = dict(zip(sys.argv[1::2], sys.argv[2::2]))
seen = pathlib.Path(__file__).with_name("seen")
order = seen.read_text() if seen.exists() else ""
seen.write_text(order + given["--label"] + given["--procs"] + " ")
cost = 30.0 if given["--label"] == "openpy" else 15.0
row = {"scenario": "options", "ops": 10, "cpu_us": cost, "db_cpu_us": 0.0, "errors": int("bad" in given["--label"])}
pathlib.Path(given["--out"]).write_text(json.dumps({"runs": [[row]]}))
"""


@pytest.fixture
def harness(tmp_path: Path) -> Path:
    path = tmp_path / "harness.py"
    path.write_text(HARNESS)
    return path


def test_contenders_take_turns(harness: Path, tmp_path: Path) -> None:
    out = tmp_path / "results" / "out.json"
    arguments = [
        "--harness",
        str(harness),
        "--peer",
        "other:2=serve {port}",
        "--repeat",
        "2",
        "--out",
        str(out),
    ]
    assert main(arguments) == 0
    assert harness.with_name("seen").read_text().split() == ["openpy1", "other2", "openpy1", "other2"]
    assert len(json.loads(out.read_text())["rounds"]["openpy"]) == 2
    assert "| options | 30.0 (30.0-30.0) | 15.0 (15.0-15.0) | 2.00 |" in out.with_suffix(".md").read_text()


def test_a_figure_with_errors_gives_no_ratio(harness: Path, tmp_path: Path) -> None:
    arguments = [
        "--harness",
        str(harness),
        "--peer",
        "bad=serve",
        "--repeat",
        "1",
        "--out",
        str(tmp_path / "o.json"),
    ]
    assert main(arguments) == 1
    assert "| 15.0 (no result: 1 errors) |  |" in (tmp_path / "o.md").read_text()


def test_without_a_harness_it_says_what_to_give(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("OPENPY_BENCH", raising=False)
    assert main([]) == 2
    assert "OPENPY_BENCH" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"ops": 5000, "errors": 0, "retransmissions": 5}, ""),
        ({"ops": 5000, "errors": 0, "retransmissions": 6}, "6 retransmissions"),
        ({"ops": 0}, "no operations"),
        ({"ops": 0, "error": "only 3 of 10 subscriptions"}, "only 3 of 10 subscriptions"),
    ],
)
def test_what_is_no_result(row: dict[str, object], expected: str) -> None:
    assert fault(row) == expected


def test_a_row_missing_in_one_round_is_no_result() -> None:
    row = {"scenario": "options", "ops": 1, "cpu_us": 1.0}
    comparison = Comparison({"openpy": [[row], []], "other": [[row], [row]]})
    assert "missing in a round" in table(comparison)


def test_peers_that_the_harness_brings_are_known(tmp_path: Path) -> None:
    assert known_peers(tmp_path / "bench.py") == []
    runner = tmp_path / "peers" / "kamailio" / "run.py"
    runner.parent.mkdir(parents=True)
    runner.touch()
    assert [peer.processes for peer in known_peers(tmp_path / "bench.py")] == [2, 1]


def test_a_peer_has_a_label_and_a_command(harness: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--harness", str(harness), "--peer", "serve"])
    assert "LABEL" in capsys.readouterr().err
