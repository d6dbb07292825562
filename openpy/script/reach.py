"""Which blocks of a script can run: those that something calls by `route()`, or arms, or that run by themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from openpy.script.callgraph import MAIN, CallGraph, RouteKey, header_of, key_of, shown_route
from openpy.script.diagnostics import Diagnostic, warning
from openpy.script.environment import Effect, Environment
from openpy.script.literals import text_of
from openpy.script.rules.routes import UNUSED_ROUTE
from openpy.script.syntax import Call, Route, RouteKind

ARMED = {
    RouteKind.FAILURE: "t_on_failure",
    RouteKind.BRANCH: "t_on_branch",
    RouteKind.ONREPLY: "t_on_reply",
}
"""The types of blocks that run because they are armed, and what arms one."""


def unused_routes(routes: list[Route], graph: CallGraph, environment: Environment) -> Iterator[Diagnostic]:
    """A warning about each block that never runs; of those that call each other, about the first."""
    reach = _Reach(graph, environment)
    reach.extend(filter(_runs_by_itself, map(key_of, routes)))
    unused = [route for route in routes if key_of(route) not in reach.keys]
    other = _Reach(graph, environment)
    called = {
        target for route in unused for target in other.targets(key_of(route)) if target != key_of(route)
    }
    for route in sorted(unused, key=lambda route: key_of(route) in called):
        key = key_of(route)
        if key not in reach.keys:
            reach.extend([key])
            by = ARMED.get(route.kind)
            hint = f'{by}("{route.name}") arms it' if by else f"route({route.name}) calls it"
            yield warning(UNUSED_ROUTE, header_of(route), f"{shown_route(key)} is never run", hint)


def armed_route(call: Call, environment: Environment) -> RouteKey | None:
    """The route that a call arms, if it says which; "0" disarms."""
    function = environment.function(call.name, len(call.arguments))
    if function is None or function.arms is None or not call.arguments:
        return None
    name = text_of(call.arguments[0])
    return None if "$" in name or name == "0" else (function.arms, name)


def _runs_by_itself(key: RouteKey) -> bool:
    kind, name = key
    if kind is RouteKind.ONREPLY:
        return not name
    return key == MAIN or kind in (RouteKind.ERROR, RouteKind.EVENT)


class _Reach:
    """The routes that some lead to."""

    def __init__(self, graph: CallGraph, environment: Environment) -> None:
        self.keys: set[RouteKey] = set()
        self._graph = graph
        self._environment = environment
        self._whole: set[RouteKind] = set()  # types of which any route may be armed

    def extend(self, keys: Iterable[RouteKey]) -> None:
        """Add some, and all that they lead to."""
        waiting = list(keys)
        while waiting:
            key = waiting.pop()
            if key not in self.keys and key in self._graph.calls:
                self.keys.add(key)
                waiting += self.targets(key)

    def targets(self, key: RouteKey) -> Iterator[RouteKey]:
        """The routes that one calls or arms. What a function does not say, it may do."""
        for route_call in self._graph.route_calls[key]:
            yield RouteKind.REQUEST, route_call.name
        for call in self._graph.calls[key]:
            function = self._environment.function(call.name, len(call.arguments))
            words = [text_of(argument) for argument in call.arguments]
            if function is None or (function.arms is None and function.effect is Effect.UNSAID):
                yield from ((kind, word) for kind in ARMED for word in words)
            elif function.arms is not None and words:
                yield function.arms, words[0]
                if "$" in words[0] and function.arms not in self._whole:
                    self._whole.add(function.arms)
                    yield from (other for other in self._graph.calls if other[0] is function.arms)
