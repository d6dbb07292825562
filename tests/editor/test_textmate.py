"""The TextMate grammar and the extension that uses it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from openpy.editor.textmate import SCOPE, grammar, text
from openpy.script.lexer import KEYWORDS


def rules(part: Any) -> Iterator[dict[str, Any]]:
    """All rules of a grammar, at any depth."""
    if isinstance(part, dict):
        yield part
        for inner in part.values():
            yield from rules(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from rules(inner)


def test_the_file_is_up_to_date(root: Path) -> None:
    assert (root / "editors/openser.tmLanguage.json").read_text() == text(), "run `make docs`"


def test_expressions_and_references_are_right() -> None:
    whole = grammar()
    seen = 0
    for rule in rules(whole):
        for key in ("match", "begin", "end"):
            if isinstance(rule.get(key), str):
                re.compile(rule[key])
                seen += 1
        include = rule.get("include", "#comment")
        assert include.removeprefix("#") in whole["repository"]
    assert seen > 20


def scope(written: str) -> str:
    """What the first rule that matches a text makes of it."""
    for rule in rules(grammar()["repository"]):
        if isinstance(rule.get("match"), str) and "name" in rule and re.search(rule["match"], written):
            return str(rule["name"])
    return ""


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("failure_route", "storage.type.route.openser"),
        ("while", "keyword.control.openser"),
        ("loadmodule", "keyword.other.openser"),
        ("  debug = x", "support.type.parameter.openser"),
        ("rewriteuri", "support.function.openser"),
        ("sl_send_reply(", "entity.name.function.openser"),
        ("$hdr(To)", "variable.other.openser"),
        ("10.0.0.0/8", "constant.numeric.openser"),
        ("# x", "comment.line.number-sign.openser"),
        ("if.example", ""),
    ],
)
def test_what_words_are(written: str, expected: str) -> None:
    assert scope(written) == expected


def test_every_keyword_has_a_scope() -> None:
    whole = "\n".join(rule["match"] for rule in rules(grammar()) if isinstance(rule.get("match"), str))
    missing = [word for word in KEYWORDS if not re.search(rf"[|:]{word}[|)]", whole)]
    assert missing == []


def test_the_extension_for_vs_code_fits(root: Path) -> None:
    folder = root / "editors/vscode"
    package = json.loads((folder / "package.json").read_text())
    (language,) = package["contributes"]["languages"]
    (colours,) = package["contributes"]["grammars"]
    assert colours["language"] == language["id"] == "openser"
    assert colours["scopeName"] == SCOPE == grammar()["scopeName"]
    assert (folder / language["configuration"]).is_file()
    assert (folder / package["main"]).is_file()
    json.loads((folder / language["configuration"]).read_text())
    assert "../openser.tmLanguage.json" in package["scripts"]["prepare"]
