"""What is different between the script that a server runs and another one: parameters, modules, files, routes.

Rules:
1. The declarations say what counts in a server that runs, and what needs a restart (`CoreParameterSpec.reload`,
   `Param.reload`, `Module.can_join`).
2. Routes are compared as trees: where they stand, and how they are laid out, is no difference.
3. Passwords in database URLs are not told.
"""

from __future__ import annotations

import contextlib
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from openpy.db.url import parse_url
from openpy.engine.config import CORE_PARAMETERS, CoreConfig
from openpy.engine.module import Module
from openpy.script.environment import Rest, rest_never
from openpy.script.syntax import Blacklist, FlagNames, Node, Route, Script, SocketId
from openpy.script.traversal import same

CORE = "core"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: what it is about, and what becomes of it. `owner` is `core`, a module, or a route."""

    owner: str
    what: str
    needs_restart: bool = False
    name: str = ""
    """Of the parameter that changes."""
    joins: bool = False
    """A module that is new."""
    leaves: bool = False
    """A module that is loaded no more."""

    def __str__(self) -> str:
        return f"{self.owner} {self.what}"


def config_changes(old: CoreConfig, new: CoreConfig) -> Iterator[Change]:
    """Core parameters, as two scripts say them."""
    for spec in CORE_PARAMETERS:
        if spec.name in ("listen", "alias"):
            before: Any = old.listen if spec.name == "listen" else old.aliases
            after: Any = new.listen if spec.name == "listen" else new.aliases
        else:
            before, after = old.values[spec.name], new.values[spec.name]
        if before != after:
            yield _parameter(CORE, spec.name, before, after, needs_restart=spec.needs_restart)


def module_changes(running: Mapping[str, Module], configured: Mapping[str, Module]) -> Iterator[Change]:
    """Modules, and their parameters, in the order of the script."""
    for name, module in configured.items():
        if name not in running:
            yield Change(
                name, "is a module that is loaded now", needs_restart=not module.can_join, joins=True
            )
            continue
        for key, parameter in module.parameters().items():
            before, after = getattr(running[name], key), getattr(module, key)
            if before != after:
                yield _parameter(name, key, before, after, needs_restart=not parameter.reload)
        yield from file_changes(name, running[name].files(), module.files())
    for name, module in running.items():
        if name not in configured:
            yield Change(
                name, "is a module that is loaded no more", needs_restart=not module.can_join, leaves=True
            )


def file_changes(owner: str, old: Mapping[str, Hashable], new: Mapping[str, Hashable]) -> Iterator[Change]:
    """Files that both name, and that hold something else by now."""
    for path, content in new.items():
        if old.get(path, content) != content:
            yield Change(owner, f"{path} holds something else")


def script_changes(old: Script, new: Script, rest: Rest = rest_never) -> Iterator[Change]:
    """Blacklists, names of flags, and routes. `rest` is called often."""
    for kind in (FlagNames, Blacklist, Route):
        yield from _compared(_named(old, kind), _named(new, kind), new.file, rest)


def _named(script: Script, kind: type[Node]) -> dict[str, Node]:
    """The parts of a script of one kind, by what they are called."""
    found: dict[str, Node] = {}
    for statement in script.statements:
        match statement:
            case FlagNames(names=names) if kind is FlagNames:
                found.update({f"flag {flag.name}": flag for flag in names})
            case Blacklist(name=name) if kind is Blacklist:
                found[f"dst_blacklist {name}"] = statement
            case Route() if kind is Route:
                found[label(statement)] = statement
    return found


def label(route: Route) -> str:
    """What a route is called: `route`, `route[2]`."""
    return route.kind.value if route.name in ("", "0") else f"{route.kind.value}[{route.name}]"


def _compared(old: Mapping[str, Node], new: Mapping[str, Node], file: str, rest: Rest) -> Iterator[Change]:
    for name, node in new.items():
        rest()
        at = node.position
        place = f"line {at.line}" if at.file == file else f"{at.file}, line {at.line}"
        if name not in old:
            yield Change(name, f"is new ({place})")
        elif not same(old[name], node):
            yield Change(name, f"is changed ({place})")
    for name in old:
        if name not in new:
            yield Change(name, "is removed")


def _parameter(owner: str, name: str, before: Any, after: Any, *, needs_restart: bool) -> Change:
    was, becomes = _shown(before), _shown(after)
    if was == becomes:
        becomes = "another password"
    return Change(owner, f"{name}: {was} -> {becomes}", needs_restart, name)


def _shown(value: Any) -> str:
    """A value as people read it, without what they should not."""
    match value:
        case None | "" | []:
            return "unset"
        case list():
            return ", ".join(map(_shown, value))
        case SocketId(protocol=protocol, host=host, port=port):
            return "".join((f"{protocol}:" if protocol else "", host, f":{port}" if port else ""))
        case str() if "://" in value:
            with contextlib.suppress(ValueError):
                return str(parse_url(value))
    return str(value)
