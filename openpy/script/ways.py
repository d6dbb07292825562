"""The ways of a request through all routes, and which of them end without an answer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from openpy.script.callgraph import MAIN, CallGraph, RouteKey, key_of
from openpy.script.diagnostics import Diagnostic, warning
from openpy.script.environment import Environment
from openpy.script.flow import RouteFlow, Ways
from openpy.script.flowstate import Leaving, Summary
from openpy.script.methods import Methods, MethodSets
from openpy.script.rules.ways import UNANSWERED
from openpy.script.syntax import Position, Route, RouteKind


def check_ways(routes: list[Route], graph: CallGraph, environment: Environment) -> list[Diagnostic]:
    """All warnings about ways."""
    methods = MethodSets(environment.methods, environment.unanswered)
    by_key = {key_of(route): route for route in routes}
    ways = Ways(environment, methods, dict.fromkeys(by_key))
    summaries: dict[RouteKey, Summary] = {}
    for key in graph.callees_first():
        ways.summaries[key] = summaries[key] = RouteFlow(ways).run(by_key[key])
    if MAIN in summaries:
        ways.found += _unanswered(by_key[MAIN], summaries, methods)
    return ways.found


# --- without an answer --------------------------------------------------------------------------------------------


def _unanswered(main: Route, summaries: dict[RouteKey, Summary], methods: MethodSets) -> Iterator[Diagnostic]:
    for key, waiting in _coming_in(summaries, methods).items():
        summary = summaries[key]
        leaving = summary.exits + summary.returns if key == MAIN else summary.exits
        for place in leaving:
            if left := _forgotten(place, waiting, methods):
                yield _left(place.position, "this exit", left, methods)
    end = summaries[MAIN].end
    if end.alive and (left := end.waiting & methods.needy):
        at = main.body.position
        brace = Position(at.file, at.end_line, max(1, at.end_column - 1), at.end_line, at.end_column)
        yield _left(brace, "the end of the script", left, methods)


def _coming_in(summaries: dict[RouteKey, Summary], methods: MethodSets) -> dict[RouteKey, Methods]:
    """The methods of requests that may come into each route unanswered, from the main one on."""
    coming: dict[RouteKey, Methods] = defaultdict(int)
    coming[MAIN] = methods.all
    changed = [MAIN]
    while changed:
        key = changed.pop()
        for call in summaries[key].calls:
            target = (RouteKind.REQUEST, call.name)
            waiting = coming[target] | (call.waiting & coming[key])
            if waiting != coming[target]:
                coming[target] = waiting
                changed.append(target)
    return coming


def _forgotten(place: Leaving, waiting: Methods, methods: MethodSets) -> Methods:
    """The methods that leave unanswered where others were answered; where none was, that is what the author wants."""
    return place.waiting & waiting & methods.needy if place.answered & waiting else 0


def _left(place: Position, where: str, left: Methods, methods: MethodSets) -> Diagnostic:
    example = methods.example(left)
    article = "an" if example[0] in "AEIOU" else "a"
    message = f"a request, such as {article} {example}, can come to {where} without an answer"
    hint = "reply or relay on every way, or write drop; where it deserves no answer"
    return warning(UNANSWERED, place, message, hint)
