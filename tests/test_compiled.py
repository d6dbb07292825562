"""The compiled build: what the list names is there, and a test and the servers that it starts run the same build."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import COMPILED, compiled_modules, is_extension


@pytest.mark.parametrize("name", compiled_modules())
def test_the_build_in_use_is_the_one_that_was_asked_for(name: str) -> None:
    assert is_extension(importlib.import_module(name)) is COMPILED


def test_a_process_that_a_test_starts_runs_the_same_build(root: Path, tmp_path: Path) -> None:
    name = compiled_modules()[0]
    told = subprocess.run(
        [sys.executable, "-c", f"import {name}; print({name}.__file__)"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.strip() == importlib.import_module(name).__file__
    assert Path(told.stdout).is_relative_to(root)
