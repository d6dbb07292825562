"""Tree -> Python `ast` -> code: each route becomes one function of the run.

Rules:
1. Values of the script enter the code only as constants or as objects bound to generated names;
   no text of the script is ever read as Python.
2. Every node carries the script's file, line and column, so tracebacks, debuggers, profilers and coverage
   show the script itself.
3. `function(run)` returns the code of the route, or STOP where the script has ended (exit, drop, a 0).
   Functions that can reach an async function are coroutine functions.
"""

from __future__ import annotations

import ast
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from openpy.script.binding import Binder
from openpy.script.callgraph import CallGraph, RouteKey, key_of, routes_of
from openpy.script.codewriter import Unit
from openpy.script.diagnostics import ScriptError, Severity
from openpy.script.environment import Environment
from openpy.script.observing import ObservedBinder, ObservedWriter, Observer
from openpy.script.statements import RouteWriter
from openpy.script.stopping import STOP, Stop
from openpy.script.syntax import Position, Route, RouteKind, Script
from openpy.script.traversal import too_deep

__all__ = ["STOP", "CompiledRoute", "Program", "Stop", "compile_script"]


@dataclass(frozen=True, slots=True)
class CompiledRoute:
    """One route, ready to run: `function(run)` gives its code or STOP (a coroutine if `is_async`)."""

    kind: RouteKind
    name: str
    function: Callable[[Any], Any]
    is_async: bool
    position: Position


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class Program:
    """A compiled script. Whoever runs one of its routes holds it for as long as that takes."""

    file: str
    routes: dict[RouteKey, CompiledRoute]
    scope: dict[str, Any] = field(default_factory=dict, repr=False)
    """The globals of its routes."""

    def route(self, kind: RouteKind, name: str) -> CompiledRoute | None:
        """Find a route."""
        return self.routes.get((kind, name))

    def retire(self) -> None:
        """It is run no more by who calls this: once nobody holds it, the cycle of routes and globals is taken apart.

        Without that it would be for the garbage collector, which a server keeps off.
        """
        weakref.finalize(self, self.scope.clear).atexit = False


def compile_script(script: Script, environment: Environment, observer: Observer | None = None) -> Program:
    """Compile all routes of a script; with an observer, which hears what they do, where one is given.

    Raises ScriptError with all names and arguments that cannot be bound.
    """
    routes = routes_of(script)
    if deep := too_deep(routes):
        raise ScriptError(deep)
    graph = CallGraph(routes)
    waiting = graph.waiting(environment)
    binder = Binder(environment) if observer is None else ObservedBinder(environment, observer)
    names = {key_of(route): f"route_{number}" for number, route in enumerate(routes)}
    unit = Unit(binder, names, waiting, graph.error_route)
    for route in routes:
        writer = RouteWriter(unit, route) if observer is None else ObservedWriter(unit, route, observer)
        writer.write()
    problems = [problem for problem in binder.found if problem.severity is Severity.ERROR]
    if problems:
        raise ScriptError(problems)
    namespace: dict[str, Any] = {**unit.globals, "__builtins__": {}}
    return Program(script.file, _load(routes, names, unit, namespace), namespace)


def _load(
    routes: list[Route], names: dict[RouteKey, str], unit: Unit, namespace: dict[str, Any]
) -> dict[RouteKey, CompiledRoute]:
    """Make Python functions of what was written.

    One by one, and each is let go before the next: in a thread of its own this keeps others waiting for one at most.
    """
    rest = unit.binder.environment.rest
    for file, functions in unit.functions.items():
        functions.reverse()
        while functions:
            module = ast.Module([functions.pop()], [])
            exec(compile(module, file or "<script>", "exec", dont_inherit=True), namespace)
            rest()
    for name, shown in unit.shown_names.items():
        made = namespace[name]
        made.__name__ = made.__qualname__ = shown
        made.__code__ = made.__code__.replace(co_name=shown, co_qualname=shown)
    compiled = {}
    for route in routes:
        key = key_of(route)
        compiled[key] = CompiledRoute(
            route.kind, route.name, namespace[names[key]], key in unit.waiting, route.position
        )
    return compiled
