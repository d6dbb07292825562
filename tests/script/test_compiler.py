from __future__ import annotations

import dataclasses
import gc
import inspect
import traceback
import weakref
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


def load_files(lab: Any, folder: Path, **files: str) -> Any:
    """Compile `main` with the files that it includes."""
    for name, text in files.items():
        (folder / f"{name}.cfg").write_text(text)
    main = folder / "main.cfg"
    parsed = parse(main.read_bytes(), str(main), lambda path: Path(path).read_bytes())
    return compile_script(parsed.script, lab.environment)


def test_a_traceback_names_included_files(lab: Any, tmp_path: Path) -> None:
    program = load_files(
        lab,
        tmp_path,
        main='route {\n  if (1) {\n    include_file "calls.cfg"\n  }\n}\ninclude_file "routes.cfg"\n',
        calls="# calls\nroute(1);\n",
        routes="#!define BROKEN fail()\nroute[1] {\n BROKEN;\n}\n",
    )
    with pytest.raises(RuntimeError, match="a bug in a module") as caught:
        program.routes[RouteKind.REQUEST, "0"].function(type(lab.run(";"))())
    frames = [frame for frame in traceback.extract_tb(caught.value.__traceback__) if ".cfg" in frame.filename]
    assert [(Path(frame.filename).name, frame.lineno, frame.name) for frame in frames] == [
        ("main.cfg", 2, "route"),
        ("calls.cfg", 2, "route"),
        ("routes.cfg", 3, "route[1]"),
    ]
    assert frames[2].colno == 1


INCLUDED = [
    ('say("in");', ["before", "in", "after 1"], None),
    ("exit;", ["before"], STOP),
    ("return(7);", ["before"], 7),
    ("return $var(n);", ["before"], 5),
    ('wait("3"); say("$rc");', ["before", "3", "after 1"], None),
    ("while (1) { break; }", ["before", "after 1"], None),
    ("if (0) exit;", ["before", "after 0"], None),
    ("$var(n) += 1; if ($var(n)==6) { drop; }", ["before"], STOP),
]


@pytest.mark.parametrize(("part", "said", "result"), INCLUDED)
@pytest.mark.parametrize("main", ["{}", "if (1) {{ {} }}", "switch ($var(n)) {{ case 5: {} }}"])
def test_included_statements_mean_what_they_mean_in_place(
    lab: Any, tmp_path: Path, part: str, said: list[str], result: object, main: str
) -> None:
    outcomes = []
    for text in (part, '\ninclude_file "part.cfg"\n'):
        body = f'$var(n) = 5; say("before"); {main.format(text)} say("after $rc");'
        program = load_files(lab, tmp_path, main=f"route {{ {body} }}", part=part)
        run = type(lab.run(";"))()
        outcomes.append((lab.step(program, run), run.said, run.dropped))
    assert outcomes[0] == outcomes[1]
    assert [line.split()[0] for line in outcomes[1][1]] == [line.split()[0] for line in said]
    assert result is None or outcomes[1][0] == result


def test_a_break_in_an_included_file_leaves_the_loop_around_it(lab: Any, tmp_path: Path) -> None:
    program = load_files(
        lab,
        tmp_path,
        main='route { while (1) { say("a");\ninclude_file "part.cfg"\nsay("b"); } say("c"); }',
        part="if (1) break;",
    )
    run = type(lab.run(";"))()
    lab.step(program, run)
    assert run.said == ["a", "c"]


def test_a_program_that_has_retired_is_freed_when_nobody_holds_it(lab: Any) -> None:
    program = lab.compile('route { route(1); } route[1] { wait("1"); route(2); } route[2] { say("end"); }')
    function = weakref.ref(program.route(RouteKind.REQUEST, "2").function)
    run = type(lab.run(";"))()
    gc.disable()
    try:
        program.retire()
        lab.step(program, run)
        assert run.said == ["end"]
        assert function() is not None
        del program
        assert function() is None
    finally:
        gc.enable()


def test_one_that_has_not_stays_whole_while_a_route_is_held(lab: Any) -> None:
    function = (
        lab.compile('route { route(1); } route[1] { say("end"); }').route(RouteKind.REQUEST, "0").function
    )
    gc.collect()
    run = type(lab.run(";"))()
    function(run)
    assert run.said == ["end"]


def test_whoever_compiles_rests_often(lab: Any) -> None:
    rests: list[int] = []
    environment = dataclasses.replace(lab.environment, rest=lambda: rests.append(1))
    script = parse("route { " + 'say("x"); if ($ru == "a") { $var(x) = 1; } ' * 50 + "}", "t.cfg").script
    compile_script(script, environment)
    assert len(rests) > 200
