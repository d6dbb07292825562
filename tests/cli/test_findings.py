"""The formats of findings. What JSON and GitHub read must not change by accident."""

from __future__ import annotations

import json

import pytest

from openpy.cli.findings import FORMATS, as_annotation, as_object
from openpy.script.diagnostics import error, warning
from openpy.script.rules.calls import UNKNOWN_FUNCTION
from openpy.script.rules.ways import UNANSWERED
from openpy.script.syntax import Position

HERE = Position("a.cfg", 3, 5, 3, 9)
FOUND = error(UNKNOWN_FUNCTION, HERE, "unknown command x()", 'add loadmodule "x.so"')


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    FORMATS["json"]([FOUND, warning(UNANSWERED, HERE, "m")])
    captured = capsys.readouterr()
    first, second = json.loads(captured.out)
    assert first == {
        "file": "a.cfg",
        "line": 3,
        "column": 5,
        "endLine": 3,
        "endColumn": 9,
        "severity": "error",
        "code": "E501",
        "message": "unknown command x()",
        "hint": 'add loadmodule "x.so"',
    }
    assert (second["severity"], second["code"], second["hint"]) == ("warning", "W803", "")
    assert captured.err == ""


@pytest.mark.parametrize(("name", "text"), [("json", "[]\n"), ("github", ""), ("text", "")])
def test_nothing_found(name: str, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    FORMATS[name]([])
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == (text, "")


def test_github(capsys: pytest.CaptureFixture[str]) -> None:
    FORMATS["github"]([FOUND])
    assert capsys.readouterr().out == (
        "::error file=a.cfg,line=3,col=5,endLine=3,endColumn=9,title=E501 unknown-function"
        '::unknown command x()%0Aadd loadmodule "x.so"\n'
    )


def test_columns_of_several_lines_are_not_for_github() -> None:
    place = Position("a.cfg", 3, 5, 7, 2)
    assert as_annotation(warning(UNANSWERED, place, "m")) == (
        "::warning file=a.cfg,line=3,endLine=7,title=W803 unanswered::m"
    )


def test_what_github_would_read_as_its_own_is_escaped() -> None:
    place = Position("a,b:c%.cfg", 1, 1, 1, 2)
    text = as_annotation(error(UNKNOWN_FUNCTION, place, "50%: a, b::c\n"))
    assert text == (
        "::error file=a%2Cb%3Ac%25.cfg,line=1,col=1,endLine=1,endColumn=2,title=E501 unknown-function"
        "::50%25: a, b::c\\n"
    )


def test_bytes_that_are_no_utf_8() -> None:
    found = error(UNKNOWN_FUNCTION, HERE, "\udcff()")
    assert as_object(found)["message"] == "\N{REPLACEMENT CHARACTER}()"
    assert as_annotation(found).endswith("::\N{REPLACEMENT CHARACTER}()")


def test_text_goes_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    FORMATS["text"]([FOUND])
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == 'a.cfg:3:5: error[E501]: unknown command x()\n    add loadmodule "x.so"\n'
