from __future__ import annotations

from openpy.script.rules.rule import ErrorRule, Severity, WarningRule


def test_the_severity_is_the_letter_of_the_code() -> None:
    assert ErrorRule("E999", "x", "", "", "").severity is Severity.ERROR
    assert WarningRule("W999", "x", "", "", "").severity is Severity.WARNING


def test_a_rule_is_the_same_as_itself_only() -> None:
    """Findings are compared and kept in sets, and must not compare whole texts."""
    one, other = (ErrorRule("E999", "x", "", "", "") for _ in range(2))
    assert one == one
    assert one != other
    assert len({one, other}) == 2
