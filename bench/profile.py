"""`python -m bench.profile`: where the microseconds of one operation go, by function."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shlex
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.adapter import SCRIPT
from bench.generator import Generator
from bench.measurement import Row
from bench.sampler import METHODS, Spent
from bench.scenarios import SCENARIOS, Conditions, Stand
from bench.server import OPENPY, Server

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 10.0  # seconds until a profile is written


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(
        "python -m bench.profile", description="Where the microseconds of one operation go."
    )
    parser.add_argument("scenario", choices=list(SCENARIOS))
    parser.add_argument("--phase", help="only this row of the scenario, such as publish-refresh")
    parser.add_argument("--method", choices=list(METHODS), default="sample", help="default: sample")
    parser.add_argument("--top", type=int, default=30, help="functions (default: 30)")
    parser.add_argument("--limit", type=float, default=4.0, help="longest seconds of a phase (default: 4)")
    parser.add_argument("--window", type=int, default=Conditions().window)
    parser.add_argument("--users", type=int, default=Conditions().users, help="default: 10000")
    parser.add_argument("--rounds", type=int, default=100, help="times each user comes again (default: 100)")
    parser.add_argument("--script", type=Path, default=SCRIPT, help="default: bench/openpy.cfg")
    options = parser.parse_args(arguments)
    conditions = Conditions(options.window, options.limit, options.users, options.rounds)
    for row, found in profile(options.scenario, conditions, options.method, options.script):
        if options.phase in (None, row.scenario):
            print(listing(row, found, options.top), flush=True)
    return 0


def profile(
    scenario: str, conditions: Conditions, method: str = "sample", script: Path = SCRIPT
) -> Iterator[tuple[Row, list[Spent]]]:
    """Each row of a scenario, with what its phase spent in the server."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(Server(_command(method, script)))
        generator = stack.enter_context(Generator(server.address))
        path = server.workdir / "profile.json"

        @contextlib.contextmanager
        def profiled(_: str) -> Iterator[None]:
            path.unlink(missing_ok=True)
            os.kill(server.pid, signal.SIGUSR2)
            time.sleep(0.1)
            yield
            os.kill(server.pid, signal.SIGUSR2)
            _await(path)

        for row in SCENARIOS[scenario](Stand(generator, server.meter, conditions, profiled)):
            yield row, [Spent(**one) for one in json.loads(path.read_text())]


def listing(row: Row, found: Sequence[Spent], top: int) -> str:
    """The functions that spent most, then the files, in microseconds per operation."""
    operations = max(1, row.operations)
    lines = [
        f"{row.scenario}: {row.cpu_us:.1f} us for one {row.operation}, {row.operations} of them, {row.errors} errors",
        f"{'itself':>8} {'total':>8} {'calls':>7}  function",
    ]
    files: dict[str, float] = defaultdict(float)
    for one in sorted(found, key=lambda one: one.itself, reverse=True):
        file = _file(one)
        files[file] += one.itself
        calls = f"{one.calls / operations:.2f}" if one.calls else ""
        spent = f"{one.itself * 1e6 / operations:8.2f} {one.total * 1e6 / operations:8.2f} {calls:>7}"
        lines.append(f"{spent}  {file}:{one.line} {one.function}" if one.line else f"{spent}  {one.function}")
    del lines[top + 2 :]
    lines.append(f"{'itself':>8}  file")
    dearest = sorted(files.items(), key=lambda item: item[1], reverse=True)
    lines += [f"{spent * 1e6 / operations:8.2f}  {file}" for file, spent in dearest[:top]]
    return "\n".join(lines) + "\n"


def _command(method: str, script: Path) -> str:
    runner = f"-m bench.sampler {{workdir}}/profile.json {method}"
    return f"{OPENPY} --script {shlex.quote(str(script.resolve()))} --runner {shlex.quote(runner)}"


def _await(path: Path) -> None:
    until = time.monotonic() + PATIENCE
    while not path.exists():
        if time.monotonic() > until:
            raise TimeoutError(f"the server wrote no profile within {PATIENCE:g} s")
        time.sleep(0.02)


def _file(one: Spent) -> str:
    """Where a function is: from the repository's root, or by its name alone."""
    path = Path(one.file)
    if not one.line:
        return "(not Python)" if one.calls else one.function
    if path.is_relative_to(ROOT) and ".venv" not in path.parts:
        return str(path.relative_to(ROOT))
    return path.name


if __name__ == "__main__":
    sys.exit(main())
