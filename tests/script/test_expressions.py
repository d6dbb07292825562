"""Sections 3.2, 3.8 and 3.9 of the language: truth, error_route, assignment; and order of evaluation."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies

from openpy.script.compiler import STOP
from openpy.script.diagnostics import ScriptError
from openpy.script.environment import PseudoVariableSpec


@pytest.mark.parametrize(
    ("condition", "verdict"),
    [
        ("1", "true"),
        ("0", "false"),
        ("-1", "true"),
        ("$rU", "false"),
        ("$empty", "false"),
        ("$var(unset)", "false"),
        ("$rs", "true"),
        ("$sp", "true"),
        ("$(rU{s.len})", "error"),
        ("[1+1]", "true"),
        ("[1-1]", "false"),
        ('[$ru+"x"]', "true"),
        ("[$ru+1]", "error"),
        ('code("1")', "true"),
        ('code("-1")', "false"),
        ('code("0")', "stop"),
        ("$var(x) = 0", "true"),
        ("$ru = 5", "false"),
        ("$ru == 5", "error"),
        ("!($ru == 5)", "error"),
        ("!($ru == 5) || 1", "error"),
        ("$ru == 5 || 1", "error"),
        ("$ru == 5 && 1", "error"),
        ("1 && $ru == 5", "error"),
        ("0 && $ru == 5", "false"),
        ("0 || $ru == 5", "error"),
        ("1 || $ru == 5", "true"),
        ("0 || 1", "true"),
        ("1 && 0", "false"),
        ("1 || 0 && 0", "false"),
        ("1 || (0 && 0)", "true"),
        ('code("-1") || code("1")', "true"),
        ('code("1") || code("0")', "true"),
        ('code("-1") || code("0")', "stop"),
        ('code("-1") && code("0")', "false"),
        ('!code("-1")', "true"),
        ("!1", "false"),
        ("!!1", "true"),
        ("!method==\"ACK\"", "true"),
        ("!$rs==200", "false"),
        ("from_uri==\"x\"", "error"),
        ("from_uri==\"x\" || 1", "error"),
        ("1 && !(from_uri==\"x\") || 1", "error"),
        ("{ code(\"1\"); }", "true"),
        ("{ code(\"-1\"); }", "false"),
        ("if (1) { code(\"-1\"); }", "false"),
        ("exit", "stop"),
        ("$var(a)", "false"),
    ],
)  # fmt: skip
def test_3_2_truth(lab: Any, condition: str, verdict: str) -> None:
    assert lab.truth(condition) == verdict


def test_3_2_an_error_is_logged_and_takes_the_else(lab: Any) -> None:
    run = lab.run('if ($ru == 5) { say("a"); } else { say("b"); }')
    assert run.said == ["b"]
    assert run.log == ["test.cfg:2: error in expression"]


def test_retcode_inside_of_a_condition(lab: Any) -> None:
    assert lab.run('if (!code("-4") && $rc == -4) { say("$rc"); }').said == ["-4"]


@pytest.mark.parametrize("route", ["return(3);", 'wait("3");'])
def test_route_calls_are_conditions_and_values(lab: Any, route: str) -> None:
    body = 'if (route(1) && $rc == 3) { $var(a) = route(1) + route(1); say("$var(a)"); }'
    run = lab.run(body, f"route[1] {{ {route} }}")
    assert run.said == ["6"]
    assert run.depth == 0


def test_a_route_call_can_end_the_script(lab: Any) -> None:
    assert lab.run('if (!route(1)) { say("no"); } say("no");', "route[1] { exit; }").result is STOP


def test_an_unbound_call_is_no_code(lab: Any) -> None:
    with pytest.raises(ScriptError, match="unknown command nope"):
        lab.run('if (nope("x") && $nope == 1) { $nope = 2; }')


def test_return_in_a_condition_leaves_the_route(lab: Any) -> None:
    assert lab.run('if (return(4)) { say("no"); }').result == 4


@pytest.mark.parametrize("count", [2, 30, 400])
def test_long_chains(lab: Any, count: int) -> None:
    assert lab.truth(" && ".join(["1"] * count)) == "true"
    assert lab.truth(" || ".join(["0"] * count)) == "false"
    assert (
        lab.run("$var(x) = 1" + " + $var(one)" * count + ";", variables={"one": 1}).variables["x"]
        == count + 1
    )


@pytest.mark.parametrize(
    ("statement", "value"),
    [
        pytest.param("$var(a) = 5;", 5, id="int"),
        pytest.param('$var(a) = "x";', "x", id="string"),
        pytest.param("$var(a) = foo;", "foo", id="2.1 a bare word is a string"),
        pytest.param('$var(a) = "$ru";', "$ru", id="strings are not formats"),
        pytest.param("$var(a) = NULL;", 0, id="3.9 NULL makes a variable 0"),
        pytest.param("$var(a) = $ru;", "sip:bob@Example.com", id="from another"),
        pytest.param("$var(a) = $sp;", "5070", id="3.3 a port is stored as text"),
        pytest.param("$var(a) = $sp + 1;", 5071, id="10 a port counts as a number"),
        pytest.param("$var(a) = $(sp{s.int}) + 1;", 5071, id="3.3 s.int"),
        pytest.param('$var(a) = "a" + "b" + $rd;', "abExample.com", id="3.9 + joins"),
        pytest.param("$var(a) = 2 + 3 * 4;", 20, id="2.1 equal precedence"),
        pytest.param("$var(a) = 7 % 4 * 2;", 6, id="2.1 left to right"),
        pytest.param("$var(a) = 6 & 3 | 8;", 10, id="2.1 bits"),
        pytest.param("$var(a) = ~5 + 1;", -5, id="2.1 bit-not first"),
        pytest.param("$var(a) = ~$rs;", -201, id="bit-not of a variable"),
        pytest.param("$var(a) = ~$ru;", 9, id="bit-not of text fails"),
        pytest.param("$var(a) = 7 / 0;", 0, id="3.9 division by zero"),
        pytest.param("$var(a) = 2147483647 + 1;", -2147483648, id="3.9 wrap"),
        pytest.param("$var(a) = $rs == 200;", 1, id="2.1 a comparison is 1"),
        pytest.param("$var(a) = $rs == 404;", 0, id="2.1 or 0"),
        pytest.param("$var(a) = $ru == 5;", -1, id="2.1 or -1"),
        pytest.param('$var(a) = code("-7");', -7, id="2.1 the code of a call"),
        pytest.param('$var(a) = code("4") + code("3") + $rc;', 10, id="from left to right"),
        pytest.param('$var(a) = $var(b) + code("3");', 4, id="the left side first"),
        pytest.param("$var(a) = route(1);", 1, id="the code of a route"),
        pytest.param("$var(a) += 3;", 12, id="10 compound assignment"),
        pytest.param("$var(a) -= 3;", 6, id="-="),
        pytest.param("$var(a) *= 3;", 27, id="*="),
        pytest.param("$var(a) /= 2;", 4, id="/="),
        pytest.param("$var(a) %= 2;", 1, id="%="),
        pytest.param("$var(a) &= 1;", 1, id="&="),
        pytest.param("$var(a) |= 6;", 15, id="|="),
        pytest.param("$var(a) ^= 1;", 8, id="^="),
        pytest.param("$var(a) := 5;", 5, id=":="),
        pytest.param("$var(a) = $rU;", 9, id="3.9 NULL on the right"),
        pytest.param('$var(a) = 1 + "x";', 9, id="3.9 int + string"),
        pytest.param('$var(a) = "x" + 1;', 9, id="3.9 string + number"),
    ],
)
def test_3_9_assignment(lab: Any, statement: str, value: object) -> None:
    run = lab.run(statement, variables={"a": 9, "b": 1})
    assert run.variables["a"] == value
    assert run.rc == (1 if value != 9 else -1)


def test_3_9_a_failed_assignment_says_why(lab: Any) -> None:
    assert lab.run("$var(a) = $rU;").log == ["test.cfg:2: no value in right expression"]
    assert "test.cfg:2: invalid numeric operands" in lab.run('$var(a) = 1 + "x";').log


def test_3_9_avps_add_and_replace(lab: Any) -> None:
    assert lab.run("$avp(s:x) = 1; $avp(s:x) = 2;").avps == [2, 1]
    assert lab.run("$avp(s:x) = 1; $avp(s:x) := 2;").avps == [2]
    assert lab.run("$avp(s:x) = 1; $avp(s:x) = 2; $avp(s:x) = NULL;").avps == [1]
    assert lab.run("$avp(s:x) = 1; $avp(s:x) = 2; $avp(s:x) := NULL;").avps == []
    assert lab.run("$avp(s:x) = 1; $avp(s:x) += 2;").avps == [3, 1]
    assert lab.run("$avp(s:x) += 2;").rc == -1


def test_string_only_targets_refuse_numbers(lab: Any) -> None:
    run = lab.run('$ru = "sip:x"; if ($ru = 5) { say("no"); }')
    assert run.uri == "sip:x"
    assert run.said == []
    assert run.log[0] == "test.cfg:2: the variable cannot have this value"
    assert lab.run("$var(n) = 5; $ru = $var(n);").log == run.log[:1]


LEAVES = {"1": 1, "0": 0, "$ru == 5": -1, "$rs == 200": 1, 'code("1")': 1, 'code("-1")': 0, 'code("0")': None}
"""Conditions and their value in 3.2: 1 true, 0 false, -1 error, None stop."""

Tree = str | tuple[Any, ...]


def trees() -> strategies.SearchStrategy[Tree]:
    leaves: strategies.SearchStrategy[Tree] = strategies.sampled_from(sorted(LEAVES))
    return strategies.recursive(
        leaves,
        lambda inner: (
            strategies.tuples(strategies.just("!"), inner)
            | strategies.tuples(strategies.sampled_from(["&&", "||"]), inner, inner)
        ),
        max_leaves=12,
    )


def written(tree: Tree) -> str:
    if isinstance(tree, str):
        return tree
    if tree[0] == "!":
        return f"!({written(tree[1])})"
    return f"({written(tree[1])}) {tree[0]} ({written(tree[2])})"


def expected(tree: Tree) -> int | None:
    """The table of 3.2, word for word."""
    if isinstance(tree, str):
        return LEAVES[tree]
    first = expected(tree[1])
    if first is None:
        return None
    if tree[0] == "!":
        return first if first < 0 else 1 - first
    goes_on = first == 1 if tree[0] == "&&" else first == 0
    return expected(tree[2]) if goes_on else first


@given(trees())
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_3_2_any_condition(lab: Any, tree: Tree) -> None:
    names = {1: "true", 0: "false", -1: "error", None: "stop"}
    assert lab.truth(written(tree)) == names[expected(tree)]


ERROR_ROUTE = "error_route { say('error'); %s }"


def test_3_8_error_route_runs_and_the_script_goes_on(lab: Any) -> None:
    run = lab.run('spoil(); say("$rc"); if (!spoil()) { say("b"); }', ERROR_ROUTE % "")
    assert run.said == ["error", "-7", "error", "b"]
    assert run.error_class == 0


def test_3_8_exit_in_error_route_ends_the_script(lab: Any) -> None:
    run = lab.run('spoil(); say("a");', ERROR_ROUTE % "exit;")
    assert run.said == ["error"]
    assert run.result is STOP


def test_3_8_an_error_route_may_wait(lab: Any) -> None:
    assert lab.run('spoil(); say("a");', ERROR_ROUTE % 'wait("1");').said == ["error", "a"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("if ($spoiled) say('yes'); say('on');", ["error", "on"]),
        ("if (!$spoiled) say('no'); say('on');", ["no", "error", "on"]),
        ("while ($spoiled) say('never'); say('on');", ["error", "on"]),
        ("switch ($spoiled) { case 1: say('never'); } say('on');", ["error", "on"]),
    ],
)
def test_3_8_a_condition_may_leave_an_error_too(lab: Any, text: str, said: list[str]) -> None:
    def spoil(run: Any) -> None:
        run.error_class = 1

    lab.environment.pseudo_variables["spoiled"] = PseudoVariableSpec("spoiled", lambda inner, index: spoil)
    assert lab.run(text, ERROR_ROUTE % "").said == said
