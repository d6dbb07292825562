from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies

from openpy.script.environment import ArgumentError, Environment
from openpy.script.pseudovariables import Reference, bind, bind_setter, read, read_whole


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("$ru", Reference("$ru", "ru")),
        ("$(ru)", Reference("$(ru)", "ru")),
        ("$hdr(P-Asserted-Identity)", Reference("$hdr(P-Asserted-Identity)", "hdr", "P-Asserted-Identity")),
        ("$var(a b)", Reference("$var(a b)", "var", "a b")),
        ("$(hdr(Via)[-1])", Reference("$(hdr(Via)[-1])", "hdr", "Via", "-1")),
        ("$(hdr(Via)[*])", Reference("$(hdr(Via)[*])", "hdr", "Via", "*")),
        ("$(ru{s.len})", Reference("$(ru{s.len})", "ru", transformations=("s.len",))),
        (
            "$(avp(s:x)[$var(i)]{s.substr,$var(i),2}{s.len})",
            Reference(
                "$(avp(s:x)[$var(i)]{s.substr,$var(i),2}{s.len})",
                "avp",
                "s:x",
                "$var(i)",
                ("s.substr,$var(i),2", "s.len"),
            ),
        ),
        ("$$", Reference("$$", "$")),
    ],
)
def test_reading(text: str, reference: Reference) -> None:
    assert read_whole(text) == reference


def test_reading_stops_at_the_end_of_the_name() -> None:
    assert read("to $rd, or", 3) == (Reference("$rd", "rd"), 6)
    assert read("$rd.") == (Reference("$rd.", "rd."), 4)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("ru", "no pseudo-variable"),
        ("$", "without a name"),
        ("$?", "without a name"),
        ("$()", "without a name"),
        ("$(ru", "the end"),
        ("$(ru x)", 'not " "'),
        ("$hdr(Via", "not closed"),
        ("$(hdr(Via)[0)", "not closed"),
        ("$ru{s.len}", "write $(ru{s.len})"),
        ("$hdr(Via)[0]", "write $(hdr(Via)[0])"),
        ("$ru x", "not part of the pseudo-variable"),
    ],
)
def test_reading_fails(text: str, reason: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        read_whole(text)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$ru", "sip:bob@Example.com"),
        ("$$", "$"),
        ("$(hdr(Via)[1])", "Via#1"),
        ("$(hdr(Via)[*])", "Via#*"),
        ("$hdr($var(name))", "To#None"),
        ("$(hdr(Via)[$var(two)])", "Via#2"),
        ("$(ru{S.Len})", 19),
        ("$(rU{s.len})", None),
        ("$(ru{s.substr,$var(two),3})", "p:b"),
        ("$(hdr(a,b){s.select,1,,})", "b#None"),
        ("$(hdr(a){s.len}{s.len})", 1),
        ("$(hdr(a){s.substr,$(var(x){s.len}),0})", "#None"),
    ],
)
def test_binding(lab: Any, environment: Environment, text: str, value: object) -> None:
    run = lab.run(";", variables={"name": "To", "two": 2, "x": 5})
    assert bind(read_whole(text), environment)(run) == value


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("$retcod", 'error searching pvar "retcod": unknown script variable; did you mean'),
        ("$rd.", "write $(rd)."),
        ("$ru(x)", "takes no name in parentheses"),
        ("$(ru[0])", "takes no index"),
        ("$(hdr(x)[first])", 'bad index "first"'),
        ("$hdr($nope)", "unknown script variable"),
        ("$(ru{s.lne})", 'unknown transformation "s.lne"; did you mean "s.len"?'),
        ("$(ru{s.len,1})", "takes 0 parameters, not 1"),
        ("$(ru{s.substr,1})", "takes 2 parameters, not 1"),
        ("$(ru{s.substr,a,1})", '"a" is no number'),
        ("$hdr(" * 20 + "$ru" + ")" * 20, "nested too deeply"),
    ],
)
def test_binding_fails(environment: Environment, text: str, reason: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        bind(read_whole(text), environment)
    assert reason in str(caught.value)


def test_setters(lab: Any, environment: Environment) -> None:
    run = lab.run(";")
    assert bind_setter(read_whole("$var(x)"), environment)(run, 5, "=")
    assert run.variables == {"x": 5}
    assert bind_setter(read_whole("$(avp(s:x)[1])"), environment)(run, 5, "=")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("$rm", "invalid left operand in assignment: $rm is read-only"),
        ("$(ru{s.len})", "a transformation cannot be assigned"),
        ("$ru(x)", "takes no name in parentheses"),
        ("$nope", "unknown script variable"),
    ],
)
def test_what_cannot_be_assigned(environment: Environment, text: str, reason: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        bind_setter(read_whole(text), environment)
    assert reason in str(caught.value)


@given(strategies.text("$()[]{}.,rusl*-0 ", max_size=20))
def test_reading_raises_nothing_else(text: str) -> None:
    try:
        reference = read_whole("$" + text)
    except ArgumentError:
        return
    assert reference.text == "$" + text
