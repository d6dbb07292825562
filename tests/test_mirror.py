"""The tests mirror the package: each file has its test file, which covers it on its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from coverage import Coverage, CoverageData

LEAST = 85  # per cent of a file's statements that its own test file runs

WITHOUT_TEST = {"__init__.py", "__main__.py"}
"""Docstrings, and the one line that makes `python -m openpy` the command."""


def own_test(root: Path, path: Path) -> Path:
    """openpy/a/b.py -> tests/a/test_b.py"""
    relative = path.relative_to(root / "openpy")
    return root / "tests" / relative.parent / f"test_{relative.name}"


def package_files(root: Path) -> list[Path]:
    return sorted(path for path in (root / "openpy").rglob("*.py") if path.name not in WITHOUT_TEST)


def test_every_file_has_its_test_file(root: Path) -> None:
    missing = [str(own_test(root, path)) for path in package_files(root) if not own_test(root, path).exists()]
    assert not missing


def test_every_test_file_of_the_mirror_has_its_file(root: Path) -> None:
    packages = [
        path.name for path in (root / "openpy").iterdir() if path.is_dir() and path.name != "__pycache__"
    ]
    tests = [path for package in packages for path in (root / "tests" / package).rglob("test_*.py")]
    expected = {own_test(root, path) for path in package_files(root)}
    assert not sorted(str(path) for path in tests if path not in expected)


@pytest.mark.pure
@pytest.mark.long
@pytest.mark.timeout(900)
def test_every_test_file_covers_its_own_file(root: Path, tmp_path: Path) -> None:
    data_file = tmp_path / "coverage"
    folders = sorted({str(own_test(root, path).parent) for path in package_files(root)})
    top = [folder for folder in folders if not any(Path(other) in Path(folder).parents for other in folders)]
    run = subprocess.run(
        [
            *(sys.executable, "-m", "coverage", "run", "--source", "openpy", "-m", "pytest"),
            *("-p", "no:cacheprovider", "-p", "no:xdist", "--timeout", "300", *top),
        ],
        cwd=root,
        env={**os.environ, "COVERAGE_FILE": str(data_file), "OPENPY_COVERAGE_CONTEXTS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-2000:]
    data = CoverageData(str(data_file))
    data.read()
    coverage = Coverage(data_file=None)
    short = {}
    for path in package_files(root):
        _, statements, _, _, _ = coverage.analysis2(str(path))
        covered = executed(data, path, own_test(root, path))
        share = 100 * len(covered & set(statements)) / len(statements) if statements else 100
        if share < LEAST:
            short[str(path.relative_to(root))] = f"{share:.0f} %"
    assert not short


def executed(data: CoverageData, path: Path, test: Path) -> set[int]:
    """The lines of a file that its own test ran; lines that run at import time count for everybody."""
    contexts = data.contexts_by_lineno(str(path))
    return {line for line, names in contexts.items() if str(test) in names or "" in names}
