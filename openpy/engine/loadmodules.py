"""The modules of a script: loaded, configured, checked (`loadmodule` and `modparam`).

Rules:
1. A module of the server that runs keeps its class, whatever its file holds by now.
2. What is missing is told once: not again by each line that wants it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

from openpy.engine.loading import Loading, Standing
from openpy.engine.module import Module, ModuleError
from openpy.engine.modulefinder import find_module, module_names
from openpy.engine.oldmodules import absent
from openpy.script import dialects
from openpy.script.diagnostics import closest, did_you_mean, error, warning
from openpy.script.environment import ArgumentError, Environment
from openpy.script.patterns import Flags, compile_pattern
from openpy.script.rules import settings
from openpy.script.rules.conditions import BAD_PATTERN
from openpy.script.syntax import LoadModule, ModuleParameter

_MOST_ABSENT = 100
"""Modules that are not there, until no more is looked for: each costs a search through what is installed."""


def load_module(loading: Loading, statement: LoadModule) -> None:
    """`loadmodule`."""
    path = statement.path.value
    if len(loading.absent) >= _MOST_ABSENT:
        return
    try:
        cls = _running_class(loading, path) or find_module(path, loading.config.text("mpath"))
    except ModuleError as problem:
        message = f"failed to load module: {problem.message}"
        loading.note(error(settings.MODULE_NOT_LOADED, statement.position, message, problem.hint))
        name = Path(path).name.removesuffix(".so")
        loading.absent.append(name)
        is_known = absent(name) or name in dialects.MODULES or name in module_names()
        meant = "" if is_known else closest(name, module_names())
        if meant:
            loading.meant[meant] = find_module(meant)(loading.services)
        else:
            loading.lacks_modules = True
        return
    if cls.name in loading.modules:
        text = f"attempting to load the same module twice: {cls.name}"
        loading.note(
            warning(settings.LOADED_TWICE, statement.position, text, "the second line has no effect")
        )
        return
    loading.modules[cls.name] = cls(loading.services)
    loading.places[cls.name] = statement.position


def _running_class(loading: Loading, path: str) -> type[Module] | None:
    """The class of a module that runs: it stays, whatever its file holds by now."""
    name = Path(path).name.removesuffix(".so")
    running = {} if loading.standing is None else loading.standing.modules
    module = running.get(name) or running.get(name.removeprefix("db_"))
    return None if module is None else type(module)


def set_parameter(loading: Loading, statement: ModuleParameter) -> None:
    """`modparam`: for each module whose name its pattern matches."""
    try:
        compile_pattern(statement.modules.value)  # on its own, so that the message shows what was written
        pattern = compile_pattern(f"^({statement.modules.value})$", Flags.IGNORE_CASE)
    except ArgumentError as problem:
        loading.note(error(BAD_PATTERN, statement.modules.position, problem.text))
        return
    targets = [module for name, module in loading.modules.items() if pattern.search(name)]
    if not targets and loading.is_whole and not any(map(pattern.search, loading.absent)):
        _no_module(loading, statement)
    for module in targets:
        parameters = type(module).parameters()
        parameter = parameters.get(statement.name.value)
        if parameter is None:
            text = f"parameter <{statement.name.value}> not found in module <{module.name}>"
            hint = did_you_mean(statement.name.value, parameters)
            loading.note(error(settings.UNKNOWN_MODULE_PARAMETER, statement.name.position, text, hint))
            continue
        try:
            parameter.set(module, statement.value.value)
        except ArgumentError as problem:
            place = statement.value.position
            loading.note(error(settings.BAD_MODULE_PARAMETER, place, problem.text, problem.hint))


def _no_module(loading: Loading, statement: ModuleParameter) -> None:
    """Tell that what a `modparam` names is not loaded; a line above that is missing is told once."""
    names = statement.modules.value.split("|")
    if loading.told.issuperset(names):
        return
    loading.told.update(names)
    hint = "" if names[0] in module_names() else did_you_mean(names[0], loading.modules)
    hint = hint or f'load it above: loadmodule "{names[0]}.so"'
    message = f"no module matching {statement.modules.value} found"
    loading.note(error(settings.PARAMETER_OF_NO_MODULE, statement.modules.position, message, hint))


def check_needs(loading: Loading) -> None:
    """Whether each module comes after those that it needs: what these are, its parameters may say."""
    before: dict[str, Module] = {}
    for name, module in loading.modules.items():
        for need in module.requirements():
            if not _is_among({**before, **loading.meant}, need) and need not in loading.absent:
                what = "a database module" if need == "database" else need
                text = f"{name} needs {what}, which is not loaded before it"
                wanted = _database_module(module) if need == "database" else need
                hint = f'put this line above: loadmodule "{wanted}.so"'
                loading.note(error(settings.MODULE_NEEDED, loading.places[name], text, hint))
                loading.told.add(wanted)
        before[name] = module


def _database_module(module: Module) -> str:
    """The database module that a module's URL asks for."""
    url = getattr(module, "db_url", "")
    return (url.partition(":")[0] if isinstance(url, str) else "") or "sqlite"


def _is_among(modules: dict[str, Module], need: str) -> bool:
    if need == "database":
        return any(hasattr(module, "dialect") for module in modules.values())
    return need in modules


def check_modules(loading: Loading) -> None:
    """Let each module look at its parameters once all are set."""
    for name, module in loading.modules.items():
        try:
            module.check()
        except ModuleError as problem:
            loading.note(error(settings.MODULE_SETTINGS, loading.places[name], problem.message, problem.hint))


def prepare_modules(loading: Loading, environment: Environment) -> None:
    """Let each module convert the parameters that name what the script can."""
    for name, module in loading.modules.items():
        try:
            module.prepare(environment)
        except ModuleError as problem:
            loading.note(error(settings.MODULE_SETTINGS, loading.places[name], problem.message, problem.hint))
        except ArgumentError as problem:
            text = f"{name}: {problem.text}"
            loading.note(error(settings.MODULE_SETTINGS, loading.places[name], text, problem.hint))


def called_modules(modules: Mapping[str, Module], standing: Standing) -> dict[str, Module]:
    """The modules that a script calls which is compiled for a server that runs."""
    called: dict[str, Module] = {}
    for name, configured in modules.items():
        module = standing.modules.get(name)
        if module is None:
            module = type(configured)(standing.services)
            parameters = type(module).parameters()
            vars(module).update({key: value for key, value in vars(configured).items() if key in parameters})
        called[name] = module
    return called


def modules_not_loaded(loading: Loading) -> dict[str, type[Module]]:
    """The modules that the script does not load: for the hints of a script that has errors."""
    found: dict[str, type[Module]] = {}
    for name in module_names():
        if name not in loading.modules:
            with contextlib.suppress(ModuleError):
                found[name] = find_module(name)
    return found
