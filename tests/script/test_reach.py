from __future__ import annotations

from dataclasses import replace

import pytest

from openpy.script.callgraph import CallGraph, routes_of
from openpy.script.environment import Effect, Environment
from openpy.script.parser import parse
from openpy.script.reach import armed_route, unused_routes
from openpy.script.syntax import Call, Number, RouteKind, String


def unused(text: str, environment: Environment) -> list[str]:
    routes = routes_of(parse(text, "test.cfg").script)
    return [item.message for item in unused_routes(routes, CallGraph(routes), environment)]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("route { route(1); } route[1] { route(2); } route[2] { ; }", []),
        ("route { ; } route[1] { ; }", ["route[1]"]),
        ("route { ; } route[1] { route(2); } route[2] { ; }", ["route[1]"]),
        ("route { ; } route[2] { ; } route[1] { route(2); }", ["route[1]"]),
        ("route { ; } route[1] { route(2); } route[2] { route(1); }", ["route[1]"]),
        ("route { ; } route[1] { route(1); }", ["route[1]"]),
        ("route { ; } onreply_route { route(1); } route[1] { ; }", []),
        ("route { ; } error_route { route(1); } route[1] { ; }", []),
        ("route { ; } event_route[a:b] { route(1); } route[1] { ; }", []),
        ('route { arm("1"); } failure_route[1] { route(1); } route[1] { ; }', []),
        ("route { arm(1); } failure_route[1] { ; }", []),
        ('route { arm("2"); } failure_route[1] { ; }', ["failure_route[1]"]),
        ('route { arm("1"); } branch_route[1] { ; }', ["branch_route[1]"]),
        ('route { ; } failure_route[1] { arm("1"); }', ["failure_route[1]"]),
        ('route { ; } route[1] { arm("1"); } failure_route[1] { ; }', ["route[1]"]),
        ('route { arm("$var(x)"); } failure_route[1] { ; } failure_route[B] { ; }', []),
        ('route { arm("$var(x)"); } branch_route[1] { ; }', ["branch_route[1]"]),
        ("route { ; } onreply_route[1] { ; }", ["onreply_route[1]"]),
        ('route { unknown("1"); } failure_route[1] { ; } branch_route[1] { ; } onreply_route[1] { ; }', []),
        ('route { unknown("1"); } route[1] { ; }', ["route[1]"]),
        ('route { say("B"); } failure_route[B] { ; }', []),
        ('route { note(); } failure_route[B] { ; }', ["failure_route[B]"]),
    ],
)  # fmt: skip
def test_blocks_that_never_run(text: str, names: list[str], environment: Environment) -> None:
    assert unused(text, environment) == [f"{name} is never run" for name in names]


def test_what_makes_them_run(environment: Environment) -> None:
    routes = routes_of(parse("route { ; } route[A] { ; } branch_route[2] { ; }", "test.cfg").script)
    found = list(unused_routes(routes, CallGraph(routes), environment))
    assert [item.hint for item in found] == ["route(A) calls it", 't_on_branch("2") arms it']
    assert [(item.position.column, item.position.end_column) for item in found] == [(13, 18), (28, 40)]


def test_the_route_that_a_call_arms(environment: Environment) -> None:
    def armed(text: str) -> object:
        return armed_route(Call("arm", (String(text),)), environment)

    assert armed("1") == (RouteKind.FAILURE, "1")
    assert armed_route(Call("arm", (Number(1),)), environment) == (RouteKind.FAILURE, "1")
    assert armed("0") is armed("$var(x)") is None
    assert armed_route(Call("note", ()), environment) is armed_route(Call("arm", ()), environment) is None


def test_a_function_that_arms_says_so_whatever_else_it_does(environment: Environment) -> None:
    arm = environment.functions["arm"]
    environment.functions["arm"] = replace(arm, effect=Effect.UNSAID)
    assert unused('route { arm("1"); } branch_route[1] { ; }', environment) == [
        "branch_route[1] is never run"
    ]


def test_many_routes_are_no_work(environment: Environment) -> None:
    count = 2_000
    text = "".join(
        f'failure_route[{n}] {{ arm("$var(x)"); route(a0); }} route[a{n}] {{ route(a{n + 1}); }}'
        for n in range(count)
    )
    assert len(unused(text, environment)) == 1
