from __future__ import annotations

import pytest

from openpy.cli.openpy import main as openpy
from openpy.cli.rule import find, listed, main
from openpy.cli.rulepages import page
from openpy.script.rules.calls import UNKNOWN_FUNCTION
from openpy.script.rules.registry import RULES, SUBJECTS


@pytest.mark.parametrize("word", ["E501", "e501", "unknown-function", "Unknown-Function"])
def test_a_rule_is_found_by_code_and_name(word: str) -> None:
    assert find(word) is UNKNOWN_FUNCTION


def test_its_page_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert openpy(["rule", "E501"]) == 0
    assert capsys.readouterr().out == page(UNKNOWN_FUNCTION)
    assert main(["E501", "W803"]) == 0
    assert capsys.readouterr().out == page(UNKNOWN_FUNCTION) + "\n" + page(RULES["W803"])


def test_a_rule_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["unknown-functon", "zzz"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == (
        'openpy rule: there is no rule unknown-functon; did you mean "unknown-function"?\n'
        "openpy rule: there is no rule zzz; openpy rule lists all\n"
    )


def test_all_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    text = capsys.readouterr().out
    assert text == "\n".join(listed()) + "\n"
    assert all(subject in text for subject in SUBJECTS)
    assert all(f"  {rule.code}  {rule.title}\n" in text for rule in RULES.values())
