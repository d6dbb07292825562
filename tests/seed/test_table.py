"""docs/seed.md: every test that it names exists, and every item of the seed is in it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ITEM = re.compile(r"^(\d(?:\.\d+){1,2})\. (\w+)", re.M)


@pytest.fixture
def table(root: Path) -> str:
    return (root / "docs" / "seed.md").read_text()


def test_the_tests_exist(table: str, root: Path) -> None:
    named = re.findall(r"`([\w/]+\.py)(?:::(\w+))?`", table)
    assert len(named) > 30
    for file, function in named:
        path = root / file if file.startswith("tests/") else root / "tests" / "seed" / file
        assert path.exists(), file
        assert not function or f"\ndef {function}(" in path.read_text(), f"{file}::{function}"


def test_each_row_names_a_test_or_says_why_not(table: str) -> None:
    rows = [line.split(" | ") for line in table.splitlines() if line.startswith("| ") and "|---" not in line]
    assert all(
        ".py" in row[-1] or "next" in row[-1] or "not needed" in row[-1] for row in rows if row[0] != "| item"
    )


def test_every_item_of_the_seed_is_there(table: str, shared: Path) -> None:
    contents = (shared / "seed" / "presence-module-1.3.txt").read_text().partition("List of Examples")
    items = [(number, name) for number, name in ITEM.findall(contents[0]) if not number.startswith("3")]
    leaves = [item for item in items if not any(other[0].startswith(item[0] + ".") for other in items)]
    assert len(leaves) > 25
    for number, name in leaves:
        assert re.search(rf"^\| {number} {name}\b", table, re.M), number
    for example in re.findall(r"^(\d-\d+)\. ", contents[2], re.M):
        assert re.search(rf"Example {example}\b", table), example
