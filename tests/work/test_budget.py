"""The gate: what an operation costs is counted, not timed, so a slower hot path fails on any machine."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from tests.work import budget
from tests.work.house import House

pytestmark = pytest.mark.timeout(120)


@cache
def figures() -> budget.Figures:
    return budget.measured()


# The objects of compiled classes are larger.
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.pure if name == "bytes" else ()) for name in budget.read()]
)
def test_nothing_costs_more_than_its_budget(name: str) -> None:
    over = budget.too_much({name: figures()[name]}, budget.read())
    assert not over, "; ".join(over)


def test_a_subscription_with_a_presentity_of_its_own_takes_2_5_kib() -> None:
    assert figures()["bytes"]["subscription-alone"] < 2560


def test_every_operation_has_a_budget() -> None:
    assert figures().keys() == budget.read().keys()


def test_no_budget_is_higher_than_it_has_to_be() -> None:
    lower = budget.too_generous(figures(), budget.read())
    assert not lower, "lower the budgets (python -m tests.work --write): " + "; ".join(lower)


def test_a_second_count_is_the_same(tmp_path: Path) -> None:
    house = House(tmp_path)
    try:
        again = budget.counted(house)
    finally:
        house.close()
    for name, work in again.items():
        # By one call in all: what a set holds comes in another order.
        assert work == pytest.approx(figures()[name], abs=0.1), name


def test_what_is_over_its_budget_is_told_and_what_is_far_below_it(tmp_path: Path) -> None:
    path = tmp_path / "budget.toml"
    budget.write({"options": {"python": 100, "statements": 2}}, path)
    budgets = budget.read(path)
    assert not budget.too_much({"options": {"python": 103}}, budgets)
    assert budget.too_much({"options": {"python": 104}}, budgets)
    assert budget.too_much({"options": {"statements": 3}}, budgets)
    assert budget.too_much({"other": {"python": 1}}, budgets)
    assert budget.too_generous({"options": {"statements": 1}}, budgets)
    assert not budget.too_generous({"options": {"statements": 2}}, budgets)
