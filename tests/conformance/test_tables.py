"""docs/conformance.md, conformance-core.md and defects.md: every row is there once, and shown by tests.

But for those of conformance-core.md the tests carry its number.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest

ROWS = {"PUB": 42, "EVT": 52, "PRES": 14, "WI": 20, "PIDF": 13, "MWI": 14}
"""How many requirements each area has; they are numbered from 01."""

CORE_ROWS = {8: 35, 9: 10, 10: 19, 12: 15, 13: 6, 16: 59, 17: 26, 18: 18}
"""The same by section of RFC 3261."""

DEFECTS = 58

NOT_HERE = ("not part of this version: ", "does not touch these modules: ")

TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


class Row(NamedTuple):
    """One row of a table: its number, its cells, and the tests (file, function) that its `shown by` names."""

    number: str
    cells: list[str]
    tests: list[tuple[str, str]]


def rows_of(page: str) -> list[Row]:
    found = []
    for line in page.splitlines():
        if re.match(r"\| (?:[A-Z]+-\d\d|CORE-\d\d-\d\d|D\d\d) \|", line):
            cells = [cell.strip() for cell in line.strip("|").split(" | ")]
            found.append(Row(cells[0], cells, TEST.findall(line)))
    return found


@pytest.fixture
def requirements(root: Path) -> list[Row]:
    return rows_of((root / "docs" / "conformance.md").read_text())


@pytest.fixture
def core(root: Path) -> list[Row]:
    return rows_of((root / "docs" / "conformance-core.md").read_text())


@pytest.fixture
def defects(root: Path) -> list[Row]:
    return rows_of((root / "docs" / "defects.md").read_text())


def problems(rows: list[Row], root: Path) -> list[str]:
    """The tests that are named and do not exist, or do not carry the number."""
    found = absent(rows, root)
    for row in rows:
        number = row.number.lower().replace("-", "_")
        found += [
            f"{row.number} is not in {function}"
            for file, function in row.tests
            if (root / file).exists()
            and number not in re.findall(r"(?<=_)(?:[a-z]+_\d\d|d\d\d)(?=_|$)", function)
        ]
    return found


def absent(rows: list[Row], root: Path) -> list[str]:
    """The tests that are named and do not exist."""
    return [
        f"{row.number}: no {file}::{function}"
        for row in rows
        for file, function in row.tests
        if not (root / file).exists() or f"\ndef {function}(" not in (root / file).read_text()
    ]


def test_every_requirement_is_there_once_and_in_order(requirements: list[Row]) -> None:
    expected = [f"{area}-{number:02}" for area, count in ROWS.items() for number in range(1, count + 1)]
    assert [row.number for row in requirements] == expected


def test_every_requirement_is_shown_by_tests_that_carry_its_number(
    requirements: list[Row], root: Path
) -> None:
    assert [row.number for row in requirements if not row.tests] == []
    assert problems(requirements, root) == []


def test_every_row_of_the_core_is_there_once_in_order_and_shown(core: list[Row], root: Path) -> None:
    expected = [
        f"CORE-{at:02}-{number:02}" for at, count in CORE_ROWS.items() for number in range(1, count + 1)
    ]
    assert [row.number for row in core] == expected
    assert [row.number for row in core if not row.tests] == []
    assert absent(core, root) == []


def test_every_requirement_has_a_level_a_state_and_a_source(requirements: list[Row], core: list[Row]) -> None:
    for number, level, text, state, _, source in (row.cells for row in [*requirements, *core]):
        assert level in {"M", "S", "O", "C", "D"}, number
        assert text, number
        kind, _, reason = state.partition(": ")
        assert kind == "met" or (kind in {"met otherwise", "not met"} and reason), number
        assert re.match(r"RFC \d{4}|draft-", source), number


def test_the_sum_is_right(requirements: list[Row], core: list[Row], root: Path) -> None:
    for name, rows in (("conformance", requirements), ("conformance-core", core)):
        states = Counter(row.cells[3].partition(": ")[0] for row in rows)
        said = (
            f"Of {len(rows)} rows {states['met']} are met, {states['met otherwise']} are met otherwise, "
            f"{states['not met']} are not met."
        )
        assert said in (root / "docs" / f"{name}.md").read_text()


def test_every_defect_is_there_once_and_shown_to_be_absent(defects: list[Row], root: Path) -> None:
    assert [row.number for row in defects] == [f"D{number:02}" for number in range(1, DEFECTS + 1)]
    assert problems(defects, root) == []
    for row in defects:
        assert bool(row.tests) is not row.cells[2].startswith(NOT_HERE), row.number
        assert all(row.cells), row.number


def test_what_is_checked_can_fail(root: Path) -> None:
    page = "| PUB-01 | `tests/conformance/test_tables.py::test_the_sum_is_right` |\n| D99 | `tests/no.py::test_d99` |"
    assert problems(rows_of(page), root) == [
        "D99: no tests/no.py::test_d99",
        "PUB-01 is not in test_the_sum_is_right",
    ]
    page = "| CORE-08-01 | `tests/conformance/test_tables.py::test_the_sum_is_wrong` |"
    assert absent(rows_of(page), root) == [
        "CORE-08-01: no tests/conformance/test_tables.py::test_the_sum_is_wrong"
    ]
