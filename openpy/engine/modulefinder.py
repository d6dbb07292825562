"""From the name in a `loadmodule` line to the class that it means; modules are found, and never imported by name."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import pkgutil
import sys
from pathlib import Path

from openpy.engine.module import Module, ModuleError
from openpy.engine.oldmodules import absent
from openpy.script import dialects
from openpy.script.diagnostics import did_you_mean

PACKAGE = "openpy.modules"
"""Where openpy's own modules are."""


def module_names() -> list[str]:
    """The modules that come with openpy, and those of installed packages."""
    package = importlib.util.find_spec(PACKAGE)
    folders = package.submodule_search_locations if package is not None else None
    own = [entry.name for entry in pkgutil.iter_modules(folders)]
    return sorted({*own, *(entry.name for entry in importlib.metadata.entry_points(group="openpy.modules"))})


def find_module(path: str, search: str = "") -> type[Module]:
    """The class that a `loadmodule` path means; raises ModuleError.

    `x.so`, `x` and a path ending in them are one; a Python file of that name under `search` (mpath) comes first,
    then openpy's own modules, then entry points of the group `openpy.modules`. 1.4's `db_mysql` is 1.3's `mysql`.
    """
    name = Path(path).name.removesuffix(".so")
    file = Path(search, f"{name}.py")
    try:
        found = _import_file(name, file) if search and file.is_file() else _find_installed(name)
    except ModuleError:
        raise
    except Exception as problem:
        text = f"could not open module <{path}>: {type(problem).__name__}: {problem}"
        raise ModuleError(text, _missing_package(problem)) from problem
    if found is None and (reason := absent(name)):
        raise ModuleError(f"could not open module <{path}>: {reason[0]}", reason[1])
    if found is None:
        known = module_names()
        hint = (
            dialects.MODULES.get(name) or did_you_mean(name, known) or f"this version has {', '.join(known)}"
        )
        raise ModuleError(f"could not open module <{path}>", hint)
    return found


def _find_installed(name: str) -> type[Module] | None:
    for candidate in dict.fromkeys((name, name.removeprefix("db_"))):
        if candidate.isidentifier() and importlib.util.find_spec(f"{PACKAGE}.{candidate}") is not None:
            return _module_class(importlib.import_module(f"{PACKAGE}.{candidate}.module"))
        for entry in importlib.metadata.entry_points(group="openpy.modules", name=candidate):
            loaded: type[Module] = entry.load()
            return loaded
    return None


def _import_file(name: str, file: Path) -> type[Module]:
    spec = importlib.util.spec_from_file_location(f"openpy_script_modules.{name}", file)
    if spec is None or spec.loader is None:
        raise ModuleError(f"could not open module <{file}>")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[spec.name]
        raise
    return _module_class(module)


def _missing_package(problem: Exception) -> str:
    if isinstance(problem, ModuleNotFoundError) and problem.name and not problem.name.startswith("openpy"):
        return f"it needs a Python package that is not installed: pip install {problem.name}"
    return ""


def _module_class(module: object) -> type[Module]:
    origin = getattr(module, "__name__", "")
    for item in vars(module).values():
        if isinstance(item, type) and issubclass(item, Module) and item.__module__ == origin and item.name:
            return item
    raise ModuleError(f"{origin} holds no module class")
