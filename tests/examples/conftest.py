"""A folder as a user has it who took the scripts of examples/ with him."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.authority import Authority
from tests.conftest import ROOT
from tests.scenarios.conftest import Launch, launcher

EXAMPLES = sorted(path.name for path in (ROOT / "examples").glob("*.cfg"))

FULL = (ROOT / "examples" / "openser-full.cfg").read_text()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The scripts, and a place for what they keep."""
    for name in EXAMPLES:
        shutil.copy(ROOT / "examples" / name, tmp_path)
    (tmp_path / "var").mkdir()
    return tmp_path


@pytest.fixture
def certified(folder: Path, authority: Authority) -> Path:
    """The same with the certificates of openser-full.cfg, made as it says."""
    (command,) = re.findall(r"^#   (examples/tls/make-ca\.sh) (.*)$", FULL, re.M)
    path, arguments = command
    subprocess.run([ROOT / path, *arguments.split()], cwd=folder, check=True, timeout=30, env=os.environ)
    return folder


@pytest.fixture
def launch(folder: Path) -> Iterator[Launch]:
    """Start servers in that folder."""
    with ExitStack() as stack:
        yield launcher(folder, stack)
