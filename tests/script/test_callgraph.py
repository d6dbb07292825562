from __future__ import annotations

import time

from openpy.script.callgraph import CallGraph, header_of, key_of, routes_of, shown_route
from openpy.script.environment import Environment
from openpy.script.parser import parse
from openpy.script.syntax import Position, RouteKind
from tests.script.conftest import make_environment

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


def test_routes_that_blocks_of_a_kind_reach_each_with_its_caller() -> None:
    failure = (RouteKind.FAILURE, "1")
    assert graph(SCRIPT).reached_from(RouteKind.FAILURE) == {
        failure: failure,
        request("1"): failure,
        request("2"): request("1"),
    }


def test_routes_come_after_those_that_they_call() -> None:
    order = list(graph(SCRIPT).callees_first())
    assert sorted(order, key=str) == sorted(graph(SCRIPT).calls, key=str)
    assert order.index(request("2")) < order.index(request("1")) < order.index(request("0"))
    assert order.index(request("3")) < order.index(request("0"))


def test_a_long_chain_of_routes_is_no_work() -> None:
    """What these do for each route must not depend on the others."""
    count = 5_000
    text = "".join(f"route[r{n}] {{ route(r{n + 1}); }}" for n in range(count))
    chain = graph(f"onreply_route {{ route(r0); }}{text}route[r{count}] {{ wait(1); }}")
    began = time.process_time()
    assert next(chain.callees_first()) == request(f"r{count}")
    assert len(chain.reached_from(RouteKind.ONREPLY)) == count + 2
    assert len(chain.waiting(make_environment())) == count + 2
    assert time.process_time() - began < 5


def test_how_routes_are_shown() -> None:
    (route,) = routes_of(parse("\n  failure_route[A] { exit; }", "test.cfg").script)
    assert shown_route(key_of(route)) == "failure_route[A]"
    assert shown_route(request("0")) == "route"
    assert header_of(route) == Position("test.cfg", 2, 3, 2, 16)


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
