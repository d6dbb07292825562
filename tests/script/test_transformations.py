from __future__ import annotations

import hashlib
import time
from typing import Any

import pytest
from hypothesis import given, strategies

from openpy.script.environment import ArgumentError, Environment
from openpy.script.formats import parse_single
from openpy.script.transformations import TRANSFORMATIONS


def transformed(
    text: object, transformation: str, environment: Environment, lab: Any, **more: object
) -> object:
    run = lab.run(";", variables={"x": text, **more})
    return parse_single(f"$(var(x){{{transformation}}})", environment)(run)


@pytest.mark.parametrize(
    ("text", "transformation", "result"),
    [
        ("abcdef", "s.len", 6),
        ("é", "s.len", 2),
        (1234, "s.len", 4),
        ("42", "s.int", 42),
        ("-42", "s.int", -42),
        ("4294967297", "s.int", 1),
        ("42a", "s.int", None),
        ("", "s.int", None),
        ("abc", "s.md5", hashlib.md5(b"abc").hexdigest()),
        ("abcdef", "s.substr,0,3", "abc"),
        ("abcdef", "s.substr,2,0", "cdef"),
        ("abcdef", "s.substr,-3,2", "de"),
        ("abcdef", "s.substr,1,99", "bcdef"),
        ("abcdef", "s.substr,99,1", None),
        ("abcdef", "s.substr,-7,1", None),
        ("abcdef", "s.substr,1,-1", None),
        ("abcdef", "s.substr,$var(one),$var(two)", "bc"),
        ("abcdef", "s.substr,$rU,1", None),
        ("a,b,c", "s.select,0,,", "a"),
        ("a,b,c", "s.select,-1,,", "c"),
        ("a,b,c", "s.select,9,,", ""),
        ("a,b,c", "s.select,-9,,", ""),
        ("a;b;c", "s.select,$var(one),;", "b"),
        ("a;b;c", "s.select,$rU,;", None),
        ("bob", "s.encode.hexa", "626f62"),
        ("626f62", "s.decode.hexa", "bob"),
        ("62x", "s.decode.hexa", None),
        ("a'b\\\"", "s.escape.common", "a\\'b\\\\\""),
        ("a\\'b\\\\'", "s.unescape.common", "a'b\\'"),
        ("a b%@", "s.escape.user", "a%20b%25%40"),
        ("a%20b%25%40", "s.unescape.user", "a b%@"),
        ("a%2", "s.unescape.user", None),
        ("a=1;b=2;c", "param.value,b", "2"),
        ("a=1;b=2;c", "param.value,B", "2"),
        ("a=1;b=2;c", "param.value,c", ""),
        ("a=1;b=2;c", "param.value,d", ""),
        ('a="x;y" ; b=2', "param.value,a", "x;y"),
        ("a=1;b=2", "param.value,$var(name)", "2"),
        ("a=1;b=2", "param.value,$rU", None),
        ("a=1;b=2;c", "param.name,0", "a"),
        ("a=1;b=2;c", "param.name,-1", "c"),
        ("a=1;b=2;c", "param.name,9", ""),
        ("a=1", "param.name,$rU", None),
    ],
)
def test_section_6(
    lab: Any, environment: Environment, text: object, transformation: str, result: object
) -> None:
    assert transformed(text, transformation, environment, lab, one=1, two="2", name="b") == result


@pytest.mark.parametrize("text", ['"' + ";" * 500_000, '"";' * 100_000 + '"' + ";a" * 100_000])
def test_parameters_with_an_open_quote_take_linear_time(
    lab: Any, environment: Environment, text: str
) -> None:
    begun = time.process_time()
    assert transformed(text, "param.value,b", environment, lab) == ""
    assert time.process_time() - begun < 2


@pytest.mark.parametrize("name", TRANSFORMATIONS)
def test_null_stays_null(lab: Any, environment: Environment, name: str) -> None:
    parameters = {"s.substr": ",0,1", "s.select": ",0,;"}.get(name, ",0" if name.startswith("param") else "")
    assert parse_single(f"$(rU{{{name}{parameters}}})", environment)(lab.run(";")) is None


@pytest.mark.parametrize("text", ["$(ru{s.select,0,ab})", "$(ru{s.select,0,$rU})", "$(ru{s.substr,x,1})"])
def test_bad_parameters(environment: Environment, text: str) -> None:
    with pytest.raises(ArgumentError):
        parse_single(text, environment)


@pytest.mark.parametrize("kind", ["common", "user"])
@given(text=strategies.text(strategies.characters(min_codepoint=1, max_codepoint=0x2FF)))
def test_escaping_can_be_undone(kind: str, text: str) -> None:
    escape = TRANSFORMATIONS[f"s.escape.{kind}"].bind(())
    unescape = TRANSFORMATIONS[f"s.unescape.{kind}"].bind(())
    assert unescape(None, escape(None, text)) == text
