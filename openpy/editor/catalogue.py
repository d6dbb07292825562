"""What all modules declare, whether a script loads them or not; each is made once and never started."""

from __future__ import annotations

from functools import cache

from openpy.engine.module import Module, ModuleError
from openpy.engine.modulefinder import find_module, module_names
from openpy.script.environment import Function


@cache
def installed() -> dict[str, type[Module]]:
    """The modules that can be loaded, by name."""
    found: dict[str, type[Module]] = {}
    for name in module_names():
        try:
            found[name] = find_module(name)
        except ModuleError:  # it needs a package that is not installed
            continue
    return found


@cache
def functions() -> dict[str, Function]:
    """All functions of these modules, by name."""
    found: dict[str, Function] = {}
    for cls in installed().values():
        declared = cls(services=None)  # type: ignore[arg-type]  # only its declarations are read
        found |= {function.name: function for function in declared.functions()}
    return found
