"""A test named test_07_... gets the idiom of that number as its script."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from openpy.testing.script import Script
from tests.language.excerpts import FILES, missing, script_of


@pytest.fixture
def idiom(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Script]:
    """The script of an idiom; the test is expected to fail where a module of it is missing."""
    number = request.node.originalname.split("_")[1]
    (path,) = (path for path in FILES if path.stem.startswith(f"{number}-"))
    if absent := missing(path):
        pytest.xfail(f"this version has no {', '.join(sorted(absent))}")
    with Script(script_of(path, tmp_path), folder=tmp_path) as script:
        yield script
