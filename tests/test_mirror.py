"""The tests mirror the package: each file has its test file, which covers it on its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.recording import own_test

LEAST = 85
"""Per cent of a file's statements that its own test file runs."""

WITHOUT_TEST = {"__init__.py", "__main__.py"}
"""Docstrings, and the one line that makes `python -m openpy` the command."""


def package_files(root: Path) -> list[Path]:
    return sorted(path for path in (root / "openpy").rglob("*.py") if path.name not in WITHOUT_TEST)


def test_every_file_has_its_test_file(root: Path) -> None:
    missing = [str(own_test(path)) for path in package_files(root) if not own_test(path).exists()]
    assert not missing


def test_every_test_file_of_the_mirror_has_its_file(root: Path) -> None:
    packages = [
        path.name for path in (root / "openpy").iterdir() if path.is_dir() and path.name != "__pycache__"
    ]
    tests = [path for package in packages for path in (root / "tests" / package).rglob("test_*.py")]
    expected = {own_test(path) for path in package_files(root)}
    assert not sorted(str(path) for path in tests if path not in expected)


@pytest.mark.pure
@pytest.mark.long
@pytest.mark.timeout(900)
def test_every_test_file_covers_its_own_file(root: Path) -> None:
    packages = sorted({f"tests/{path.relative_to(root / 'openpy').parts[0]}" for path in package_files(root)})
    run = subprocess.run(
        [sys.executable, "-m", "tests.recording", str(LEAST), *packages],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-2000:]
    shares = json.loads(run.stdout.splitlines()[-1])
    assert shares.keys() == {str(path.relative_to(root)) for path in package_files(root)}
    assert not {path: f"{share:.1f} %" for path, share in shares.items() if share < LEAST}
