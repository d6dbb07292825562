from __future__ import annotations

import re
from pathlib import Path

from openpy.script.rules.registry import RULES, SUBJECTS, rules_of


def test_codes_and_names_are_used_once() -> None:
    rules = [rule for subject in SUBJECTS for rule in rules_of(subject)]
    assert len(rules) == len(RULES) == len({rule.title for rule in rules})
    numbers = [rule.code[1:] for rule in rules]
    assert numbers == sorted(set(numbers))
    assert all(re.fullmatch(r"[EW]\d{3}", rule.code) for rule in rules)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", rule.title) for rule in rules)


def test_each_subject_has_its_digit() -> None:
    for digit, subject in enumerate(SUBJECTS, 1):
        assert {rule.code[1] for rule in rules_of(subject)} == {str(digit)}


def test_codes_are_for_ever(root: Path) -> None:
    """A code that has a page is not taken away, nor given to another name."""
    for page in (root / "docs" / "diagnostics").glob("*.md"):
        title = re.search(r"^# ([EW]\d{3}) (\S+)$", page.read_text(), re.M)
        assert title is not None
        assert RULES[title.group(1)].title == title.group(2)


def test_findings_are_made_with_a_rule(root: Path) -> None:
    """No call of `error` or `warning` begins with anything but a constant, or a name that holds one."""
    rule = re.compile(r"(?<![\w.])(?:error|warning)\(\s*(?:\w+\.)?(?:[A-Z][A-Z_]+\b|rule\b)")
    call = re.compile(r"(?<![\w.\"'`/-])(?:error|warning)\((?!\))")
    for path in (root / "openpy" / "script").glob("*.py"):
        text = re.sub(r"def (error|warning)\(", "", path.read_text())
        if "diagnostics import" in text:
            assert len(call.findall(text)) == len(rule.findall(text)), path
