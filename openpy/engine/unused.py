"""Modules that a script loads and makes no use of."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from openpy.engine.module import Module
from openpy.script.callgraph import routes_of
from openpy.script.diagnostics import Diagnostic, warning
from openpy.script.patterns import Flags, compile_pattern
from openpy.script.rules.settings import UNUSED_MODULE
from openpy.script.syntax import (
    Call,
    ModuleParameter,
    Name,
    Position,
    PseudoVariable,
    RouteKind,
    Script,
    String,
)
from openpy.script.traversal import walk

_VARIABLE = re.compile(r"\$\(?([A-Za-z0-9_.]+)")


def unused_modules(
    script: Script, modules: Mapping[str, Module], places: Mapping[str, Position]
) -> Iterator[Diagnostic]:
    """A warning at the line that loads each of them."""
    calls, variables, events = _named(script)
    needed = {need for module in modules.values() for need in module.requirements()}
    patterns = {
        statement.modules.value for statement in script.statements if isinstance(statement, ModuleParameter)
    }
    configured = [compile_pattern(f"^({pattern})$", Flags.IGNORE_CASE) for pattern in patterns]
    for name, module in modules.items():
        cls = type(module)
        functions, own = cls.function_names(), cls.variable_names()
        if cls.works_uncalled or not (functions or own):
            continue
        if name in needed or functions & calls or own & variables or cls.events().keys() & events:
            continue
        if any(pattern.search(name) for pattern in configured):
            continue
        message = f"module {name} is loaded, and nothing of it is used"
        yield warning(UNUSED_MODULE, places[name], message, _hint(functions, own))


def _hint(functions: set[str], variables: set[str]) -> str:
    names = [f"{name}()" for name in sorted(functions)] + [f"${name}" for name in sorted(variables)]
    more = ", ..." if len(names) > 3 else ""
    return f"take the line out, or use what it has: {', '.join(names[:3])}{more}"


def _named(script: Script) -> tuple[set[str], set[str], set[str]]:
    """The functions that a script calls, the variables that stand anywhere in it, the events that it has routes for."""
    calls: set[str] = set()
    variables: set[str] = set()
    events: set[str] = set()
    for route in routes_of(script):
        if route.kind is RouteKind.EVENT:
            events.add(route.name)
        for node in walk(route):
            match node:
                case Call(name=name):
                    calls.add(name)
                case String(value=text) | Name(text=text) | PseudoVariable(text=text):
                    variables.update(_VARIABLE.findall(text))
    return calls, variables, events
