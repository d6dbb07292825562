"""Each table of other dialects, row by row: one diagnostic, with the dialect and what to write."""

from __future__ import annotations

import pytest

from openpy.script import dialects
from openpy.script.checker import check
from openpy.script.diagnostics import Diagnostic, ScriptError, Severity
from openpy.script.environment import Environment
from openpy.script.parser import parse_leniently
from tests.script.conftest import make_environment

ENVIRONMENT: Environment = make_environment()


def errors(text: str) -> list[Diagnostic]:
    try:
        parsed = parse_leniently(text, "t.cfg")
    except ScriptError as problem:
        return list(problem.diagnostics)
    found = parsed.errors or check(parsed.script, ENVIRONMENT)
    return [item for item in found if item.severity is Severity.ERROR]


def told(text: str, hint: str) -> None:
    (found,) = errors(text)
    assert hint in f"{found.message} {found.hint}", found
    assert any(whose in hint for whose in ("Kamailio", "OpenSIPS", "OpenSER 1.2"))


@pytest.mark.parametrize("word", dialects.DIRECTIVES)
def test_directives(word: str) -> None:
    end = "\n#!endif" if word == "ifexp" else ""
    told(f"#!{word} A B{end}\nroute {{ exit; }}", dialects.DIRECTIVES[word])


@pytest.mark.parametrize("word", dialects.TOP_LEVEL)
@pytest.mark.parametrize("rest", ["{ exit; }", "[x, 3] { if (1) { exit; } }", '("a", "b", 1)', '"x"', "x;"])
def test_top_level(word: str, rest: str) -> None:
    told(f"debug=3\n{word} {rest}\nfork=no\nroute {{ exit; }}", dialects.TOP_LEVEL[word])


@pytest.mark.parametrize("word", dialects.WORDS)
def test_functions(word: str) -> None:
    told(f'route {{ {word}("x", 1); }}', dialects.WORDS[word])
    told(f'route {{ if (!{word}("x")) exit; }}', dialects.WORDS[word])


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ('for ($x in $(avp(s:y)[*])) { say("$var(x)"); }', "for"),
        ("async(say(1), NEXT);", "async"),
        ("launch(say(1), NEXT);", "launch"),
        ('if ($rm eq "INVITE") exit;', "eq"),
        ('if ($rm ne "INVITE" && $rU==NULL) { exit; } else exit;', "ne"),
        ("if (defined $rU) exit;", "defined"),
        ("if (!defined $rU && 1) exit;", "defined"),
        ("if (strlen($rU) > 3) exit;", "strlen"),
        ("if (strempty($rU) || 1) exit;", "strempty"),
    ],
)
def test_words_of_statements(text: str, word: str) -> None:
    told(f'route {{ {text} say("x"); }}', dialects.WORDS[word])


@pytest.mark.parametrize("name", dialects.VARIABLES)
def test_variables(name: str) -> None:
    told(f"route {{ if (${name}(a=>b)==1) exit; }}", dialects.VARIABLES[name])
    told(f"route {{ $var(x) = ${name}; }}", dialects.VARIABLES[name])
    told(f'route {{ say("x ${name} y"); }}', dialects.VARIABLES[name])


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ('route { if (@ruri.user == "x") exit; }', dialects.SELECT),
        ("route { route(A, 1); }\nroute[A] { exit; }", dialects.ARGUMENTS),
        ("route { $var(x)++; }", dialects.STEP),
        ("route { $var(x)--; }", dialects.STEP),
        ("route { switch ($rm) { case /INV.*/: exit; } }", dialects.LABEL),
        ('route { say("a",,"b"); }', dialects.HOLE),
        ('pstn.gw = "1.2.3.4" desc "x"\nroute { exit; }', dialects.SETTING),
    ],
)
def test_other_constructs(text: str, hint: str) -> None:
    told(text, hint)


@pytest.mark.parametrize("word", dialects.SOCKET)
def test_words_behind_a_socket(word: str) -> None:
    told(f"listen=udp:127.0.0.1:5060 {word} 4\nroute {{ exit; }}", dialects.SOCKET[word])
    told(f"listen=udp:127.0.0.1:5060 {word} 10.0.0.1:5060\nroute {{ exit; }}", dialects.SOCKET[word])


def test_a_mistake_beside_a_function_of_others_is_what_is_told() -> None:
    (found,) = errors('route { send_reply("404" "Not Found"); }')
    assert "two strings side by side" in found.message


def test_every_hint_says_whose_it_is_and_what_to_do() -> None:
    tables = (
        dialects.DIRECTIVES,
        dialects.TOP_LEVEL,
        dialects.PARAMETERS,
        dialects.WORDS,
        dialects.VARIABLES,
    )
    for table in tables:
        for hint in table.values():
            start, _, instead = hint.partition("; ")
            assert start.startswith("this is the language of ")
            assert instead
