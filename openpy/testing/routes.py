"""Hearing of the routes of a compiled script: which one is entered, and what comes of it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any

from openpy.engine.run import Run
from openpy.script.compiler import CompiledRoute, Program
from openpy.script.stopping import Stop
from openpy.script.syntax import Route

Left = Callable[[int | Stop], None]
"""Hears what a route returned."""

Entered = Callable[[CompiledRoute, Run], Left]
"""Hears that a route was entered; gives who hears of its end."""


def observe(program: Program, entered: Entered) -> None:
    """Hear of each route that is entered from now on, also by `route(name)`. Whoever runs the program is to be told."""
    for key, route in list(program.routes.items()):
        observed = _observed(route, entered)
        scope = scope_of(route)
        for name in [name for name, value in scope.items() if value is route.function]:
            scope[name] = observed
        program.routes[key] = replace(route, function=observed)


def label(route: Route | CompiledRoute) -> str:
    """What a route is called: `route`, `route[2]`."""
    return route.kind.value if route.name in ("", "0") else f"{route.kind.value}[{route.name}]"


def scope_of(route: CompiledRoute) -> dict[str, Any]:
    """The globals of a route: one dictionary for all routes of a program."""
    function: Any = inspect.unwrap(route.function)
    scope: dict[str, Any] = function.__globals__
    return scope


def _observed(route: CompiledRoute, entered: Entered) -> Callable[[Run], Any]:
    function = route.function

    @wraps(function)
    def sync(run: Run) -> int | Stop:
        left = entered(route, run)
        result: int | Stop = function(run)
        left(result)
        return result

    @wraps(function)
    async def waiting(run: Run) -> int | Stop:
        left = entered(route, run)
        result: int | Stop = await function(run)
        left(result)
        return result

    return waiting if route.is_async else sync
