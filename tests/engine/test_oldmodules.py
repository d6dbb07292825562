from __future__ import annotations

from pathlib import Path

import pytest

from openpy.engine.modulefinder import module_names
from openpy.engine.oldmodules import NOT_BUILT, REPLACED, absent


def test_each_module_of_1_3_is_there_or_told_why_not(root: Path) -> None:
    assert not set(NOT_BUILT) & set(REPLACED)
    assert not set(REPLACED) & set(module_names())
    assert len(set(NOT_BUILT) | set(REPLACED) | set(module_names())) >= 80


@pytest.mark.parametrize(
    ("name", "reason", "hint"),
    [
        ("rls", "rls is not built into this version yet", "it serves resource lists"),
        ("osp", "osp is not part of openpy", "write what it did as a module in Python: docs/developer.md"),
        ("uri_radius", "uri_radius is not part of openpy", "uri_db looks"),
    ],
)
def test_absent(name: str, reason: str, hint: str) -> None:
    found = absent(name)
    assert found is not None
    assert found[0] == reason
    assert found[1].startswith(hint)


def test_what_1_3_never_had() -> None:
    assert absent("htable") is None
