from __future__ import annotations

import pytest

from openpy.script.parser import parse
from openpy.script.syntax import And, Block, Call, If, Node, Not, Number, String
from openpy.script.traversal import MAX_DEPTH, chained_if, children, first_too_deep, same, walk


def parsed(body: str) -> Node:
    return parse("route {" + body + "}", "test.cfg").script.statements[0]


def test_children_come_in_the_order_of_the_text() -> None:
    node = If(And(Number(1), Number(2)), Block((Call("a", ()),)), None)
    assert list(children(node)) == [node.condition, node.body]
    assert list(children(node.condition)) == [Number(1), Number(2)]


def test_walk_sees_everything_in_order() -> None:
    names = [
        node.name
        for node in walk(parsed('a("1"); if (b("2")) { c("3"); } d("4");'))
        if isinstance(node, Call)
    ]
    assert names == ["a", "b", "c", "d"]
    texts = [node.value for node in walk(parsed('a("1"); b("2");')) if isinstance(node, String)]
    assert texts == ["1", "2"]


@pytest.mark.parametrize(
    "body",
    [
        "if (1) {" * (MAX_DEPTH + 1) + 'a("");' + "}" * (MAX_DEPTH + 1),
        "while (1) {" * (MAX_DEPTH + 1) + 'a("");' + "}" * (MAX_DEPTH + 1),
        "$var(x) = " + "(1+" * (MAX_DEPTH + 1) + "1" + ")" * (MAX_DEPTH + 1) + ";",
    ],
)
def test_deep_is_found(body: str) -> None:
    assert first_too_deep(parsed(body)) is not None


@pytest.mark.parametrize(
    "body",
    [
        "if (1" + " && 1" * 500 + ') a("");',
        "$var(x) = 1" + " + 1" * 500 + ";",
        "if (1) { a(); }" + " else if (1) { a(); }" * 500,
        'a("");' * 500,
        "if (1) {" * 90 + 'a("");' + "}" * 90,
    ],
)
def test_chains_are_flat(body: str) -> None:
    assert first_too_deep(parsed(body)) is None


def test_depth_needs_no_recursion() -> None:
    node: Node = Number(1)
    for _ in range(10_000):
        node = Not(node)  # type: ignore[arg-type]
    assert first_too_deep(node) is not None
    assert sum(1 for _ in walk(node)) == 10_001


def test_chained_if() -> None:
    inner = If(Number(1), Block(()), None)
    assert chained_if(Block((inner,))) is inner
    assert chained_if(Block((inner, inner))) is None
    assert chained_if(None) is None


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ('if (uri == myself) { a("1"); }', 'if(uri==myself)\n\n{ a("1"); }', True),
        ('a("1");', 'a("2");', False),
        ('a("1");', 'a("1"); a("1");', False),
        ('a("1");', "a(1);", False),
        ("$var(x) = 1;", '$var(x) = "1";', False),
        ("if (1) { a(); }", "if (1) { a(); } else { b(); }", False),
        ("switch ($rc) { case 1: a(); }", "switch ($rc) { case 1: a(); break; }", False),
        ("return(1);", "return(2);", False),
        ("if (1" + " && 1" * 5000 + ') a("");', "if (1" + " && 1" * 5000 + ') a("");', True),
        ("if (1" + " && 1" * 5000 + ') a("");', "if (0" + " && 1" * 5000 + ') a("");', False),
    ],
)
def test_trees_are_the_same_wherever_they_stand(one: str, other: str, expected: bool) -> None:
    assert same(parsed(one), parsed(other)) is expected
    assert same(parsed(one), parsed(one))
