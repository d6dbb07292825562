"""The TextMate grammar, which VS Code and others colour scripts with: `python -m openpy.editor.textmate FILE`.

Expressions are written for Oniguruma and for Python's `re` alike.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from openpy.editor import vocabulary

SCOPE = "source.openser"

Rule = dict[str, Any]


def grammar() -> Rule:
    """The whole grammar."""
    return {
        "$schema": "https://raw.githubusercontent.com/martinring/tmlanguage/master/tmlanguage.json",
        "comment": "Made by `make docs` from the tables in the code; change it there.",
        "name": "OpenSER script",
        "scopeName": SCOPE,
        "fileTypes": ["openser.cfg"],
        "patterns": [
            {"include": f"#{name}"}
            for name in ("directive", "comment", "string", "variable", "number", "word", "sign")
        ],
        "repository": {
            "directive": _directive(),
            "comment": {"patterns": [_match("comment.line.number-sign", r"#.*$"), {"include": "#block"}]},
            "block": {
                "name": _named("comment.block"),
                "begin": r"/\*",
                "end": r"\*/",
                "patterns": [{"include": "#block"}],
            },
            "string": {"patterns": [_quoted(), _match("string.quoted.single", r"'[^']*'")]},
            "variable": _variable(),
            "inner": {"begin": r"\(", "end": r"\)|$", "patterns": [{"include": "#inner"}]},
            "number": _match(
                "constant.numeric", r"\b(?:0x[0-9A-Fa-f]+|\d+(?:\.\d+){3}(?:/\d+)?|\d+)\b(?![.\w])"
            ),
            "word": {"patterns": list(_words())},
            "sign": {
                "patterns": [
                    _match("keyword.operator", r"[=!]~|[=!<>:+*/%&|^-]=|&&|\|\||[=<>!~+*/%&|^-]"),
                    _match("punctuation.terminator", ";"),
                ]
            },
        },
    }


def _named(scope: str) -> str:
    return f"{scope}.openser"


def _match(scope: str, expression: str) -> Rule:
    return {"name": _named(scope), "match": expression}


def _either(words: Sequence[str]) -> str:
    """One of these words, and no part of a longer one or of a host."""
    return rf"\b(?:{'|'.join(sorted(words))})\b(?![.-]\w)"


def _directive() -> Rule:
    return {
        "name": _named("meta.preprocessor"),
        "begin": rf"^\s*(#!(?:{'|'.join(vocabulary.DIRECTIVES)}))\b",
        "beginCaptures": {"1": {"name": _named("keyword.control.directive")}},
        "end": r"(?<!\\)$",
        "patterns": [{"include": "#string"}],
    }


def _quoted() -> Rule:
    return {
        "name": _named("string.quoted.double"),
        "begin": '"',
        "end": '"',
        "patterns": [
            _match("constant.character.escape", r"\\(?:x[0-9A-Fa-f]{1,2}|[0-7]{2,3}|.)"),
            {"include": "#variable"},
        ],
    }


def _variable() -> Rule:
    transformation = {
        "match": r"\{([\w.]+)([^{}]*)\}",
        "captures": {"1": {"name": _named("support.function.transformation")}},
    }
    return {
        "patterns": [
            {
                "name": _named("variable.other"),
                "begin": r"\$\(",
                "end": r"\)|(?=\")|$",
                "patterns": [transformation, {"include": "#inner"}],
            },
            _match("variable.other", r"\$[\w.]+(?:\([^()\"'\n]*\))?"),
        ]
    }


def _words() -> list[Rule]:
    return [
        _match("storage.type.route", _either(vocabulary.ROUTES)),
        _match("keyword.other", _either(vocabulary.LOADING)),
        _match("keyword.control", _either(vocabulary.CONTROL)),
        _match("keyword.operator.word", _either(vocabulary.WORD_OPERATORS)),
        _match("constant.language", _either(vocabulary.CONSTANTS)),
        _match("support.type.parameter", rf"^\s*{_either(vocabulary.PARAMETERS)}(?=\s*=)"),
        _match("variable.language", _either(vocabulary.OPERANDS)),
        _match("support.function", _either(vocabulary.FUNCTIONS)),
        _match("entity.name.function", r"\b[A-Za-z_]\w*(?=\s*\()"),
    ]


def text() -> str:
    """The grammar as the file has it."""
    return json.dumps(grammar(), indent=2) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(text())
