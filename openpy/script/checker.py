"""Everything that can be said about a script before it runs, in one pass."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from openpy.script.binding import Binder
from openpy.script.callgraph import CallGraph, RouteKey, header_of, key_of, routes_of, shown_route
from openpy.script.comparison_binding import bind_comparison
from openpy.script.diagnostics import Diagnostic, Severity, did_you_mean, error, in_order, warning
from openpy.script.environment import Environment
from openpy.script.habits import habits_of
from openpy.script.literals import text_of
from openpy.script.misfits import misfits_of
from openpy.script.reach import armed_route, unused_routes
from openpy.script.rules import calls
from openpy.script.rules import routes as rules
from openpy.script.syntax import (
    Assignment,
    Call,
    Comparison,
    Node,
    Number,
    PseudoVariable,
    Route,
    RouteKind,
    Script,
)
from openpy.script.traversal import children, too_deep
from openpy.script.ways import check_ways

LARGEST_NUMBER = 39
"""Routes are numbered up to this; other names are free."""

MOST_TOLD = 1000
"""Nobody reads more, and each costs the search for what was meant."""

_LONGEST_WAY = 6
"""Routes of a way that are told."""

_TABLES = {
    RouteKind.REQUEST: ("request", "invalid routing table number"),
    RouteKind.FAILURE: ("failure", "invalid reply routing table number"),
    RouteKind.ONREPLY: ("reply", "invalid reply routing table number"),
    RouteKind.BRANCH: ("branch", "invalid branch routing table number"),
    RouteKind.ERROR: ("error", "invalid error routing table number"),
    RouteKind.EVENT: ("event", "invalid event routing table number"),
}
"""What 1.3 calls the tables of routes, and a bad number in each."""


def check(script: Script, environment: Environment) -> list[Diagnostic]:
    """Find all errors and warnings, in the order of the script."""
    routes = routes_of(script)
    if deep := too_deep(routes):
        return deep
    binder = Binder(environment)
    graph = CallGraph(routes)
    for route in routes:
        _bind_all(route, binder)
    found = binder.found + list(islice(_found(routes, graph, environment), MOST_TOLD))
    errors = {_begin(item) for item in found if item.severity is Severity.ERROR}
    if not errors:
        found += islice(unused_routes(routes, graph, environment), MOST_TOLD)
    kept = (item for item in found if item.severity is Severity.ERROR or _begin(item) not in errors)
    return in_order(dict.fromkeys(kept), script.file)


def _begin(found: Diagnostic) -> tuple[str, int, int]:
    """Where it begins: a warning that begins where an error does is about the same mistake."""
    return found.position.file, found.position.line, found.position.column


def _found(routes: list[Route], graph: CallGraph, environment: Environment) -> Iterator[Diagnostic]:
    """All that does not come from names alone; whoever has enough stops asking."""
    yield from _check_table(routes)
    yield from check_ways(routes, graph, environment)
    yield from _check_reached_calls(graph, environment)
    for route in routes:
        yield from _check_calls(route, graph, environment)
        yield from habits_of(route)
        yield from misfits_of(route, environment)


def _check_table(routes: list[Route]) -> Iterator[Diagnostic]:
    """Routes defined twice, and numbers out of range."""
    seen: dict[RouteKey, Route] = {}
    for route in routes:
        table, bad_number = _TABLES[route.kind]
        least = 0 if route.kind is RouteKind.REQUEST else 1
        if (
            route.kind is not RouteKind.ERROR
            and _is_number(route.name)
            and not least <= int(route.name[:9]) <= LARGEST_NUMBER
        ):
            hint = f"numbers go from {least} to {LARGEST_NUMBER}"
            yield error(rules.ROUTE_NUMBER, header_of(route), f"{bad_number}: {route.name}", hint)
        first = seen.setdefault(key_of(route), route)
        if first is not route:
            default = "default " if route.name in ("", "0") else ""
            hint = f"it is also defined in line {first.position.line}"
            message = f"overwritting {default}{table} routing table"
            yield error(rules.ROUTE_TWICE, header_of(route), message, hint)


def _is_number(name: str) -> bool:
    return name.isascii() and name.isdigit()


def _bind_all(route: Route, binder: Binder) -> None:
    """Let the binder look at every name in a route."""
    waiting: list[Node] = [route.body]
    while waiting and len(binder.found) < MOST_TOLD:
        node = waiting.pop()
        match node:
            case Call():
                binder.call(node)
            case Comparison():
                bind_comparison(binder, node)
            case PseudoVariable():
                binder.variable(node)
            case Assignment(target=target, operator=operator, value=value):
                if binder.setter(node) is not None and operator not in ("=", ":="):
                    binder.variable(target)
                waiting.append(value)
            case _:
                waiting.extend(reversed(list(children(node))))  # in the order of the script


def _check_calls(route: Route, graph: CallGraph, environment: Environment) -> Iterator[Diagnostic]:
    """Functions that cannot be used (here, or at all), numbers where 1.3 has strings, routes that are not there."""
    for node in graph.calls[key_of(route)]:
        function = environment.function(node.name, len(node.arguments))
        if function is None:
            continue
        if function.refusal is not None:
            message = f"{node.name}() cannot be used: {function.refusal.reason}"
            yield error(calls.REFUSED, node.position, message, function.refusal.hint)
        if route.kind not in function.routes:
            allowed = ", ".join(sorted(kind.value for kind in function.routes))
            message = f"Command cannot be used in the block: {node.name}() in {shown_route(key_of(route))}"
            yield error(calls.WRONG_ROUTE_TYPE, node.position, message, f"it can be used in {allowed}")
        if function.module != "core":
            for argument in node.arguments:
                if isinstance(argument, Number | PseudoVariable):
                    message = f"arguments of {node.name}() are quoted in openser 1.3"
                    hint = f'write "{text_of(argument)}"'
                    yield warning(calls.UNQUOTED, argument.position, message, hint)
        armed = armed_route(node, environment)
        if armed is not None and armed not in graph.calls:
            yield _undefined(node, armed, graph)
    for call in graph.route_calls[key_of(route)]:
        key = (RouteKind.REQUEST, call.name)
        if key not in graph.calls:
            yield _undefined(call, key, graph)


def _undefined(node: Node, key: RouteKey, graph: CallGraph) -> Diagnostic:
    kind, name = key
    hint = did_you_mean(name, (other for same, other in graph.calls if same is kind))
    if kind is RouteKind.REQUEST:
        message = f"route({name}) is not defined: null action list"
        hint = hint or "the call does nothing and gives 1"
    else:
        message = f"{shown_route(key)} is not defined"
    return warning(rules.UNDEFINED_ROUTE, node.position, message, hint)


def _check_reached_calls(graph: CallGraph, environment: Environment) -> Iterator[Diagnostic]:
    """Functions that a block of another type reaches through route()."""
    for kind in RouteKind:
        if kind is RouteKind.REQUEST:
            continue
        callers = graph.reached_from(kind)
        for target in callers:
            if target[0] is kind:
                continue
            for node in graph.calls[target]:
                function = environment.function(node.name, len(node.arguments))
                if (
                    function is not None
                    and kind not in function.routes
                    and RouteKind.REQUEST in function.routes
                ):
                    message = f"script function {node.name} does not support route type {kind.value}"
                    hint = f"it is reached by {_way_to(target, callers)}"
                    yield warning(calls.REACHED_ROUTE_TYPE, node.position, message, hint)


def _way_to(target: RouteKey, callers: dict[RouteKey, RouteKey]) -> str:
    """`failure_route[1] -> route[2]`; of a long way, its end."""
    way = [target]
    while callers[way[-1]] != way[-1] and len(way) <= _LONGEST_WAY:
        way.append(callers[way[-1]])
    names = [shown_route(key) for key in reversed(way)]
    if callers[way[-1]] != way[-1]:
        names[0] = "..."
    return " -> ".join(names)
