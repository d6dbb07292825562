"""What a cursor is in."""

from __future__ import annotations

import pytest

from openpy.editor.context import Context, context_at, token_at
from openpy.script.syntax import RouteKind
from tests.editor.conftest import marked


def context(text: str) -> Context:
    return context_at(*marked(text))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("deb^", None),
        ("route[1] { a(); ^", RouteKind.REQUEST),
        ("route { } ^", None),
        ("failure_route [ X ] { if (a()) { ^ } }", RouteKind.FAILURE),
        ("reply_route {^", RouteKind.ONREPLY),
        ("debug=1\n/* { */ request_route { a('{'); }\nbranch_route[1] {\n^", RouteKind.BRANCH),
    ],
)
def test_the_kind_of_route(text: str, kind: RouteKind | None) -> None:
    assert context(text).route is kind


@pytest.mark.parametrize(
    ("text", "called", "argument"),
    [
        ("route { a(^", "a", 0),
        ("route { a(1, b(2, 3), ^", "a", 2),
        ("route { a(1, b(^", "b", 0),
        ("route { a(1); ^", "", 0),
        ('modparam("x", "^', "modparam", 1),
        ("route { ^", "", 0),
    ],
)
def test_the_function_that_is_called(text: str, called: str, argument: int) -> None:
    found = context(text)
    assert (found.called, found.argument if called else 0) == (called, argument)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("route { ab^", Context(word="ab")),
        ("route { a # b^", Context(is_comment=True)),
        ("# b\nroute { ^", Context()),
        ("/* b ^", Context(is_comment=True)),
        ("#!ifde^", Context(directive="ifde")),
        ("#!ifdef FO^", Context(directive="ifdef FO")),
        ("#!ifdef FOO\nx^", Context(word="x")),
        ("a('x^", Context(string="x")),
        ('a("x\\"y$^', Context(string='x\\"y$')),
        ("$var(x^", Context(word="x")),
        ("", Context()),
    ],
)
def test_what_is_written_so_far(text: str, expected: Context) -> None:
    found = context(text if "^" in text else "^")
    shown = (found.word, found.string, found.directive, found.is_comment)
    assert shown == (expected.word, expected.string, expected.directive, expected.is_comment)


@pytest.mark.parametrize(
    ("text", "begins"),
    [
        ("route { ^", True),
        ("route { a(); b^", True),
        ("route { if (^", False),
        ("de^", True),
        ("route { else ^", True),
    ],
)
def test_where_a_statement_begins(text: str, begins: bool) -> None:
    assert context(text).begins_statement is begins


@pytest.mark.parametrize(
    ("text", "token"),
    [
        ("route { ab^c(); }", "abc"),
        ("route { abc^(); }", "abc"),
        ("route { abc(^); }", ")"),
        ("route { a(); ^ }", None),
        ("route { # a^b\n}", None),
        ("route { a('b^c'); }", "'bc'"),
        ("a ^", None),
    ],
)
def test_the_token_at_a_cursor(text: str, token: str | None) -> None:
    found = token_at(*marked(text))
    assert (found and found.token.text) == token
    if found:
        plain = text.replace("^", "")
        assert plain[found.start : found.end] == token
