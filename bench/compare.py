"""`python -m bench.compare`: openpy beside other servers, measured by an external harness, turn and turn about.

The harness is a program that takes `--label --server-cmd --procs --port --workdir --scenarios --repeat --limit
--window --quiesce --out`, starts the server itself and writes JSON with the rows of each run. Each round measures
every contender once, so that a busy minute of the machine falls on all of them.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.server import ADAPTER

RESULTS = Path(__file__).resolve().parent / "results"
OPENPY = "openpy"
RESENT_LIMIT = 0.001  # retransmissions per operation from which a figure is no result

Figures = dict[str, Any]  # one row of the harness's output


@dataclass(frozen=True, slots=True)
class Contender:
    """A server to measure."""

    label: str
    command: str
    processes: int = 1


@dataclass(frozen=True, slots=True)
class Cell:
    """One scenario of one contender, over all rounds."""

    cpu_us: float  # median; of the server and of a database server together
    late_us: float  # median of what it put off until after the phase
    cpu_us_range: tuple[float, float]
    fault: str  # why it is no result; "" if it is one


@dataclass(slots=True)
class Comparison:
    """All rounds of all contenders: per label, one list of rows a round."""

    rounds: dict[str, list[list[Figures]]] = field(default_factory=dict)

    def scenarios(self) -> list[str]:
        """In the order of their first appearance."""
        rows = (row for rounds in self.rounds.values() for rows in rounds for row in rows)
        return list(dict.fromkeys(row["scenario"] for row in rows))

    def cell(self, label: str, scenario: str) -> Cell | None:
        """The medians; None if it was never measured."""
        rounds = self.rounds.get(label, [])
        rows = [row for rows in rounds for row in rows if row["scenario"] == scenario]
        if not rows:
            return None
        faults = [fault(row) for row in rows] + ["missing in a round"] * (len(rows) < len(rounds))
        cpu = [row.get("cpu_us", 0.0) + row.get("db_cpu_us", 0.0) for row in rows]
        late = [row.get("late_us", 0.0) + row.get("db_late_us", 0.0) for row in rows]
        return Cell(
            statistics.median(cpu),
            statistics.median(late),
            (min(cpu), max(cpu)),
            next(filter(None, faults), ""),
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns 1 if any figure is no result."""
    options = _parser().parse_args(arguments)
    if not options.harness:
        print("bench.compare: name the harness: --harness FILE or OPENPY_BENCH=FILE", file=sys.stderr)
        return 2
    harness = Path(options.harness).resolve()
    contenders = [_openpy(), *(options.peer or known_peers(harness))]
    comparison = Comparison({one.label: [] for one in contenders})
    with tempfile.TemporaryDirectory(prefix="openpy-compare-", ignore_cleanup_errors=True) as folder:
        for number in range(1, options.repeat + 1):
            for contender in contenders:
                print(f"round {number}: {contender.label}", file=sys.stderr, flush=True)
                rows = measure(harness, contender, options, Path(folder))
                comparison.rounds[contender.label].append(rows)
    text = table(comparison)
    print(text)
    write(options.out, comparison, text, options)
    return 1 if "(no result: " in text else 0


def measure(harness: Path, contender: Contender, options: argparse.Namespace, folder: Path) -> list[Figures]:
    """One run of the harness, tried again once if a server did not start; raises CalledProcessError."""
    try:
        return _run(harness, contender, options, folder)
    except subprocess.CalledProcessError as error:
        print(f"{contender.label}: {error}; once more", file=sys.stderr, flush=True)
        return _run(harness, contender, options, folder)


def _run(harness: Path, contender: Contender, options: argparse.Namespace, folder: Path) -> list[Figures]:
    out = folder / f"{contender.label}-{time.monotonic_ns()}.json"
    command = [sys.executable, harness, "--label", contender.label, "--server-cmd", contender.command]
    command += ["--procs", contender.processes, "--port", options.port, "--workdir", folder, "--out", out]
    command += ["--scenarios", options.scenarios, "--repeat", 1, "--limit", options.limit]
    command += ["--window", options.window, "--quiesce", options.quiesce]
    subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)
    rows: list[Figures] = json.loads(out.read_text())["runs"][0]
    return rows


def fault(row: Figures) -> str:
    """Why a row is no result; "" if it is one."""
    if row.get("error"):
        return str(row["error"])
    if not row.get("ops"):
        return "no operations"
    if row.get("errors"):
        return f"{row['errors']} errors"
    if row.get("retransmissions", 0) > RESENT_LIMIT * row["ops"]:
        return f"{row['retransmissions']} retransmissions"
    return ""


def table(comparison: Comparison) -> str:
    """A Markdown table: CPU microseconds of each contender, then the ratio of openpy to each peer."""
    labels = list(comparison.rounds)
    peers = [label for label in labels if label != OPENPY]
    heads = ["scenario", *(f"{label} us" for label in labels), *(f"{OPENPY} / {peer}" for peer in peers)]
    lines = ["| " + " | ".join(heads) + " |", "|---|" + "---:|" * (len(heads) - 1)]
    for scenario in comparison.scenarios():
        cells = {label: comparison.cell(label, scenario) for label in labels}
        own = cells[OPENPY]
        ratios = [_ratio(own, cells[peer]) for peer in peers]
        lines.append(
            "| " + " | ".join([scenario, *(_text(cells[label]) for label in labels), *ratios]) + " |"
        )
    return "\n".join(lines) + "\n"


def write(path: Path | None, comparison: Comparison, text: str, options: argparse.Namespace) -> None:
    """All runs as JSON, and the table beside it."""
    path = path or RESULTS / time.strftime("compare-%Y%m%d-%H%M.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    about = {"limit": options.limit, "window": options.window, "quiesce": options.quiesce}
    about |= {"repeat": options.repeat, "cpus": os.cpu_count(), "load_at_the_end": os.getloadavg()[0]}
    document = {"time": time.strftime("%Y-%m-%d %H:%M:%S"), "about": about, "rounds": comparison.rounds}
    path.write_text(json.dumps(document, indent=1) + "\n")
    path.with_suffix(".md").write_text(text)


def known_peers(harness: Path) -> list[Contender]:
    """Kamailio in memory and on SQLite with write-through, if the harness brings an adapter for it."""
    runner = harness.parent / "peers" / "kamailio" / "run.py"
    if not runner.exists():
        return []
    command = f"{shlex.quote(sys.executable)} {shlex.quote(str(runner))} --malloc fm"
    command += " --port {port} --workdir {workdir} --procs {procs} --mode "
    return [
        Contender("kamailio-mem", command + "mem", 2),
        Contender("kamailio-sqlitewal-wt", command + "sqlitewal-wt", 1),  # its SQLite driver bears one writer
    ]


def _openpy() -> Contender:
    command = (
        f"{shlex.quote(sys.executable)} {shlex.quote(str(ADAPTER))} --port {{port}} --workdir {{workdir}}"
    )
    return Contender(OPENPY, command)


def _text(cell: Cell | None) -> str:
    if cell is None:
        return ""
    if cell.fault:
        return f"{cell.cpu_us:.1f} (no result: {cell.fault})"
    late = f" + {cell.late_us:.1f} late" if cell.late_us else ""
    return f"{cell.cpu_us:.1f}{late} ({cell.cpu_us_range[0]:.1f}-{cell.cpu_us_range[1]:.1f})"


def _ratio(own: Cell | None, peer: Cell | None) -> str:
    if own is None or peer is None or own.fault or peer.fault or not peer.cpu_us:
        return ""
    return f"{own.cpu_us / peer.cpu_us:.2f}"


def _peer(text: str) -> Contender:
    label, equals, command = text.partition("=")
    label, _, processes = label.partition(":")
    if not equals or not label or not (processes or "1").isdigit():
        raise argparse.ArgumentTypeError("write LABEL[:PROCESSES]=COMMAND")
    return Contender(label, command, int(processes or 1))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m bench.compare",
        description="Measure openpy and its peers in turns, by an external harness.",
    )
    parser.add_argument("--harness", default=os.environ.get("OPENPY_BENCH"), help="default: $OPENPY_BENCH")
    parser.add_argument(
        "--peer",
        type=_peer,
        action="append",
        metavar="LABEL[:PROCESSES]=COMMAND",
        help="a server to compare with (repeatable); default: those that the harness brings",
    )
    parser.add_argument("--scenarios", default="options,presence,fanout")
    parser.add_argument("--repeat", type=int, default=3, help="rounds (default: 3)")
    parser.add_argument("--limit", type=float, default=4.0, help="longest seconds of a phase (default: 4)")
    parser.add_argument("--window", type=int, default=32, help="requests in flight (default: 32)")
    parser.add_argument(
        "--quiesce", type=float, default=7.0, help="seconds to wait for work put off (default: 7)"
    )
    parser.add_argument("--port", type=int, default=5230)
    parser.add_argument("--out", type=Path, help="default: bench/results/compare-DATE.json")
    return parser


if __name__ == "__main__":
    sys.exit(main())
