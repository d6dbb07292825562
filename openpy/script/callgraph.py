"""Which route calls which, and what follows from it: where a function can run, and which routes wait."""

from __future__ import annotations

from collections.abc import Iterable

from openpy.script.environment import Environment
from openpy.script.syntax import Call, Route, RouteCall, RouteKind, Script
from openpy.script.traversal import walk

RouteKey = tuple[RouteKind, str]


def routes_of(script: Script) -> list[Route]:
    """All route blocks, in order."""
    return [statement for statement in script.statements if isinstance(statement, Route)]


def key_of(route: Route) -> RouteKey:
    """What a route is found by."""
    return route.kind, route.name


class CallGraph:
    """The calls of a script. `route(n)` always means a block of kind `route`."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self.error_route: RouteKey | None = None
        self.calls: dict[RouteKey, list[Call]] = {}
        self.route_calls: dict[RouteKey, list[RouteCall]] = {}
        for route in routes:
            if route.kind is RouteKind.ERROR:
                self.error_route = key_of(route)
            calls: list[Call] = []
            route_calls: list[RouteCall] = []
            for node in walk(route.body):
                if isinstance(node, Call):
                    calls.append(node)
                elif isinstance(node, RouteCall):
                    route_calls.append(node)
            self.calls[key_of(route)] = calls
            self.route_calls[key_of(route)] = route_calls

    def reached_from(self, key: RouteKey) -> dict[RouteKey, tuple[RouteKey, ...]]:
        """The routes that a route can call, also through others; each with the way there."""
        ways: dict[RouteKey, tuple[RouteKey, ...]] = {}
        waiting: list[tuple[RouteKey, tuple[RouteKey, ...]]] = [(key, (key,))]
        while waiting:
            current, way = waiting.pop(0)
            for node in self.route_calls.get(current, ()):
                target = (RouteKind.REQUEST, node.name)
                if target in self.calls and target not in ways:
                    ways[target] = (*way, target)
                    waiting.append((target, ways[target]))
        return ways

    def waiting(self, environment: Environment) -> set[RouteKey]:
        """The routes that can reach an async function, and so are coroutines.

        Any action can lead to the error_route, so if that one waits, all may.
        """
        found = {key for key, calls in self.calls.items() if any(_waits(node, environment) for node in calls)}
        found_more = bool(found)
        while found_more:
            more = {
                key
                for key, calls in self.route_calls.items()
                if key not in found and any((RouteKind.REQUEST, node.name) in found for node in calls)
            }
            found |= more
            found_more = bool(more)
        return set(self.calls) if self.error_route in found else found


def _waits(node: Call, environment: Environment) -> bool:
    function = environment.function(node.name, len(node.arguments))
    return function is not None and function.is_async
