"""Runs what a rule gives as examples."""

from __future__ import annotations

from types import ModuleType

import pytest

from openpy.cli.rulepages import found_in
from openpy.script.rules.rule import ErrorRule, Rule, WarningRule


def rules_in(*tables: ModuleType) -> pytest.MarkDecorator:
    """A parameter `rule` for each rule of some tables."""
    rules = [item for table in tables for item in vars(table).values() if isinstance(item, Rule)]
    return pytest.mark.parametrize("rule", rules, ids=lambda rule: rule.code)


def check_examples(rule: Rule, digit: str) -> None:
    """The wrong script gives the code and no other, the right one none; the code says what it is."""
    assert [item.code for item in found_in(rule.wrong)] == [rule.code]
    assert found_in(rule.right) == []
    assert (rule.code[0], rule.code[1]) == ("E" if isinstance(rule, ErrorRule) else "W", digit)
    assert isinstance(rule, ErrorRule | WarningRule)
    assert rule.why.endswith(".")
