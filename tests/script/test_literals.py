from __future__ import annotations

import pytest

from openpy.script.diagnostics import Diagnostic
from openpy.script.lexer import SourceText, tokenize
from openpy.script.literals import Literals, text_of
from openpy.script.syntax import (
    NOWHERE,
    Myself,
    Name,
    Network,
    Null,
    Number,
    Operand,
    PseudoVariable,
    String,
    Value,
)


def build(text: str) -> tuple[Value, list[Diagnostic]]:
    *signs, token, _end = tokenize(SourceText(text, "t.cfg"))[0]
    found: list[Diagnostic] = []
    literals = Literals("t.cfg", found)
    if signs:
        return literals.signed_number(NOWHERE, signs[0], token), found
    method = {"WORD": "name", "HOST": "name"}.get(token.kind, token.kind.lower())
    return getattr(literals, method)(NOWHERE, *([] if method in ("myself", "null") else [token])), found


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", Number(5)),
        ("+5", Number(5)),
        ("-5", Number(-5)),
        ("0x1f", Number(31)),
        ("010", Number(8)),
        ("0", Number(0)),
        ("yes", Number(1)),
        ("off", Number(0)),
        ("0xffffffff", Number(-1)),
        ("2147483648", Number(-(1 << 31))),
        ("-2147483648", Number(-(1 << 31))),
        ("'x'", String("x")),
        ("$ru", PseudoVariable("$ru")),
        ("foo", Name("foo")),
        ("foo.bar", Name("foo.bar")),
        ("10.0.0.0 / 8", Network("10.0.0.0/8")),
        ("method", Operand("method")),
        ("msg:len", Operand("msg:len")),
        ("myself", Myself()),
        ("NULL", Null()),
    ],
)
def test_values(text: str, value: Value) -> None:
    assert build(text) == (value, [])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("08", "08 is no octal number"),
        ("0x", "0x is no hexadecimal number"),
        ("4294967296", "4294967296 does not fit into 32 bits"),
        ("9" * 5000, "9" * 20 + "... does not fit into 32 bits"),
    ],
)
def test_numbers_that_are_none(text: str, message: str) -> None:
    _, (found,) = build(text)
    assert found.message == message


def test_lists_leave_out_what_is_nothing() -> None:
    literals = Literals("t.cfg", [])
    assert literals.first(NOWHERE, None) == []
    assert literals.append(NOWHERE, literals.append(NOWHERE, literals.nothing(NOWHERE), 1), None) == [1]
    assert literals.first(NOWHERE, 1) == [1]
    assert literals.address(NOWHERE, Name("a"), Number(1)) == [Name("a"), Number(1)]


def test_the_text_of_a_value() -> None:
    values: list[Value] = [
        String("s"),
        Name("n"),
        Network("::"),
        PseudoVariable("$v"),
        Operand("uri"),
        Number(5),
        Myself(),
        Null(),
    ]
    assert [text_of(value) for value in values] == ["s", "n", "::", "$v", "uri", "5", "myself", "NULL"]


@pytest.mark.parametrize(
    ("text", "value"),
    [("$null", Null()), ("$nulls", PseudoVariable("$nulls")), ("$ru", PseudoVariable("$ru"))],
)
def test_null_of_kamailio(text: str, value: Value) -> None:
    token = tokenize(SourceText(text, "t.cfg"))[0][0]
    assert Literals("t.cfg", []).variable_value(NOWHERE, token) == value
