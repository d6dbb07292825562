from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from openpy.script.binding import Binder
from openpy.script.diagnostics import Severity
from openpy.script.environment import Environment, Parameter
from openpy.script.parser import parse
from openpy.script.syntax import (
    Assignment,
    Call,
    Name,
    Node,
    Number,
    Operand,
    Position,
    PseudoVariable,
    String,
)
from openpy.script.traversal import walk


def first(kind: type[Node], body: str) -> Any:
    route = parse("route { " + body + " }", "test.cfg").script.statements[0]
    return next(node for node in walk(route) if isinstance(node, kind))


@pytest.fixture
def binder(environment: Environment) -> Binder:
    return Binder(environment)


def test_a_call_has_converted_arguments(binder: Binder, environment: Environment) -> None:
    bound = binder.call(first(Call, 'reply("200", "OK");'))
    assert bound is not None
    assert bound.function is environment.functions["reply"]
    assert bound.arguments == (200, "OK")
    assert binder.found == []


@pytest.mark.parametrize("argument", [Number(5), String("5"), Name("5"), PseudoVariable("5")])
def test_arguments_may_be_unquoted(binder: Binder, argument: Any) -> None:
    bound = binder.call(Call("code", (argument,)))
    assert bound is not None
    assert bound.arguments == (5,)


def test_optional_arguments_may_be_missing(binder: Binder) -> None:
    bound = binder.call(first(Call, 'reply("200");'))
    assert bound is not None
    assert bound.arguments == (200,)


@pytest.mark.parametrize(
    ("call", "message", "hint"),
    [
        ('serch("x");', "unknown command serch(), missing loadmodule?", 'did you mean "search"?'),
        ('xlog("x");', "unknown command xlog(), missing loadmodule?", 'add loadmodule "xlog.so"'),
        ('xlogg("x");', "unknown command xlogg(), missing loadmodule?", 'did you mean "xlog"?'),
        ('say("x", "y");', "say() takes 1 argument, not 2", "say(text)"),
        ("reply();", "reply() takes 1 to 2 arguments, not 0", "reply(code, reason)"),
        ('code("x");', 'argument 1 of code(): bad number "x"', "argument 1 of code() is a number"),
        ('say("$nope");', 'argument 1 of say(): wrong format "$nope"', "argument 1 of say() is a format"),
        ('search("(");', "argument 1 of search(): bad regular expression", "is a regular expression"),
    ],
)
def test_bad_calls(binder: Binder, call: str, message: str, hint: str) -> None:
    binder.call(first(Call, call))
    assert len(binder.found) == 1
    assert binder.found[0].severity is Severity.ERROR
    assert message in binder.found[0].message
    assert hint in binder.found[0].hint


def test_the_place_of_a_bad_argument(binder: Binder) -> None:
    binder.call(first(Call, 'reply("x", "OK");'))
    assert binder.found[0].position == Position("test.cfg", 1, 15, 1, 18)


def test_overloads(binder: Binder, environment: Environment) -> None:
    code, two = environment.functions["code"], environment.functions["reply"].parameters
    other = replace(code, parameters=(two[0], two[0], two[0], two[1]), call=print)
    environment.functions["code"] = replace(code, overload=other)
    bound = binder.call(first(Call, 'code("1", "2", "3");'))
    assert bound is not None
    assert bound.function is other
    assert binder.call(first(Call, "code();")) is None
    assert binder.found[0].message == "code() takes 1 or 3 to 4 arguments, not 0"
    assert binder.found[0].hint == "code(number) or code(code, code, code, reason)"


def test_an_expression_is_no_argument(binder: Binder) -> None:
    assert binder.call(Call("code", (Call("code", ()),))) is not None
    assert "takes quoted strings" in binder.found[0].message


def test_remarks_on_patterns_are_warnings(binder: Binder) -> None:
    binder.call(first(Call, r'search("\\d+");'))
    assert binder.pattern(String("x"), r"\d") is not None
    assert [item.severity for item in binder.found] == [Severity.WARNING] * 2


def test_bad_patterns(binder: Binder) -> None:
    assert binder.pattern(String("("), "(") is None
    assert "bad regular expression" in binder.found[0].message


def test_variables(binder: Binder) -> None:
    plain, transformed = (
        binder.variable(PseudoVariable("$ru")),
        binder.variable(PseudoVariable("$(ru{s.len})")),
    )
    assert plain is not None
    assert not plain.strict
    assert transformed is not None
    assert transformed.strict
    assert binder.variable(PseudoVariable("$ru{s.len}")) is None
    assert (binder.found[0].code, binder.found[0].hint) == ("E602", "write $(ru{s.len})")


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("$rm = 1;", "invalid left operand in assignment"),
        ("$nope = 1;", "unknown script variable"),
        ("$var(x) := NULL;", "$var(x) cannot be assigned NULL with :="),
    ],
)
def test_bad_targets(binder: Binder, statement: str, message: str) -> None:
    binder.setter(first(Assignment, statement))
    assert message in binder.found[0].message


def test_null_goes_with_plain_operators_only(binder: Binder) -> None:
    node = first(Assignment, "$var(x) = NULL;")
    assert binder.setter(node) is not None
    assert binder.setter(first(Assignment, "$avp(s:x) := NULL;")) is not None
    assert binder.found == []
    binder.setter(Assignment(node.target, "+=", node.value))
    assert "NULL cannot be used with +=" in binder.found[0].message


def test_operands(binder: Binder) -> None:
    assert binder.operand(Operand("method")) is not None
    assert binder.operand(Operand("methd")) is None
    assert binder.found[0].hint == 'did you mean "method"?'


class ByName:
    """A kind for which a bare word is not the same as a quoted one."""

    description = "a word"

    def convert(self, text: str, environment: Environment) -> str:
        return f"quoted {text}"

    def convert_name(self, text: str, environment: Environment) -> str:
        return f"bare {text}"


def test_a_kind_may_tell_bare_words_from_quoted_ones(binder: Binder, environment: Environment) -> None:
    function = replace(environment.functions["code"], parameters=(Parameter("word", ByName()),))
    environment.functions["code"] = function
    for argument, converted in ((Name("x"), "bare x"), (String("x"), "quoted x"), (Number(5), "quoted 5")):
        bound = binder.call(Call("code", (argument,)))
        assert bound is not None
        assert bound.arguments == (converted,)


def test_where_modules_are_absent_unknown_names_may_be_theirs(environment: Environment) -> None:
    environment.lacks_modules = True
    binder = Binder(environment)
    assert binder.call(first(Call, 'nothing("x");')) is None
    binder.call(first(Call, 'say("$nothing");'))
    assert binder.variable(PseudoVariable("$nothing")) is None
    assert binder.setter(first(Assignment, "$nothing = 1;")) is None
    assert binder.found == []
    binder.variable(PseudoVariable("$(ru{nothing})"))
    binder.setter(first(Assignment, "$rd = 1;"))
    binder.call(first(Call, 'xlog("x");'))
    binder.call(first(Call, 'sql_query("x");'))
    assert len(binder.found) == 4
