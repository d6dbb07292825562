"""Sections 3.1, 3.6 and 3.7 of the language: codes, ends, loops, switches."""

from __future__ import annotations

from types import FunctionType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies

from openpy.script import statements
from openpy.script.compiler import STOP, compile_script
from openpy.script.syntax import Block, If, Number, Return, Route, RouteKind, Script


@pytest.mark.parametrize(
    ("body", "said", "result"),
    [
        pytest.param('code("5"); say("on");', ["on"], 1, id="3.1 positive goes on"),
        pytest.param('code("-5"); say("on");', ["on"], 1, id="3.1 negative goes on"),
        pytest.param('code("0"); say("on");', [], STOP, id="3.1 zero stops"),
        pytest.param('if (code("0")) { say("a"); } say("b");', [], STOP, id="3.1 zero in a condition stops"),
        pytest.param('if (!code("0")) { say("a"); } say("b");', [], STOP, id="3.1 zero under ! stops"),
        pytest.param('code("-3"); say("$rc/$retcode");', ["-3/-3"], 1, id="3.1 retcode of a call"),
        pytest.param('$var(x) = 1; say("$rc");', ["1"], 1, id="3.1 retcode of an assignment"),
        pytest.param('$ru = 5; say("$rc");', ["-1"], 1, id="3.1 retcode of a failed assignment"),
        pytest.param(
            'if (!code("-1")) { say("$rc"); } say("$rc");', ["-1", "1"], 1, id="3.1 read retcode at once"
        ),
        pytest.param('if (0) { say("a"); } say("$rc");', ["0"], 1, id="3.1 retcode of a false if"),
        pytest.param('if (1) {} say("$rc");', ["1"], 1, id="3.1 retcode of a true if without body"),
        pytest.param('if (1) {;;} else {;} say("$rc");', ["1"], 1, id="1.6 null statements"),
        pytest.param('if ($ru==5) {} say("$rc");', ["-1"], 1, id="3.1 retcode of an if in error"),
        pytest.param('if (0) {} else { code("-4"); } say("$rc");', ["-4"], 1, id="3.1 retcode of a branch"),
        pytest.param("return(7);", [], 7, id="3.1 return n"),
        pytest.param('return; say("never");', [], 1, id="3.1 return is 1"),
        pytest.param("return(-2);", [], -2, id="3.1 return of a negative"),
        pytest.param("return(0);", [], STOP, id="3.1 return(0) is exit"),
        pytest.param('exit; say("never");', [], STOP, id="3.1 exit"),
        pytest.param('if (1) { if (1) { exit; } } say("never");', [], STOP, id="3.1 exit from any depth"),
        pytest.param('code("-9");', [], -9, id="3.1 implicit result is the last code"),
        pytest.param("if (0) {}", [], 1, id="3.1 a false if at the end"),
        pytest.param(";", [], 1, id="3.1 nothing"),
        pytest.param('break; say("never");', [], 1, id="8.1b legacy break leaves the route"),
        pytest.param('if (0) say("a"); else if (1) say("b"); else say("c");', ["b"], 1, id="8.5 else if"),
        pytest.param('if (0) say("a"); else if (0) say("b"); else say("c");', ["c"], 1, id="8.5 else"),
        pytest.param('if (1) if (0) say("a"); else say("b");', ["b"], 1, id="2.1 dangling else"),
    ],
)
def test_codes(lab: Any, body: str, said: list[str], result: object) -> None:
    run = lab.run(body)
    assert (run.said, run.result) == (said, result)


@pytest.mark.parametrize(
    ("body", "route", "said"),
    [
        pytest.param("if (route(1)) { say('t'); } else { say('f'); }", "say('in'); code('-1');", ["in", "f"],
                     id="3.1 a route that ends in a failed test is false"),
        pytest.param("route(1); say('$rc');", "return(3);", ["3"], id="3.1 retcode of a route"),
        pytest.param("route(1); say('on');", "return(-3);", ["on"], id="3.1 a negative route goes on"),
        pytest.param("route(1); say('on');", "exit;", [], id="3.1 exit ends the caller too"),
        pytest.param("if (route(1)) { say('on'); }", "code('0');", [], id="3.1 zero ends the caller too"),
        pytest.param("route(1); say('on');", "while (1) { return; } say('no');", ["on"],
                     id="10 return in while leaves the route only"),
        pytest.param("route(1); say('$rc');", "if (0) {}", ["1"], id="3.1 a false if does not stop the caller"),
    ],
)  # fmt: skip
def test_routes(lab: Any, body: str, route: str, said: list[str]) -> None:
    assert lab.run(body, "route[1] {" + route + "}").said == said


def test_3_1_an_undefined_route_is_true(lab: Any) -> None:
    run = lab.run('if (route(9)) { say("$rc"); }')
    assert run.said == ["1"]
    assert run.log == ["test.cfg:2: route(9): null action list"]


def test_3_6_drop_sets_the_flag(lab: Any) -> None:
    run = lab.run('drop; say("never");')
    assert run.dropped
    assert run.result is STOP
    assert run.said == []


def test_3_7_recursion_ends_after_100_levels(lab: Any) -> None:
    run = lab.run("route(1);", """route[1] { $var(n) = $var(n) + 1; if (!route(1)) { say("full"); } }""")
    assert run.variables["n"] == 99
    assert run.log == ["test.cfg:4: route(1): too many recursive routing table lookups"]
    assert run.said == ["full"]
    assert run.depth == 0


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param(
            '$var(i) = 0; while ($var(i) < 3) { $var(i) += 1; } say("$var(i)");', ["3"], id="3.7 while"
        ),
        pytest.param("while (code('-1')) { say('x'); } say('$rc');", ["0"], id="3.7 retcode after while"),
        pytest.param(
            '$var(i) = 0; while (1) { $var(i) += 1; if ($var(i) == 4) break; say("$var(i)"); }',
            ["1", "2", "3"],
            id="8.24 break in while",
        ),
        pytest.param('while (1) { say("a"); exit; } say("b");', ["a"], id="3.7 exit in while"),
        pytest.param(
            'while (code("0")) { say("a"); } say("b");', [], id="3.7 zero in the condition of while"
        ),
        pytest.param('while ($ru==5) { say("a"); } say("$rc");', ["-1"], id="3.7 error in the condition"),
    ],
)
def test_while(lab: Any, body: str, said: list[str]) -> None:
    assert lab.run(body).said == said


def test_3_7_while_is_limited(lab: Any) -> None:
    run = lab.run('$var(i) = 0; while (1) { $var(i) += 1; } say("$var(i)");')
    assert run.said == ["100"]
    assert run.log == ["test.cfg:2: max while loops are encountered (100)"]


def test_max_while_loops_is_a_parameter(lab: Any) -> None:
    lab.environment.max_while_loops = 7
    assert lab.run('while (1) { $var(i) += 1; } say("$var(i)");').said == ["7"]


SWITCH = """switch ($var(x)) {
    case 1: say("one");
    case 2: say("two"); break;
    case -3: say("minus"); break;
    case "abc": say("text"); break;
    case "7": say("seven");
    case "def":
    default: say("other");
}"""


@pytest.mark.parametrize(
    ("value", "said"),
    [
        pytest.param(1, ["one", "two"], id="3.7 fall-through"),
        pytest.param(2, ["two"], id="3.7 break"),
        pytest.param(-3, ["minus"], id="8.22 negative label"),
        pytest.param("ABC", ["text"], id="3.7 text without case"),
        pytest.param("1", ["other"], id="3.7 text does not match a number"),
        pytest.param(7, ["seven", "other"], id="3.7 a number has a text view"),
        pytest.param("def", ["other"], id="10 fall-through into default"),
        pytest.param("xyz", ["other"], id="3.7 default"),
    ],
)
def test_switch(lab: Any, value: object, said: list[str]) -> None:
    assert lab.run(SWITCH, variables={"x": value}).said == said


@pytest.mark.parametrize(
    ("body", "said", "result"),
    [
        pytest.param(
            'code("-1"); switch ($rc) { case -2: exit; } say("$rc");', ["1"], 1, id="3.7 no match, no default"
        ),
        pytest.param(
            'switch ($rc) { case 1: say("$rc"); exit; } say("b");', ["1"], STOP, id="8.23 exit in a case"
        ),
        pytest.param("switch ($rc) { case 1: return(5); }", [], 5, id="3.7 return in a case"),
        pytest.param('switch ($rU) { case 1: say("a"); default: say("null"); }', ["null"], 1, id="3.7 NULL"),
        pytest.param(
            'switch ($sp) { case 1: say("a"); break; case 5070: say("b"); case "5070": say("c"); }',
            ["b", "c"],
            1,
            id="3.3 both views of a port",
        ),
        pytest.param(
            'switch ($rc) { case 1: if (1) { break; } say("no"); default: say("no"); } say("on");',
            ["on"],
            1,
            id="break in an if in a case leaves the switch",
        ),
        pytest.param(
            'switch ($rc) { case 1: while (1) { break; } say("yes"); }',
            ["yes"],
            1,
            id="break in a while in a case",
        ),
        pytest.param(
            'while (1) { $var(i) += 1; switch ($var(i)) { case 3: say("x"); break; case 5: exit; } }',
            ["x"],
            STOP,
            id="switch in while",
        ),
        pytest.param(
            "while (1) { $var(i) += 1; switch ($var(i)) { case 0: default: if (1) { break; } }"
            ' if ($var(i) > 4) break; } say("$var(i)");',
            ["5"],
            1,
            id="break belongs to the innermost",
        ),
        pytest.param(
            'switch ($rc) { case 1: break; default: say("no"); } say("on");', ["on"], 1, id="8.24 break alone"
        ),
    ],
)
def test_switches(lab: Any, body: str, said: list[str], result: object) -> None:
    run = lab.run(body)
    assert (run.said, run.result) == (said, result)


@pytest.mark.parametrize("opening", ["if (1) {", "while (1) {", "if (0) {} else {", "switch ($rc) { case 1:"])
@pytest.mark.parametrize("depth", [10, 25, 45])
def test_deep_nesting(lab: Any, opening: str, depth: int) -> None:
    assert lab.run(opening * depth + 'say("deep"); return(6);' + "}" * depth).result == 6


@pytest.mark.parametrize("waiting", ["", 'wait("1");'])
def test_break_and_exit_from_parts(lab: Any, waiting: str) -> None:
    deep = "if (1) {" * 30
    body = f'{waiting} while (1) {{ {deep} say("a"); break; {"}" * 30} say("no"); }} say("b"); {deep} exit; {"}" * 30}'
    run = lab.run(body)
    assert run.said == ["a", "b"]
    assert run.result is STOP


def blocks() -> strategies.SearchStrategy[str]:
    leaves = strategies.sampled_from(
        [
            "say('a');",
            "code('-2');",
            "exit;",
            "return(3);",
            "if (1) break;",
            "$var(i) += 1;",
            "say('$var(i)$rc');",
        ]
    )

    def around(inner: strategies.SearchStrategy[str]) -> strategies.SearchStrategy[str]:
        body = strategies.lists(inner, max_size=3).map("".join)
        condition = strategies.sampled_from(["1", "0", "$var(i) < 3", "!code('-1')", "$ru == 5"])
        return (
            strategies.tuples(condition, body, body).map(
                lambda x: f"if ({x[0]}) {{ {x[1]} }} else {{ {x[2]} }}"
            )
            | strategies.tuples(condition, body).map(lambda x: f"while ({x[0]}) {{ {x[1]} }}")
            | strategies.tuples(body, body).map(
                lambda x: f"switch ($var(i)) {{ case 0: {x[0]} case 1: say('1'); default: {x[1]} }}"
            )
        )

    return strategies.recursive(leaves, around, max_leaves=25)


@given(strategies.lists(blocks(), max_size=4).map(" ".join))
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_parts_change_nothing(lab: Any, body: str) -> None:
    lab.environment.max_while_loops = 5
    runs = []
    for nesting, large in ((statements.MAX_NESTING, statements.LARGE), (1, 5), (0, 1)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(statements, "MAX_NESTING", nesting)
            patch.setattr(statements.RouteWriter, "large", large)
            runs.append(lab.run("say('start');" + body))
    assert runs[0] == runs[1] == runs[2]


def test_a_break_deep_below_leaves_the_route(lab: Any) -> None:
    run = lab.run(
        "route(1); say('on');", "route[1] {" + "if (1) {" * 30 + "break;" + "}" * 30 + "say('no'); }"
    )
    assert run.said == ["on"]


@pytest.mark.parametrize("value", [1, 12, 13, 25, 300, 301])
def test_long_chains_of_else_if(lab: Any, value: int) -> None:
    links = "".join(f' else if ($var(x) == {n}) {{ say("{n}"); }}' for n in range(1, 301))
    body = 'if ($var(x) == 0) { say("0"); }' + links + ' else { say("none"); } say("on");'
    expected = str(value) if value <= 300 else "none"
    assert lab.run(body, variables={"x": value}).said == [expected, "on"]


def test_a_chain_of_else_if_keeps_codes_and_errors(lab: Any) -> None:
    links = " else if ($ru == 5) { say('no'); }" * 20
    run = lab.run("if (0) {}" + links + ' else if (code("-5")) {} say("$rc");')
    assert run.said == ["0"]
    assert len(run.log) == 20


def test_a_body_that_is_a_block_of_its_own(lab: Any) -> None:
    assert lab.run('if ({ say("a"); }) { say("b"); }').said == ["a", "b"]


def test_a_tree_may_have_blocks_in_blocks(lab: Any) -> None:
    inner = Block((Block(()), Return(4)))
    body = Block((If(Number(1), Block((Block(()),)), None), inner))
    program = compile_script(Script("tree.cfg", (Route(RouteKind.REQUEST, "0", body),)), lab.environment)
    assert lab.step(program, type(lab.run(";"))()) == 4


@pytest.mark.parametrize(
    ("statement", "result"),
    [
        ("return -1;", -1),
        ("return 5;", 5),
        ("return 0;", STOP),
        ("return;", 1),
        ("return $var(x);", 7),
        ("return($var(x));", 7),
        ("return $var(unset);", STOP),
        ("return $rU;", -1),
        ("if (1) { while (1) { return $var(x); } }", 7),
    ],
)
def test_return_with_a_value(lab: Any, statement: str, result: object) -> None:
    run = lab.run(f'$var(x) = 7; {statement} say("not reached");')
    assert (run.result, run.said) == (result, [])


def test_a_large_route_is_several_functions_of_moderate_size(lab: Any) -> None:
    body = 'if ($var(i) < 1000) { $var(i) += 1; say("x"); } ' * 400
    program = lab.compile("route { " + body + 'say("end"); }')
    parts = [
        value
        for value in program.scope.values()
        if isinstance(value, FunctionType) and value.__name__ == "route"
    ]
    assert len(parts) > 3
    assert sum(len(part.__code__.co_code) for part in parts) > 120_000
    assert max(len(part.__code__.co_code) for part in parts) < 70_000
    run = lab.run(body + 'say("end"); exit; say("never");')
    assert (len(run.said), run.said[-1], run.result) == (401, "end", STOP)
    assert lab.run("while (1) { " + body + " break; } return(7);").result == 7


@pytest.mark.parametrize("depth", [1, 13, 30, 45])
def test_loops_in_conditions_of_loops(lab: Any, depth: int) -> None:
    """Python has room for 20 loops within each other."""
    inner = "while (1) { " + "while ({ " * depth + "break; " + "}) { break; } " * depth + 'break; } say("x");'
    assert lab.run(inner).said == ["x"]
