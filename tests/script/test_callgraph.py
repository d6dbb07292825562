from __future__ import annotations

from openpy.script.callgraph import CallGraph, key_of, routes_of
from openpy.script.environment import Environment
from openpy.script.parser import parse
from openpy.script.syntax import RouteKind

SCRIPT = """
route { if (route(1)) { exit; } route(3); }
route[1] { route(2); }
route[2] { route(1); wait("1"); }
route[3] { say("x"); route(9); }
failure_route[1] { route(1); }
onreply_route { say("x"); }
"""


def graph(text: str) -> CallGraph:
    return CallGraph(routes_of(parse(text, "test.cfg").script))


def request(name: str) -> tuple[RouteKind, str]:
    return RouteKind.REQUEST, name


def test_routes_in_order() -> None:
    assert [key_of(route) for route in routes_of(parse(SCRIPT, "test.cfg").script)][:2] == [
        request("0"),
        request("1"),
    ]


def test_reached_routes_with_the_way_there() -> None:
    failure = (RouteKind.FAILURE, "1")
    assert graph(SCRIPT).reached_from(failure) == {
        request("1"): (failure, request("1")),
        request("2"): (failure, request("1"), request("2")),
    }


def test_calls() -> None:
    calls = graph(SCRIPT).calls
    assert [node.name for node in calls[request("2")]] == ["wait"]
    assert [node.name for node in graph(SCRIPT).route_calls[request("3")]] == ["9"]


def test_waiting_is_a_fixed_point(environment: Environment) -> None:
    assert graph(SCRIPT).waiting(environment) == {
        request("0"),
        request("1"),
        request("2"),
        (RouteKind.FAILURE, "1"),
    }


def test_nothing_waits(environment: Environment) -> None:
    assert graph('route { say("x"); unknown(); }').waiting(environment) == set()


def test_an_error_route_that_waits_makes_all_wait(environment: Environment) -> None:
    text = 'route { say("x"); } error_route { route(1); } route[1] { wait("1"); }'
    found = graph(text)
    assert found.error_route is not None
    assert found.waiting(environment) == set(found.calls)
