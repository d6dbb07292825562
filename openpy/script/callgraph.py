"""Which route calls which, and what follows from it: where a function can run, and which routes wait."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from openpy.script.environment import Environment
from openpy.script.syntax import Call, Position, Route, RouteCall, RouteKind, Script
from openpy.script.traversal import walk

RouteKey = tuple[RouteKind, str]

MAIN: RouteKey = (RouteKind.REQUEST, "0")
"""Where requests come in."""


def routes_of(script: Script) -> list[Route]:
    """All route blocks, in order."""
    return [statement for statement in script.statements if isinstance(statement, Route)]


def key_of(route: Route) -> RouteKey:
    """What a route is found by."""
    return route.kind, route.name


def shown_route(key: RouteKey) -> str:
    """A route as it is written."""
    kind, name = key
    return kind.value if not name or (kind, name) == MAIN else f"{kind.value}[{name}]"


def header_of(route: Route) -> Position:
    """The place of the word that a route begins with."""
    at = route.position
    return Position(at.file, at.line, at.column, at.line, at.column + len(route.kind.value), at.piece)


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

    def reached_from(self, kind: RouteKind) -> dict[RouteKey, RouteKey]:
        """The routes that run within blocks of a kind; each with the one that calls it first, itself at the start."""
        before = {key: key for key in self.calls if key[0] is kind}
        waiting = deque(before)
        while waiting:
            current = waiting.popleft()
            for node in self.route_calls[current]:
                target = (RouteKind.REQUEST, node.name)
                if target in self.calls and target not in before:
                    before[target] = current
                    waiting.append(target)
        return before

    def callees_first(self) -> Iterator[RouteKey]:
        """All routes, each after those that it calls, unless they call each other in circles."""
        done: set[RouteKey] = set()
        for start in self.calls:
            path = [] if start in done else [(start, iter(self.route_calls[start]))]
            done.add(start)
            while path:
                key, calls = path[-1]
                for node in calls:
                    target = (RouteKind.REQUEST, node.name)
                    if target in self.calls and target not in done:
                        done.add(target)
                        path.append((target, iter(self.route_calls[target])))
                        break
                else:
                    path.pop()
                    yield key

    def waiting(self, environment: Environment) -> set[RouteKey]:
        """The routes that can reach an async function, and so are coroutines.

        Any action can lead to the error_route, so if that one waits, all may.
        """
        callers: dict[RouteKey, list[RouteKey]] = {}
        for key, calls in self.route_calls.items():
            for call in calls:
                callers.setdefault((RouteKind.REQUEST, call.name), []).append(key)
        found: set[RouteKey] = set()
        more = [key for key, calls in self.calls.items() if any(_waits(node, environment) for node in calls)]
        while more:
            key = more.pop()
            if key not in found:
                found.add(key)
                more += callers.get(key, ())
        return set(self.calls) if self.error_route in found else found


def _waits(node: Call, environment: Environment) -> bool:
    function = environment.function(node.name, len(node.arguments))
    return function is not None and function.is_async
