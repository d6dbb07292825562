"""The routes of a script as modules use them: found by name, and run to their end."""

from __future__ import annotations

from openpy.engine.run import Run
from openpy.script.compiler import CompiledRoute
from openpy.script.syntax import RouteKind

__all__ = ["CompiledRoute", "perform", "route_named"]


def route_named(run: Run, kind: RouteKind, name: str) -> CompiledRoute | None:
    """The route that a script names: None for "0", which stands for none, and with a warning where there is none."""
    route = run.program.route(kind, name) if run.program is not None else None
    if route is None and name != "0":
        run.warn(f"there is no {kind.value}[{name}]")
    return route


async def perform(route: CompiledRoute, run: Run) -> None:
    """Run a route to its end, also where it waits. An error of ours is logged: the route has ended where it came."""
    try:
        result = route.function(run)
        if route.is_async:
            await result
    except Exception as error:  # noqa: BLE001 - what is in flight goes on without the route
        run.server.report(error)
