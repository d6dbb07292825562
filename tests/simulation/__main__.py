"""`make simulate SEEDS=1000` runs many seeds, and says how to see again what broke. `SEED=7`: one, told in full."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from tests.simulation.simulation import Result, simulate

CHUNK = 5
LONG = 30.0
"""Seconds between two lines about how far it has come."""


def main() -> int:
    """Run what the command line asks for; 1 if a promise was broken."""
    parser = argparse.ArgumentParser(prog="make simulate", description=__doc__)
    parser.add_argument("--seed", type=int, help="run this one and print its transcript")
    parser.add_argument("--seeds", type=int, default=500, help="how many to run")
    parser.add_argument("--first", type=int, default=1, help="the first of them")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes")
    parser.add_argument(
        "--first-broken", action="store_true", help="end with the first that breaks a promise"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if options.seed is not None:
            return _tell(simulate(options.seed, Path(folder)))
        seeds = range(options.first, options.first + options.seeds)
        return _run(seeds, options.jobs, Path(folder), options.first_broken)


def _tell(result: Result) -> int:
    print("\n".join(result.transcript))
    print(f"seed {result.seed}: {result.broken or 'every promise was kept'}")
    return bool(result.broken)


def _run(seeds: range, jobs: int, folder: Path, first_broken: bool) -> int:
    begun = said = time.monotonic()
    broken: list[int] = []
    ends: Counter[int] = Counter()
    lives = notifies = 0
    simulate(seeds.start, folder)  # writes the script, once
    with ProcessPoolExecutor(jobs) as pool:
        for number, result in enumerate(pool.map(partial(_lean, folder=folder), seeds, chunksize=CHUNK), 1):
            lives, notifies = lives + result.lives, notifies + result.notifies
            ends += result.ends
            if result.broken:
                broken.append(result.seed)
                print(result, flush=True)
                if first_broken:
                    pool.shutdown(cancel_futures=True)
                    break
            if time.monotonic() - said > LONG:
                said = time.monotonic()
                print(
                    f"{number} of {len(seeds)} seeds, {len(broken)} broken, {said - begun:.0f} s", flush=True
                )
    print(
        f"{len(seeds)} seeds from {seeds.start}: {len(broken)} broken {broken or ''}; {lives} lives of the server, "
        f"{sum(ends.values())} requests ({ends[408]} without an answer), {notifies} NOTIFYs"
    )
    return bool(broken)


def _lean(seed: int, folder: Path) -> Result:
    """A result whose transcript is not sent between processes unless it is wanted."""
    result = simulate(seed, folder)
    if not result.broken:
        result.transcript.clear()
    return result


if __name__ == "__main__":
    sys.exit(main())
