from __future__ import annotations

from openpy.script.rules import conditions
from openpy.script.rules.rule import Rule
from tests.script.rules.examples import check_examples, rules_in


@rules_in(conditions)
def test_examples(rule: Rule) -> None:
    check_examples(rule, "7")
