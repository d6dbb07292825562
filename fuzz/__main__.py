"""Runs targets under atheris: `python -m fuzz [TARGET ...] [--seconds 60] [--seed 1]`, or one input: `--replay FILE`.

The seconds are those of all targets together. What is found is kept in fuzz/regressions: mend the defect and keep the
file. What the fuzzer learns is kept in build/fuzz, and used by the next run.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from fuzz import FOLDER, TARGETS, check_of

LEARNT = FOLDER.parent / "build" / "fuzz"
LONGEST = 10
"""Seconds that one input may take."""


def main() -> int:
    """Run; 1 if something was found."""
    parser = argparse.ArgumentParser(prog="python -m fuzz")
    parser.add_argument("targets", nargs="*", choices=[[], *TARGETS], metavar="TARGET")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0, help="the same inputs each time; 0: others each time")
    parser.add_argument("--replay", type=Path)
    options = parser.parse_args()
    targets = options.targets or TARGETS
    if options.replay is not None:
        for target in targets:
            check_of(target)(options.replay.read_bytes())
        return 0
    seconds = max(options.seconds // len(targets), 1)
    ends = {target: _run(target, seconds, options.seed) for target in targets}
    for target, status in ends.items():
        if status != 0:
            print(f"fuzz: {target} ended with {status}: see fuzz/regressions/{target}", file=sys.stderr)
    return 1 if any(ends.values()) else 0


def _run(target: str, seconds: int, seed: int) -> int:
    """Run one target in a process of its own; its exit status, negative if a signal ended it."""
    folders = [LEARNT / target, FOLDER / "corpus" / target, FOLDER / "regressions" / target]
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
    print(f"fuzz: {target} for {seconds} s", flush=True)
    arguments = [
        *(sys.executable, "-m", "fuzz.guided", target, *map(str, folders)),
        *(
            f"-seed={seed}",
            f"-max_total_time={seconds}",
            f"-timeout={LONGEST}",
            "-rss_limit_mb=2048",
            "-max_len=4096",
        ),
        *(
            f"-artifact_prefix={folders[-1]}/",
            f"-dict={FOLDER / 'words'}",
            "-verbosity=0",
            "-print_final_stats=1",
        ),
    ]
    return subprocess.run(arguments, cwd=FOLDER.parent, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
