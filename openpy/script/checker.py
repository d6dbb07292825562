"""Everything that can be said about a script before it runs, in one pass."""

from __future__ import annotations

from openpy.script.binding import Binder
from openpy.script.callgraph import CallGraph, RouteKey, key_of, routes_of
from openpy.script.comparison_binding import bind_comparison
from openpy.script.diagnostics import Diagnostic, error, in_order, warning
from openpy.script.environment import Environment
from openpy.script.habits import habits_of
from openpy.script.syntax import (
    Assignment,
    Call,
    Comparison,
    Node,
    Number,
    PseudoVariable,
    Route,
    RouteCall,
    RouteKind,
    Script,
)
from openpy.script.traversal import TOO_DEEP, children, first_too_deep

LARGEST_NUMBER = 39
"""Routes are numbered up to this; other names are free."""

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
    deep = [error(node.position, TOO_DEEP) for route in routes if (node := first_too_deep(route))]
    if deep:
        return deep
    binder = Binder(environment)
    found = _check_table(routes)
    graph = CallGraph(routes)
    for route in routes:
        _bind_all(route, binder)
        found += _check_calls(route, graph, environment)
        found += _check_reached_calls(key_of(route), graph, environment)
        found += habits_of(route)
    return in_order(dict.fromkeys(found + binder.found), script.file)


def _check_table(routes: list[Route]) -> list[Diagnostic]:
    """Routes defined twice, and numbers out of range."""
    found = []
    seen: dict[RouteKey, Route] = {}
    for route in routes:
        table, bad_number = _TABLES[route.kind]
        least = 0 if route.kind is RouteKind.REQUEST else 1
        is_number = route.name.isascii() and route.name.isdigit()
        if is_number and not least <= int(route.name) <= LARGEST_NUMBER and route.kind is not RouteKind.ERROR:
            hint = f"numbers go from {least} to {LARGEST_NUMBER}"
            found.append(error(route.position, f"{bad_number}: {route.name}", hint))
        first = seen.setdefault(key_of(route), route)
        if first is not route:
            default = "default " if route.name in ("", "0") else ""
            hint = f"it is also defined in line {first.position.line}"
            found.append(error(route.position, f"overwritting {default}{table} routing table", hint))
    return found


def _bind_all(route: Route, binder: Binder) -> None:
    """Let the binder look at every name in a route."""
    waiting: list[Node] = [route.body]
    while waiting:
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


def _check_calls(route: Route, graph: CallGraph, environment: Environment) -> list[Diagnostic]:
    """Functions that cannot be used (here, or at all), numbers where 1.3 has strings, routes that are not there."""
    found = []
    for node in graph.calls[key_of(route)]:
        function = environment.function(node.name, len(node.arguments))
        if function is None:
            continue
        if function.refusal is not None:
            message = f"{node.name}() cannot be used: {function.refusal.reason}"
            found.append(error(node.position, message, function.refusal.hint))
        if route.kind not in function.routes:
            allowed = ", ".join(sorted(kind.value for kind in function.routes))
            message = f"Command cannot be used in the block: {node.name}() in {_shown(key_of(route))}"
            found.append(error(node.position, message, f"it can be used in {allowed}"))
        if function.module != "core":
            for argument in node.arguments:
                if isinstance(argument, Number | PseudoVariable):
                    message = f"arguments of {node.name}() are quoted in openser 1.3"
                    found.append(warning(argument.position, message))
    for call in graph.route_calls[key_of(route)]:
        if (RouteKind.REQUEST, call.name) not in graph.calls:
            found.append(_undefined(call))
    return found


def _undefined(node: RouteCall) -> Diagnostic:
    message = f"route({node.name}) is not defined: null action list"
    return warning(node.position, message, "the call does nothing and gives 1")


def _check_reached_calls(key: RouteKey, graph: CallGraph, environment: Environment) -> list[Diagnostic]:
    """Functions that a block of another type reaches through route()."""
    if key[0] is RouteKind.REQUEST:
        return []
    found = []
    for target, way in graph.reached_from(key).items():
        for node in graph.calls[target]:
            function = environment.function(node.name, len(node.arguments))
            if (
                function is not None
                and key[0] not in function.routes
                and RouteKind.REQUEST in function.routes
            ):
                path = " -> ".join(map(_shown, way))
                message = f"script function {node.name} does not support route type {key[0].value}"
                found.append(warning(node.position, message, f"it is reached by {path}"))
    return found


def _shown(key: RouteKey) -> str:
    kind, name = key
    return kind.value if name in ("", "0") else f"{kind.value}[{name}]"
