"""How reading goes on after a mistake: all are found, and none is told twice."""

from __future__ import annotations

import pytest

from openpy.script.diagnostics import Diagnostic
from openpy.script.lexer import SourceText, tokenize
from openpy.script.reader import Reader
from openpy.script.syntax import Script


def read(text: str) -> tuple[Script | None, list[Diagnostic]]:
    tokens, found = tokenize(SourceText(text, "t.cfg"))
    return Reader("t.cfg", tokens, found).read(), found


def places(text: str) -> list[tuple[int, int]]:
    return [(d.position.line, d.position.column) for d in read(text)[1]]


def test_a_good_script_is_read_without_remarks() -> None:
    script, found = read("debug=3 route { a(); }")
    assert script is not None
    assert len(script.statements) == 2
    assert not found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # repairs
        ("route { a() b() c(); d() }", [(1, 12), (1, 16), (1, 25)]),
        ("route { if (a() { b() } c(); }", [(1, 12), (1, 22)]),
        ("route { if (a() && (b() { c() } }", [(1, 20), (1, 30)]),
        ("route {\n if (a(\n b();\n c() }", [(3, 3), (4, 5)]),
        ("route { a()); b() }", [(1, 12), (1, 18)]),
        # the block behind a broken head is read
        ("route { if (a() b()) { c() } else { d() } }", [(1, 17), (1, 27), (1, 40)]),
        ("route { while (=) { c() } }", [(1, 16), (1, 24)]),
        ("route { switch (a) { case 1: b() case 2: c() } }", [(1, 17), (1, 33), (1, 45)]),
        ("route[ { a() }", [(1, 8), (1, 13)]),
        ("failure_route 1 { a() }\nroute { b() }", [(1, 15), (1, 22), (2, 12)]),
        # the statement is dropped
        ("route { f(,); g() }", [(1, 11), (1, 18)]),
        ("route { if (a() b()) c(); else d(); e() }", [(1, 17), (1, 40)]),
        ("route { if (a()) f(,); else d() }", [(1, 20), (1, 32)]),
        ("route { if (a()) f(,) }", [(1, 20)]),
        ("route { while (=) a(); b() }", [(1, 16), (1, 27)]),
        ("route {\n f(,\n if (a()) b()\n}", [(2, 4), (3, 14)]),
        ("route { switch ($rc) { case 1: f(, case 2: b() } }", [(1, 34), (1, 47)]),
        ("route { if (a()) { b(); }; else { c() } d() }", [(1, 28), (1, 38), (1, 44)]),
        # outside of routes
        ("debug 3\nfork 1\nport=x:y\nroute { a() }", [(1, 1), (2, 1), (3, 7), (4, 12)]),
        ("a();\nb();\nif (c()) { d(); }\nfork=no\nroute { e() }", [(1, 1), (5, 12)]),
        ("startup_route { a(); b() }\nroute { c() }", [(1, 1), (2, 12)]),
        ("loadmodule loadmodule 1\nroute { c() }", [(1, 12), (1, 23), (2, 12)]),
        # a block that is not closed
        ("route { a();\nroute[1] { b() }\nfailure_route[1] { c() }", [(1, 7), (2, 15), (3, 23)]),
        ("route { if (a(\nmodparam('a', 'b', 1)\nroute { b() }", [(1, 7), (3, 12)]),
        ("route { route failure_route[1] { a() }\nroute[1] { b() }", [(1, 7), (1, 37), (2, 15)]),
        ("loadmodule {\nroute { c() }", [(1, 12), (2, 12)]),
    ],
)
def test_each_mistake_is_told_once(text: str, expected: list[tuple[int, int]]) -> None:
    assert places(text) == expected


def test_nothing_is_told_behind_a_quote_that_turned_strings_inside_out() -> None:
    assert places('route {\n a() b("x);\n c("y"); d()\n}\nroute { e("z") f( }') == [(2, 5), (2, 8)]


def test_nothing_is_told_behind_an_unclosed_comment() -> None:
    assert places("route { a() b(); /*") == [(1, 18), (1, 12)]


def test_there_is_an_end_to_mistakes() -> None:
    found = read("route { " + "f(,); " * 500 + "}")[1]
    assert len(found) == 101
    assert "too many mistakes" in found[-1].message


def test_keywords_are_words_where_only_a_word_fits() -> None:
    assert read("alias=if route[exit] { route(drop); f(while, if); }")[1] == []
    assert places("route { $var(x) = if; while; }") != []
