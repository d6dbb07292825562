"""The parts of a script, as an editor lists them."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from openpy.script.syntax import (
    CoreParameter,
    LoadModule,
    ModuleParameter,
    Position,
    Route,
    Script,
)


class PartKind(Enum):
    """What a part is."""

    ROUTE = "route"
    MODULE = "module"
    PARAMETER = "parameter"


class Part(NamedTuple):
    """One part; `detail` says more about it."""

    kind: PartKind
    name: str
    detail: str
    position: Position


def outline(script: Script, file: str) -> list[Part]:
    """The routes, modules and parameters of one file of a script, in its order."""
    parts = []
    for node in script.statements:
        if node.position.file != file:
            continue
        match node:
            case Route(kind=kind, name=name):
                label = "" if name in ("", "0") else f"[{name}]"
                parts.append(Part(PartKind.ROUTE, f"{kind.value}{label}", "", node.position))
            case LoadModule(path=path):
                parts.append(Part(PartKind.MODULE, path.value, "loadmodule", node.position))
            case ModuleParameter(modules=modules, name=parameter):
                parts.append(
                    Part(PartKind.PARAMETER, f"{modules.value}: {parameter.value}", "modparam", node.position)
                )
            case CoreParameter(name=name):
                parts.append(Part(PartKind.PARAMETER, name, "", node.position))
    return parts
