"""Runs tests against a copy of the source, with a mutant in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

COPIED = ("openpy", "tests", "pyproject.toml")
LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.so", ".*")
"""Compiled modules would be imported instead of the mutant."""


def copy(root: Path, target: Path) -> None:
    """Copy what is tested, and the tests."""
    for name in COPIED:
        if (root / name).is_dir():
            shutil.copytree(root / name, target / name, ignore=LEFT_OUT)
        else:
            shutil.copy(root / name, target / name)


def broken_seed(folder: Path, seeds: int) -> str:
    """The first of so many seeds of the simulation that breaks a promise in a copy, in its words; "" if none does."""
    run = _run(folder, "tests.simulation", "--seeds", str(seeds), "--jobs", "1", "--first-broken")
    if run.returncode == 0:
        return ""
    told = [line for line in run.stdout.splitlines() if line.startswith("seed ")]
    return told[0] if told else f"the simulation ends with {run.stderr.strip()[-300:]}"


def failed_test(folder: Path, tests: Iterable[str]) -> str:
    """The first of these tests that fails in a copy; "" if none does."""
    run = _run(folder, "pytest", "-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *tests)
    if run.returncode == 0:
        return ""
    failed = [line for line in run.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return failed[0].partition(" - ")[0] if failed else f"pytest ends with {run.stdout.strip()[-300:]}"


def _run(folder: Path, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OPENPY_")}
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
