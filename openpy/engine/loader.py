"""From a script file to something that can run: parameters, modules, compiled routes.

Rules:
1. Nothing is opened here: what this module accepts may still fail to start, but a bad script never half-starts.
2. All errors of a file come in one run, in the order of the file.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from openpy.engine.blacklists import DEAD, DeadTargets, StaticBlacklist, declared_blacklist
from openpy.engine.blacklists import Blacklist as BlacklistInForce
from openpy.engine.config import CoreConfig, tls_refused
from openpy.engine.corebranches import SERIAL_AVP
from openpy.engine.corefunctions import CORE_FUNCTIONS
from openpy.engine.events import events_of
from openpy.engine.flags import declare
from openpy.engine.module import Module, ModuleError
from openpy.engine.modulefinder import find_module, module_names
from openpy.engine.oldmodules import absent
from openpy.engine.operands import OPERANDS
from openpy.engine.pseudovars import PSEUDO_VARIABLES
from openpy.engine.services import Services
from openpy.engine.uritransformations import URI_TRANSFORMATIONS
from openpy.engine.variables import AvpName, avp_name
from openpy.script import dialects
from openpy.script.checker import check
from openpy.script.compiler import Program, compile_script
from openpy.script.diagnostics import (
    Diagnostic,
    ScriptError,
    Severity,
    did_you_mean,
    error,
    in_order,
    warning,
)
from openpy.script.environment import ArgumentError, Environment
from openpy.script.parser import Definitions, parse_leniently
from openpy.script.patterns import Flags, compile_pattern
from openpy.script.syntax import (
    Blacklist,
    CoreParameter,
    FlagName,
    FlagNames,
    LoadModule,
    ModuleParameter,
    Position,
    Route,
    RouteKind,
    Script,
    TlsDomain,
    TopLevel,
)
from openpy.script.transformations import TRANSFORMATIONS


@dataclass(slots=True)
class Loaded:
    """A script that passed all checks."""

    script: Script
    config: CoreConfig
    modules: dict[str, Module]
    program: Program
    avp_aliases: dict[str, AvpName]
    environment: Environment
    blacklists: dict[str, BlacklistInForce]
    dead_targets: DeadTargets | None = None  # where they are kept
    warnings: tuple[Diagnostic, ...] = ()


@dataclass(slots=True)
class _Loading:
    services: Services
    config: CoreConfig
    modules: dict[str, Module]
    blacklists: dict[str, BlacklistInForce]
    is_whole: bool  # else mistakes of syntax took statements out of it, perhaps a loadmodule
    absent: list[str] = field(default_factory=list)  # modules of 1.3 that are not there
    flags: list[FlagName] = field(default_factory=list)
    places: dict[str, Position] = field(default_factory=dict)
    found: list[Diagnostic] = field(default_factory=list)


def load(
    path: Path,
    services: Services,
    config: CoreConfig,
    modules: dict[str, Module],
    definitions: Definitions = (),
    further: Sequence[TopLevel] = (),
) -> Loaded:
    """Read, check and compile a script; raises ScriptError with everything that is wrong, OSError for the file.

    `definitions` are the names that the command line defines; ValueError for what is no name. `config` holds what it
    said before the file is read; `modules` is filled as they are loaded, so that they find each other when they check
    themselves. `further` parameters count as if they stood at the end of the file.
    """
    file = str(path)
    parsed = parse_leniently(path.read_bytes(), file, _read, definitions)
    loading = _Loading(services, config, modules, {}, is_whole=not parsed.errors)
    for statement in (*parsed.script.statements, *further):
        match statement:
            case CoreParameter():
                _note(loading, loading.config.apply(statement))
            case LoadModule():
                _load_module(loading, statement)
            case ModuleParameter():
                _set_parameter(loading, statement)
            case FlagNames(names=names):
                loading.flags.extend(names)
            case TlsDomain():
                _note(loading, tls_refused(statement.position, statement.kind))
            case Blacklist():
                _add_blacklist(loading, statement)
            case _:
                pass  # routes are checked and compiled below
    aliases = _avp_aliases(loading, parsed.script)
    dead_targets: DeadTargets | None = None
    if not config.number("disable_dns_blacklist"):
        dead_targets = loading.blacklists[DEAD] = DeadTargets(services.clock.monotonic)
    if loading.is_whole:
        _check_needs(loading)
    if loading.is_whole and not _errors(loading.found):
        _check_modules(loading)
    _check_events(loading, parsed.script)
    environment = _environment(loading)
    found = check(parsed.script, environment)
    if _errors(found) and loading.is_whole:
        environment.not_loaded = {
            function: name
            for name, cls in _modules_not_loaded(loading).items()
            for function in cls.function_names()
        }
        found = check(parsed.script, environment)
    loading.found.extend(found)
    loading.found = [*parsed.found, *_beside(parsed.errors, loading.found)]
    if _errors(loading.found):
        raise ScriptError(in_order(loading.found, file))
    program = compile_script(parsed.script, environment)
    return Loaded(
        parsed.script,
        loading.config,
        loading.modules,
        program,
        aliases,
        environment,
        loading.blacklists,
        dead_targets,
        tuple(loading.found),
    )


def _read(path: str) -> bytes:
    return Path(path).read_bytes()


# --- statements -----------------------------------------------------------------------------------------------


def _note(loading: _Loading, found: Diagnostic | None) -> None:
    if found is not None:
        loading.found.append(found)


def _load_module(loading: _Loading, statement: LoadModule) -> None:
    path = statement.path.value
    try:
        cls = find_module(path, loading.config.text("mpath"))
    except ModuleError as problem:
        _note(loading, error(statement.position, f"failed to load module: {problem.message}", problem.hint))
        name = Path(path).name.removesuffix(".so")
        if absent(name):
            loading.absent.append(name)
        return
    if cls.name in loading.modules:
        text = f"attempting to load the same module twice: {cls.name}"
        _note(loading, warning(statement.position, text, "the second line has no effect"))
        return
    loading.modules[cls.name] = cls(loading.services)
    loading.places[cls.name] = statement.position


def _add_blacklist(loading: _Loading, statement: Blacklist) -> None:
    name = statement.name
    if name in loading.blacklists or name == DEAD:
        whose = "the dead destinations" if name == DEAD else "a line above"
        text = f"dst_blacklist {name}: that is the name of {whose}"
        _note(loading, error(statement.position, text, "choose another"))
        return
    # where there are mistakes of syntax, rules may be among them
    loading.blacklists[name] = (
        declared_blacklist(statement) if loading.is_whole else StaticBlacklist(name, ())
    )


def _check_needs(loading: _Loading) -> None:
    """Whether each module comes after those that it needs: what these are, its parameters may say."""
    before: dict[str, Module] = {}
    for name, module in loading.modules.items():
        for need in module.requirements():
            if not _is_among(before, need) and need not in loading.absent:
                what = "a database module" if need == "database" else need
                text = f"{name} needs {what}, which is not loaded before it"
                wanted = _database_module(module) if need == "database" else need
                hint = f'put this line above: loadmodule "{wanted}.so"'
                _note(loading, error(loading.places[name], text, hint))
        before[name] = module


def _database_module(module: Module) -> str:
    """The database module that a module's URL asks for."""
    url = getattr(module, "db_url", "")
    return (url.partition(":")[0] if isinstance(url, str) else "") or "sqlite"


def _is_among(modules: dict[str, Module], need: str) -> bool:
    if need == "database":
        return any(hasattr(module, "dialect") for module in modules.values())
    return need in modules


def _set_parameter(loading: _Loading, statement: ModuleParameter) -> None:
    try:
        pattern = compile_pattern(f"^({statement.modules.value})$", Flags.IGNORE_CASE)
    except ArgumentError as problem:
        _note(loading, error(statement.modules.position, str(problem)))
        return
    targets = [module for name, module in loading.modules.items() if pattern.search(name)]
    if not targets and loading.is_whole and not any(map(pattern.search, loading.absent)):
        wanted = statement.modules.value
        hint = did_you_mean(wanted, loading.modules) or f'load it above: loadmodule "{wanted}.so"'
        _note(loading, error(statement.modules.position, f"no module matching {wanted} found", hint))
    for module in targets:
        parameters = type(module).parameters()
        parameter = parameters.get(statement.name.value)
        if parameter is None:
            text = f"parameter <{statement.name.value}> not found in module <{module.name}>"
            hint = did_you_mean(statement.name.value, parameters)
            _note(loading, error(statement.name.position, text, hint))
            continue
        try:
            parameter.set(module, statement.value.value)
        except ArgumentError as problem:
            _note(loading, error(statement.value.position, str(problem)))


def _avp_aliases(loading: _Loading, script: Script) -> dict[str, AvpName]:
    aliases: dict[str, AvpName] = {"serial_branch": SERIAL_AVP}
    for entry in filter(None, loading.config.text("avp_aliases").split(";")):
        name, _, target = entry.partition("=")
        try:
            aliases[name.strip().lower()] = avp_name(target.strip())
        except ArgumentError as problem:
            place = next(s.position for s in script.statements if getattr(s, "name", "") == "avp_aliases")
            _note(loading, error(place, str(problem)))
    return aliases


def _environment(loading: _Loading) -> Environment:
    environment = Environment(
        functions=dict(CORE_FUNCTIONS),
        pseudo_variables=dict(PSEUDO_VARIABLES),
        transformations={**TRANSFORMATIONS, **URI_TRANSFORMATIONS},
        operands=dict(OPERANDS),
        blacklists=loading.blacklists,
        lacks_modules=bool(loading.absent),
        flags=declare(loading.flags, loading.found),
        max_while_loops=loading.config.number("max_while_loops"),
    )
    available = list(loading.modules.values())
    if not loading.is_whole:
        available += [cls(loading.services) for cls in _modules_not_loaded(loading).values()]
    registered = list(loading.services.statistics.sources())
    for module in available:
        registered.extend(module.statistics())
    environment.statistics = {name.lower(): source for _, name, source in registered}
    for module in available:
        for function in module.functions():
            if not loading.is_whole:  # the line that configures it may be among the mistakes
                function = replace(function, refusal=None)
            overloaded = replace(function, overload=environment.functions.get(function.name))
            environment.functions[function.name] = overloaded
        environment.pseudo_variables.update({spec.name: spec for spec in module.pseudo_variables()})
    return environment


def _check_events(loading: _Loading, script: Script) -> None:
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
        _note(loading, error(route.position, f"nothing raises the event {route.name}", hint))


def _check_modules(loading: _Loading) -> None:
    for name, module in loading.modules.items():
        try:
            module.check()
        except ModuleError as problem:
            _note(loading, error(loading.places[name], problem.message, problem.hint))


def _errors(found: Iterable[Diagnostic]) -> bool:
    return any(diagnostic.severity is Severity.ERROR for diagnostic in found)


def _beside(mistakes: list[Diagnostic], found: list[Diagnostic]) -> list[Diagnostic]:
    """What was found beside mistakes of syntax: their lines are explained, and a warning may just follow from them."""
    if not mistakes:
        return found
    lines = {
        (at.position.file, line)
        for at in mistakes
        for line in range(at.position.line, at.position.end_line + 1)
    }
    return [
        item
        for item in found
        if item.severity is Severity.ERROR and (item.position.file, item.position.line) not in lines
    ]


def _modules_not_loaded(loading: _Loading) -> dict[str, type[Module]]:
    """The modules that the script does not load: for the hints of a script that has errors."""
    found: dict[str, type[Module]] = {}
    for name in module_names():
        if name not in loading.modules:
            with contextlib.suppress(ModuleError):
                found[name] = find_module(name)
    return found
