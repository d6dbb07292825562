from __future__ import annotations

from types import CodeType
from typing import Any

import pytest

from openpy.script.callgraph import routes_of
from openpy.script.comparisons import Verdict
from openpy.script.compiler import STOP, Program, compile_script
from openpy.script.parser import parse
from openpy.script.syntax import (
    Assignment,
    Call,
    Comparison,
    Expression,
    Operand,
    Position,
    PseudoVariable,
    Route,
    RouteCall,
    RouteKind,
    Statement,
)
from openpy.script.traversal import walk
from openpy.script.values import Value


class Ear:
    """Keeps what it hears, a word each."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.lines: list[int] = []

    def entered(self, run: Any, route: Route) -> None:
        self.heard.append(f"route:{route.name}")

    def reached(self, run: Any, node: Statement) -> None:
        self.heard.append(type(node).__name__)
        self.lines.append(node.position.line)

    def opened(self, run: Any, position: Position) -> None:
        self.heard.append("{")

    def read(self, run: Any, node: PseudoVariable | Operand, value: Value) -> None:
        name = node.text if isinstance(node, PseudoVariable) else node.name
        self.heard.append(f"{name}={value}")

    def tested(self, run: Any, node: Expression, verdict: Verdict, decides: bool) -> Verdict:
        name = node.operator if isinstance(node, Comparison) else type(node).__name__
        self.heard.append(f"{name}:{verdict}{'!' if decides else ''}")
        return verdict

    def calling(self, run: Any, node: Call) -> None:
        self.heard.append(f"{node.name}(")

    def expanded(self, run: Any, node: Call, number: int, value: Value) -> None:
        self.heard.append(f"{number}={value}")

    def called(self, run: Any, node: Call, code: int) -> None:
        self.heard.append(f"){code}")

    def assigned(self, run: Any, node: Assignment, value: Value, succeeded: bool) -> None:
        self.heard.append(f"{node.target.text}<-{value}" if succeeded else f"{node.target.text} failed")

    def returned(self, run: Any, node: RouteCall, code: int) -> None:
        self.heard.append(f"route({node.name}){code}")


def heard(lab: Any, body: str, *others: str) -> tuple[str, Any]:
    """What an observer hears of `route { body }`, and the run."""
    ear = Ear()
    text = "route {\n" + body + "\n}\n" + "\n".join(others)
    program = compile_script(parse(text, "test.cfg").script, lab.environment, ear)
    run = type(lab.run(";"))()
    run.result = lab.step(program, run)
    return " ".join(ear.heard), run


CONSTRUCTS = {
    # calls and their arguments
    'code("5");': "Call code( )5",
    'say("plain");': "Call say( )1",
    'say("to $rd");': "Call say( 0=to Example.com )1",
    'wait("2"); say("$rd");': "Call wait( )2 Call say( 0=Example.com )1",
    'code("0"); say("never");': "Call code( )0",
    # assignments
    "$var(x) = 5;": "Assignment $var(x)<-5",
    '$var(x) = "a" + $rd;': "Assignment $rd=Example.com $var(x)<-aExample.com",
    "$var(x) += 2;": "Assignment $var(x)=0 $var(x)<-2",
    "$var(x) = $rU + 1;": "Assignment $rU=None $var(x) failed",
    "$ru = 5;": "Assignment $ru failed",
    "$avp(s:x) = NULL;": "Assignment $avp(s:x)<-None",
    # conditions
    "if (1) exit;": "If Number:True! { Exit",
    "if ($var(x)) exit;": "If $var(x)=0 PseudoVariable:False!",
    'if (code("-1")) exit; else return;': "If code( )-1 Call:False! { Return",
    'if (method == "INVITE") exit;': "If method=INVITE ==:True! { Exit",
    'if (method =~ "^B") exit;': "If method=INVITE =~:False!",
    "if (uri == myself) exit;": "If uri=sip:bob@Example.com ==:True! { Exit",
    "if ($ru == myself) exit;": "If uri=sip:bob@Example.com ==:True! { Exit",
    "if (src_ip == 10.0.0.0/8) exit;": "If src_ip=10.1.2.3 ==:True! { Exit",
    "if (src_port > 5060) exit;": "If src_port=5070 >:True! { Exit",
    "if ($rU == NULL) exit;": "If $rU=None ==:True! { Exit",
    "if ($rp == $sp) exit;": "If $rp=5060 $sp=5070 ==:False!",
    'if ($(rU{s.len}) == 3) exit; say("b");': "If $(rU{s.len})=None ==:-1! Call say( )1",
    "if (!($rs == 200)) exit;": "If $rs=200 ==:True Not:False!",
    'if ($rs == 200 && method == "BYE") exit;': "If $rs=200 ==:True method=INVITE ==:False And:False!",
    'if ($rs == 200 || method == "BYE") exit;': "If $rs=200 ==:True Or:True! { Exit",
    "if ([$rs - 200]) exit;": "If $rs=200 ArithmeticTruth:False!",
    "if ($rs == 1) exit; else if ($rs == 200) drop; else return;": "If $rs=200 ==:False! If $rs=200 ==:True! { Drop",
    # loops and branches
    "while ($var(i) < 2) { $var(i) += 1; }": (
        "While $var(i)=0 <:True! { Assignment $var(i)=0 $var(i)<-1 "
        "$var(i)=1 <:True! { Assignment $var(i)=1 $var(i)<-2 $var(i)=2 <:False!"
    ),
    "while (1) { break; }": "While Number:True! { Break",
    'switch ($rs) { case 200: code("3"); break; default: exit; }': "Switch $rs=200 { Call code( )3",
    'switch ($rs) { case 1: code("3"); break; default: exit; }': "Switch $rs=200 { Exit",
    # leaving
    "exit; say();": "Exit",
    "return(7);": "Return",
    "drop;": "Drop",
    ";": "",
    # routes
    "route(1);": "RouteCall route:1 Return route(1)3",
    "route(2); exit;": "RouteCall route:2 Exit",
    "route(9);": "RouteCall route(9)1",
}


@pytest.mark.parametrize("body", CONSTRUCTS)
def test_what_is_told_of_each_construct(lab: Any, body: str) -> None:
    told, _ = heard(lab, body, "route[1] { return(3); }", "route[2] { exit; }")
    assert told == f"route:0 {CONSTRUCTS[body]}".rstrip()


def test_an_error_route_is_told(lab: Any) -> None:
    told, run = heard(lab, 'spoil(); say("on");', 'error_route { say("mended"); }')
    assert told == "route:0 Call spoil( )-7 route: Call say( )1 Call say( )1"
    assert run.said == ["mended", "on"]


def test_a_function_that_raises_is_not_told_as_called(lab: Any) -> None:
    ear = Ear()
    program = compile_script(parse("route { fail(); }", "t.cfg").script, lab.environment, ear)
    with pytest.raises(RuntimeError):
        program.routes[RouteKind.REQUEST, "0"].function(type(lab.run(";"))())
    assert ear.heard == ["route:0", "Call", "fail("]


def test_events_have_the_lines_of_the_script(lab: Any) -> None:
    ear = Ear()
    text = "route {\n\tif ($rs == 1)\n\t\texit;\n\telse if ($rs == 200) {\n\t\treturn;\n\t}\n}\n"
    lab.step(compile_script(parse(text, "t.cfg").script, lab.environment, ear), type(lab.run(";"))())
    assert ear.lines == [2, 4, 5]


def test_blocks_that_became_functions_of_their_own_are_told(lab: Any) -> None:
    deep = "if ($rs == 200) { " * 16 + "exit;" + " }" * 16
    told, run = heard(lab, deep)
    assert told.count("If $rs=200 ==:True! {") == 16
    assert told.endswith("Exit")
    assert run.result is STOP


SAME = [
    *CONSTRUCTS,
    'if ($rs == 1) { } say("$retcode"); while ($var(i) < 500) { $var(i) += 1; } say("$var(i) $rc");',
]


MANY = 'say("$rd"); $var(n) += 1; if ($var(n) == 3) { say("three"); } else { $var(m) = $rs; } ' * 40
LONG = [
    MANY + 'say("$var(n)");',
    MANY + "return(7); " + MANY,
    MANY + "if ($rs == 200) { " + MANY + "exit; } " + MANY,
    "while ($var(i) < 3) { $var(i) += 1; " + MANY + "if ($var(i) == 2) { break; } " + MANY + "}" + MANY,
    "while ($var(i) < 3) { $var(i) += 1; " + MANY + "break; }" + MANY,
    "if ($rs == 200) { " + MANY + "break; " + MANY + '} say("on");',
    "switch ($rs) { case 200: " + MANY + "if ($rs == 200) break; " + MANY + " break; default: exit; }" + MANY,
    MANY + 'wait("2"); ' + MANY + "drop;",
]


@pytest.mark.parametrize("body", LONG)
def test_what_is_long_is_cut_into_functions_and_does_the_same(lab: Any, body: str) -> None:
    plain = lab.run(body)
    _, observed = heard(lab, body)
    assert observed == plain
    program = compile_script(parse("route { " + body + " }", "t.cfg").script, lab.environment, Ear())
    functions = program.routes[RouteKind.REQUEST, "0"].function.__globals__
    sizes = [len(made.__code__.co_code) for made in functions.values() if hasattr(made, "__code__")]
    assert len(sizes) > 10
    assert max(sizes) < 20_000


@pytest.mark.parametrize("body", SAME)
def test_an_observed_program_does_what_the_plain_one_does(lab: Any, body: str) -> None:
    others = ("route[1] { return(3); }", "route[2] { exit; }")
    plain = lab.run(body, *others)
    _, observed = heard(lab, body, *others)
    assert observed == plain


PLAIN = (
    "route { if (uri == myself && $rs > 100) { route(1); } while ($var(i) < 3) { $var(i) += 1; } "
    'say("$rd"); switch ($rs) { case 1: exit; default: drop; } } route[1] { wait("1"); }'
)


def codes(program: Program) -> list[tuple[Any, ...]]:
    found = []
    for route in program.routes.values():
        code: CodeType = route.function.__code__
        found.append((code.co_code, code.co_consts, code.co_names, code.co_varnames, list(code.co_lines())))
    return found


def test_the_plain_program_is_the_same_bytes_beside_an_observed_one(lab: Any) -> None:
    script = parse(PLAIN, "test.cfg").script
    before = compile_script(script, lab.environment)
    ear = Ear()
    observed = compile_script(script, lab.environment, ear)
    after = compile_script(script, lab.environment)
    assert codes(before) == codes(after)
    assert codes(before) != codes(observed)
    for program in (before, after):
        for route in program.routes.values():
            named = route.function.__globals__
            assert ear not in named.values()
            assert not any(type(value).__module__.endswith("observing") for value in named.values())


def test_every_statement_of_a_tree_can_be_told(lab: Any) -> None:
    ear = Ear()
    script = parse(PLAIN, "test.cfg").script
    run = type(lab.run(";"))()
    lab.step(compile_script(script, lab.environment, ear), run)
    kinds = {type(node).__name__ for route in routes_of(script) for node in walk(route)}
    assert {"If", "While", "Switch", "RouteCall", "Call", "Assignment", "Drop"} <= kinds & set(ear.heard)


def test_what_cannot_be_bound_is_an_error_all_the_same(lab: Any) -> None:
    from openpy.script.diagnostics import ScriptError

    text = 'route { nothing(); $rs = 1; if ($nothing == 1) { } if (nothing == 1) { } say("$nothing"); }'
    with pytest.raises(ScriptError) as plain:
        compile_script(parse(text, "t.cfg").script, lab.environment)
    with pytest.raises(ScriptError) as observed:
        compile_script(parse(text, "t.cfg").script, lab.environment, Ear())
    assert observed.value.diagnostics == plain.value.diagnostics
