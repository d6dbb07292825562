"""What the fuzzer begins with and what it found is replayed: no fuzzer is needed for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from fuzz import FOLDER, TARGETS, check_of, inputs

FILES = [(target, path) for target in TARGETS for path in inputs(target)]


@pytest.mark.timeout(10)
@pytest.mark.parametrize(("target", "path"), FILES, ids=lambda item: getattr(item, "name", item))
def test_replay(target: str, path: Path) -> None:
    check_of(target)(path.read_bytes())


@pytest.mark.parametrize("target", TARGETS)
def test_each_target_has_something_to_begin_with(target: str) -> None:
    assert len([path for path in inputs(target) if path.parent.parent.name == "corpus"]) >= 3


def test_every_file_belongs_to_a_target() -> None:
    folders = {path.name for kind in ("corpus", "regressions") for path in (FOLDER / kind).glob("*")}
    assert folders <= set(TARGETS)
