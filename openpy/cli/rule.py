"""`openpy rule [CODE ...]`: what the codes of a check mean, each with a wrong and a right script; without one, a list.

Exit status: 0 shown, 2 there is no such rule.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from openpy.cli.rulepages import page
from openpy.script.diagnostics import did_you_mean
from openpy.script.rules.registry import RULES, SUBJECTS, rules_of
from openpy.script.rules.rule import Rule

SHOWN, UNKNOWN = 0, 2


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="openpy rule", description="Explain the codes of openpy -c.")
    help_ = "a code such as E501, or a name such as unknown-function"
    parser.add_argument("codes", nargs="*", metavar="CODE", help=help_)
    wanted = parser.parse_args(arguments).codes
    if not wanted:
        print("\n".join(listed()))
        return SHOWN
    status = SHOWN
    for number, word in enumerate(wanted):
        rule = find(word)
        if rule is None:
            known = [*RULES, *(rule.title for rule in RULES.values())]
            hint = did_you_mean(word, known) or "openpy rule lists all"
            print(f"openpy rule: there is no rule {word}; {hint}", file=sys.stderr)
            status = UNKNOWN
        else:
            print("\n" * (number > 0) + page(rule), end="")
    return status


def find(word: str) -> Rule | None:
    """The rule of a code or name."""
    by_title = (rule for rule in RULES.values() if rule.title == word.lower())
    return RULES.get(word.upper()) or next(by_title, None)


def listed() -> list[str]:
    """All rules by subject, a line each."""
    lines: list[str] = []
    for subject in SUBJECTS:
        lines += ["", subject] if lines else [subject]
        lines += [f"  {rule.code}  {rule.title}" for rule in rules_of(subject)]
    return lines
