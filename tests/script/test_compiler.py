from __future__ import annotations

import inspect
import traceback
from pathlib import Path
from typing import Any

import pytest

from openpy.script.compiler import STOP, compile_script
from openpy.script.diagnostics import ScriptError
from openpy.script.parser import parse
from openpy.script.syntax import RouteKind

KINDS = """
route { wait("1"); route(1); }
route[1] { say("one"); }
route[NAMED] { route(1); }
failure_route[1] { exit; }
branch_route[1] { drop; }
onreply_route { say("all"); }
onreply_route[2] { say("two"); }
error_route { exit; }
"""


def test_every_route_is_compiled(lab: Any) -> None:
    program = lab.compile(KINDS)
    assert program.file == "test.cfg"
    assert [(kind.value, name) for kind, name in program.routes][:4] == [
        ("route", "0"),
        ("route", "1"),
        ("route", "NAMED"),
        ("failure_route", "1"),
    ]
    assert len(program.routes) == 8
    assert program.route(RouteKind.REQUEST, "7") is None
    named = program.route(RouteKind.REQUEST, "NAMED")
    assert named is not None
    assert (named.kind, named.name, named.position.line) == (RouteKind.REQUEST, "NAMED", 4)


def test_only_routes_that_can_wait_are_coroutines(lab: Any) -> None:
    routes = lab.compile(KINDS).routes
    main, one = routes[RouteKind.REQUEST, "0"], routes[RouteKind.REQUEST, "1"]
    assert main.is_async
    assert inspect.iscoroutinefunction(main.function)
    assert not one.is_async
    assert not inspect.iscoroutinefunction(one.function)


def test_a_route_is_stepped_by_hand(lab: Any) -> None:
    run = type(lab.run(";"))()
    program = lab.compile(
        'route { say("a"); if (wait("5")) { say("$rc"); } route(1); } route[1] { wait("1"); exit; }'
    )
    coroutine = program.routes[RouteKind.REQUEST, "0"].function(run)
    coroutine.send(None)
    assert run.said == ["a"]
    coroutine.send(None)
    assert run.said == ["a", "5"]
    with pytest.raises(StopIteration) as ended:
        coroutine.send(None)
    assert ended.value.value is STOP


def test_a_traceback_shows_the_script(lab: Any, tmp_path: Path) -> None:
    file = tmp_path / "openser.cfg"
    file.write_text(
        "# a comment\nroute {\n    if (1) {\n        route(1);\n    }\n}\nroute[1] {\n  fail();\n}\n"
    )
    program = lab.compile(file.read_text(), str(file))
    with pytest.raises(RuntimeError, match="a bug in a module") as caught:
        program.routes[RouteKind.REQUEST, "0"].function(type(lab.run(";"))())
    frames = [
        frame for frame in traceback.extract_tb(caught.value.__traceback__) if frame.filename == str(file)
    ]
    assert [(frame.lineno, frame.name, frame.line) for frame in frames] == [
        (4, "route", "route(1);"),
        (8, "route[1]", "fail();"),
    ]
    assert (frames[1].colno, frames[1].end_colno) == (2, 8)


def test_values_of_a_script_are_only_data(lab: Any) -> None:
    text = '__import__("os").system("x")'.replace('"', '\\"')
    run = lab.run(f'$var(__import__) = "{text}"; say("$var(__import__)");')
    assert run.said == ['__import__("os").system("x")']
    function = lab.compile("route { ; }").routes[RouteKind.REQUEST, "0"].function
    assert function.__globals__["__builtins__"] == {}


def test_all_that_cannot_be_bound_is_told_at_once(lab: Any) -> None:
    with pytest.raises(ScriptError) as caught:
        lab.compile('route { nope("1"); code("x"); $nope = 1; if ($ru =~ "(") { ; } if ($nope) { ; } }')
    assert [problem.position.column for problem in caught.value.diagnostics] == [9, 25, 31, 53, 68]


def test_a_bad_switch_and_a_bad_route_call_are_told_too(lab: Any) -> None:
    with pytest.raises(ScriptError):
        lab.compile("route { switch ($nope) { case 1: exit; } }")


def test_too_deep_is_told(lab: Any) -> None:
    with pytest.raises(ScriptError, match="nested more than 100 levels deep"):
        lab.compile("route {" + "if (1) {" * 200 + ";" + "}" * 200 + "}")


def test_a_hundred_levels_are_fine(lab: Any) -> None:
    assert lab.run("if (1) {" * 98 + "return(8);" + "}" * 98).result == 8
    assert lab.run("$var(x) = " + "(1+" * 98 + "1" + ")" * 98 + ";").variables["x"] == 99


def test_no_routes(lab: Any) -> None:
    assert compile_script(parse("debug=3\n", "a.cfg").script, lab.environment).routes == {}


def test_drop_and_exit_have_one_result(lab: Any) -> None:
    program = lab.compile(KINDS)
    run = type(lab.run(";"))()
    assert lab.step(program, run, RouteKind.BRANCH, "1") is STOP
    assert run.dropped
