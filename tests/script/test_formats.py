from __future__ import annotations

import time
from typing import Any

import pytest

from openpy.script.environment import ArgumentError, Environment
from openpy.script.formats import parse_format, parse_single


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("plain", "plain"),
        ("", ""),
        ("cost: 5$$", "cost: 5$"),
        ("$ru", "sip:bob@Example.com"),
        ("<$rU@$rd>", "<<null>@Example.com>"),
        ("at $(rd).", "at Example.com."),
        ("port $sp, code $rs", "port 5070, code 200"),
        ("[$(rU{s.len})]", "[]"),
        ("100%\n", "100%\n"),
        ("{$ru}{x}", "{sip:bob@Example.com}{x}"),
        ("$(rs){s.len", "200{s.len"),
        ("$hdr(P-X)/$var(n)", "P-X#None/0"),
    ],
)
def test_printing(lab: Any, environment: Environment, text: str, printed: str) -> None:
    assert parse_format(text, environment)(lab.run(";")) == printed


def test_constants_are_known(environment: Environment) -> None:
    assert parse_format("a$$b", environment).constant == "a$b"
    assert parse_format("a$ru", environment).constant is None
    assert parse_format("a$ru", environment).text == "a$ru"
    assert repr(parse_format("a$ru", environment)) == "FormatText('a$ru')"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("$rd.", 'wrong format "$rd.": error searching pvar "rd."'),
        ("a $", "without a name"),
        ("$nope", "unknown script variable"),
        ("len $ru{s.len}!", '"{s.len}" after $ru is only text; write $(ru{s.len})'),
    ],
)
def test_errors(environment: Environment, text: str, reason: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        parse_format(text, environment)
    assert reason in str(caught.value)


def test_a_single_variable(lab: Any, environment: Environment) -> None:
    assert parse_single("$rs", environment)(lab.run(";")) == 200
    with pytest.raises(ArgumentError, match="not part of the pseudo-variable"):
        parse_single("$rd/", environment)


@pytest.mark.parametrize(
    ("text", "texts", "values"),
    [
        ("plain", ("plain",), []),
        ("", ("",), []),
        ("$rs", ("", ""), ["200"]),
        ("a $$ $rs b$hdr(P-X)", ("a $ ", " b", ""), ["200", "P-X#None"]),
        ("<$rU$(rU{s.len})>", ("<", "", ">"), ["<null>", ""]),
    ],
)
def test_texts_and_values_apart(
    lab: Any, environment: Environment, text: str, texts: tuple[str, ...], values: list[str]
) -> None:
    parsed = parse_format(text, environment)
    assert parsed.texts == texts
    assert parsed.values(lab.run(";")) == values


def test_many_pseudo_variables_take_linear_time(environment: Environment) -> None:
    def seconds(count: int) -> float:
        took = []
        for _ in range(3):
            start = time.process_time()
            parse_format("$rs{" * count, environment)
            took.append(time.process_time() - start)
        return min(took)

    assert seconds(40_000) < 12 * max(seconds(5_000), 0.001)


def test_values_before_they_are_printed(lab: Any, environment: Environment) -> None:
    parsed = parse_format("$rs $rU $(rU{s.len})", environment)
    values = parsed.read(lab.run(";"))
    assert values == [200, None, None]
    assert parsed.printed(values) == ["200", "<null>", ""]
