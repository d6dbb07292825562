from __future__ import annotations

import time

import pytest

from openpy.script.callgraph import CallGraph, routes_of
from openpy.script.environment import Environment
from openpy.script.parser import parse
from openpy.script.ways import check_ways


def told(text: str, environment: Environment) -> list[tuple[int, str]]:
    routes = routes_of(parse(text, "test.cfg").script)
    found = check_ways(routes, CallGraph(routes), environment)
    return [(item.position.line, item.message) for item in found if item.code == "W803"]


INVITE_AT_EXIT = "a request, such as an INVITE, can come to this exit without an answer"
INVITE_AT_END = "a request, such as an INVITE, can come to the end of the script without an answer"


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (";\n", [(2, INVITE_AT_END)]),
        ("note();\n", [(2, INVITE_AT_END)]),
        ("if ($rU) { relay(); }\n", [(2, INVITE_AT_END)]),
        ("if ($rU) { relay(); }\nexit;", [(2, INVITE_AT_EXIT)]),
        ("if ($rU) { relay(); }\nreturn;", [(2, INVITE_AT_EXIT)]),
        (
            'if (is_method("BYE")) { if ($rU) { relay(); }\nexit; } reply(405);',
            [(2, "a request, such as a BYE, can come to this exit without an answer")],
        ),
        ("if (route(1)) { exit; }\n", []),
    ],
)  # fmt: skip
def test_requests_without_an_answer(
    body: str, found: list[tuple[int, str]], environment: Environment
) -> None:
    assert told(f"route {{ {body}}}\nroute[1] {{ relay(); exit; }}", environment) == found


@pytest.mark.parametrize(
    "body",
    [
        "relay();",
        "exit;",
        "drop;",
        "return;",
        "note(); exit;",
        "if ($rU) { note(); exit; } relay();",
        "if ($rU) { relay(); } else { drop; }",
        "if (!relay()) { reply(500); } exit;",
        'if (is_method("ACK|CANCEL")) { if ($rU) { relay(); } exit; } reply(405);',
        'if (!is_method("ACK|CANCEL")) { reply(405); }',
        'if (is_method("PUBLISH|SUBSCRIBE")) { route(2); } reply(405);',
        "unknown();",
        'say("x");',
        "if (begin()) { reply(200); } exit;",
    ],
)
def test_requests_that_are_dealt_with(body: str, environment: Environment) -> None:
    called = 'if (is_method("PUBLISH")) { handle(); } else if (is_method("SUBSCRIBE")) { handle(); } exit;'
    assert told(f"route {{ {body} }} route[2] {{ {called} }}", environment) == []


def test_only_what_comes_from_the_main_route_counts(environment: Environment) -> None:
    half = "{ if ($rU) { relay(); } exit; }"
    assert (
        told(f"failure_route[1] {half} route[1] {half} onreply_route {half} route {{ drop; }}", environment)
        == []
    )
    assert told("route[1] { note(); }", environment) == []


def test_the_methods_that_come_into_a_route(environment: Environment) -> None:
    called = "route[1] { if ($rU) { relay(); }\nexit; }"
    text = 'route {{ if (is_method("{}")) {{ route(1); }} drop; }} '
    assert told(text.format("ACK") + called, environment) == []
    assert told(text.format("OPTIONS") + called, environment) == [
        (2, "a request, such as an OPTIONS, can come to this exit without an answer")
    ]
    assert told(text.format("FOO") + called, environment) == []


def test_routes_that_call_each_other_are_come_into_once_a_method(environment: Environment) -> None:
    count = 80
    calls = "".join(f"route({n});" for n in range(1, count))
    text = "route { " + calls + " drop; }" + "".join(
        f'route[{n}] {{ if (is_method("BYE")) {{ {calls} }} }}' for n in range(1, count)
    )  # fmt: skip
    routes = routes_of(parse(text, "test.cfg").script)
    began = time.process_time()
    check_ways(routes, CallGraph(routes), environment)
    assert time.process_time() - began < 10
