"""What a script can name: of the core, of its modules, and of those that it may load if it is not whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from openpy.engine.avps import AvpName, avp_name
from openpy.engine.corebranches import SERIAL_AVP
from openpy.engine.corefunctions import CORE_FUNCTIONS
from openpy.engine.events import events_of
from openpy.engine.flags import declare
from openpy.engine.loading import Loading
from openpy.engine.loadmodules import modules_not_loaded
from openpy.engine.module import Module
from openpy.engine.modulefinder import module_names
from openpy.engine.operands import OPERANDS
from openpy.engine.pseudovars import METHOD_IDS, PSEUDO_VARIABLES
from openpy.engine.uritransformations import URI_TRANSFORMATIONS
from openpy.script import dialects
from openpy.script.callgraph import header_of
from openpy.script.diagnostics import did_you_mean, error
from openpy.script.environment import ArgumentError, Environment
from openpy.script.rules import settings
from openpy.script.rules.routes import UNKNOWN_EVENT
from openpy.script.syntax import Route, RouteKind, Script
from openpy.script.transformations import TRANSFORMATIONS

UNANSWERED = frozenset(("ACK", "CANCEL"))
"""The methods of requests that may leave the script without an answer."""


def environment_of(loading: Loading, called: Mapping[str, Module] | None = None) -> Environment:
    """What the script can name; with `called` in place of the modules that were configured for it."""
    environment = Environment(
        functions=dict(CORE_FUNCTIONS),
        pseudo_variables=dict(PSEUDO_VARIABLES),
        transformations={**TRANSFORMATIONS, **URI_TRANSFORMATIONS},
        operands=dict(OPERANDS),
        blacklists=loading.blacklists,
        lacks_modules=loading.lacks_modules,
        told=frozenset(loading.told),
        methods=tuple(METHOD_IDS),
        unanswered=UNANSWERED,
        flags=declare(loading.flags, loading.found),
        max_while_loops=loading.config.number("max_while_loops"),
        folder=loading.folder,
        rest=loading.rest,
    )
    available = [*(loading.modules if called is None else called).values(), *loading.meant.values()]
    if not loading.is_whole:
        available += [cls(loading.services) for cls in modules_not_loaded(loading).values()]
    registered = list(loading.services.statistics.sources())
    for module in (*loading.modules.values(), *available):
        registered.extend(module.statistics())  # a counter that runs goes before a new one of its name
    environment.statistics = {name.lower(): source for _, name, source in registered}
    for module in available:
        for function in module.functions():
            if not loading.is_whole:  # the line that configures it may be among the mistakes
                function = replace(function, refusal=None)
            overloaded = replace(function, overload=environment.functions.get(function.name))
            environment.functions[function.name] = overloaded
        environment.pseudo_variables.update({spec.name: spec for spec in module.pseudo_variables()})
    return environment


def avp_aliases(loading: Loading, script: Script) -> dict[str, AvpName]:
    """The names that `avp_aliases` gives to AVPs, and those that there are always."""
    aliases: dict[str, AvpName] = {"serial_branch": SERIAL_AVP}
    for entry in filter(None, loading.config.text("avp_aliases").split(";")):
        name, _, target = entry.partition("=")
        try:
            aliases[name.strip().lower()] = avp_name(target.strip())
        except ArgumentError as problem:
            place = next(s.position for s in script.statements if getattr(s, "name", "") == "avp_aliases")
            loading.note(error(settings.BAD_AVP_ALIAS, place, problem.text, problem.hint))
    return aliases


def check_events(loading: Loading, script: Script) -> None:
    """Whether somebody raises the event of each event route."""
    known = [f"core:{event.name}" for event in events_of(type(loading.services))]
    known += [name for module in loading.modules.values() for name in type(module).events()]
    for route in script.statements:
        if not isinstance(route, Route) or route.kind is not RouteKind.EVENT or route.name in known:
            continue
        group, colon, _ = route.name.partition(":")
        if group in loading.absent:
            continue
        if not loading.is_whole and colon and group != "core" and group not in loading.modules:
            continue
        if route.name.startswith("E_"):
            hint = dialects.EVENTS
        elif group in module_names() and group not in loading.modules:
            hint = f'put this line above: loadmodule "{group}.so"'
        else:
            hint = did_you_mean(route.name, known)
            hint = f"{hint} " if hint else ""
            hint += f"there are {', '.join(known)}"
        message = f"nothing raises the event {route.name}"
        loading.note(error(UNKNOWN_EVENT, header_of(route), message, hint))
