"""How a core function is declared: a Python function and the kinds of its arguments."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from openpy.script.environment import Effect, Function, Kind, Parameter
from openpy.script.syntax import RouteKind

ALL = frozenset(RouteKind)
"""1.3 takes its core functions in every block."""


def core_function(
    call: Callable[..., Any],
    *kinds: Kind,
    optional: int = 0,
    name: str = "",
    overload: Function | None = None,
    effect: Effect = Effect.NONE,
) -> Function:
    """Declare one; the last `optional` arguments may be left out. Names and documentation are the Python function's."""
    required = len(kinds) - optional
    names = list(inspect.signature(call).parameters)[1:]  # behind the run
    return Function(
        name or call.__name__,
        tuple(Parameter(names[n], kind, n >= required) for n, kind in enumerate(kinds)),
        ALL,
        call,
        inspect.iscoroutinefunction(call),
        doc=inspect.getdoc(call) or "",
        overload=overload,
        effect=effect,
    )
