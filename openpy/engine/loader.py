"""From a script file to something that can run: parameters, modules, compiled routes.

Rules:
1. Nothing is opened here: what this module accepts may still fail to start, but a bad script never half-starts.
2. All errors of a file come in one run, in the order of the file.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from openpy.engine.avps import AvpName
from openpy.engine.blacklists import DEAD, DeadTargets, StaticBlacklist, declared_blacklist
from openpy.engine.blacklists import Blacklist as BlacklistInForce
from openpy.engine.config import CoreConfig
from openpy.engine.loading import Loading, Standing
from openpy.engine.loadmodules import (
    called_modules,
    check_modules,
    check_needs,
    load_module,
    modules_not_loaded,
    prepare_modules,
    set_parameter,
)
from openpy.engine.module import Module
from openpy.engine.services import Services
from openpy.engine.tlsdomains import TlsContexts, read_tls
from openpy.engine.unused import unused_modules
from openpy.engine.vocabulary import avp_aliases, check_events, environment_of
from openpy.script.checker import check
from openpy.script.compiler import Program, compile_script
from openpy.script.diagnostics import (
    Diagnostic,
    ScriptError,
    Severity,
    error,
    in_order,
)
from openpy.script.environment import Environment, rest_never
from openpy.script.parser import Definitions, ParsedScript, parse_leniently
from openpy.script.preprocessor import Read
from openpy.script.rules import settings
from openpy.script.syntax import (
    Blacklist,
    CoreParameter,
    FlagNames,
    LoadModule,
    ModuleParameter,
    Script,
    TlsDomain,
    TopLevel,
)


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
    tls: TlsContexts | None = None

    @property
    def files(self) -> Mapping[str, Hashable]:
        """The files that it names itself, not by a module, and what they held."""
        return self.tls.files if self.tls is not None else {}


@dataclass(slots=True)
class Examined:
    """All that is known of a script without running it, however wrong it is. `modules` are those that it calls."""

    parsed: ParsedScript
    config: CoreConfig
    modules: dict[str, Module]
    avp_aliases: dict[str, AvpName]
    environment: Environment
    blacklists: dict[str, BlacklistInForce]
    dead_targets: DeadTargets | None  # where they are kept
    found: list[Diagnostic]  # in the order of the file, those of the files that it includes behind it
    tls: TlsContexts | None


def load(
    path: Path,
    services: Services,
    config: CoreConfig,
    modules: dict[str, Module],
    definitions: Definitions = (),
    further: Sequence[TopLevel] = (),
    standing: Standing | None = None,
) -> Loaded:
    """Read, check and compile a script; raises ScriptError with everything that is wrong, OSError for the file.

    `definitions` are the names that the command line defines; ValueError for what is no name. `config` holds what it
    said before the file is read; `modules` is filled as they are loaded, so that they find each other when they check
    themselves. `further` parameters count as if they stood at the end of the file.
    """
    examined = examine(str(path), services, config, modules, definitions, further, standing=standing)
    if _errors(examined.found):
        raise ScriptError(examined.found)
    return Loaded(
        examined.parsed.script,
        examined.config,
        examined.modules,
        compile_script(examined.parsed.script, examined.environment),
        examined.avp_aliases,
        examined.environment,
        examined.blacklists,
        examined.dead_targets,
        tuple(examined.found),
        examined.tls,
    )


def _read(path: str) -> bytes:
    return Path(path).read_bytes()


def examine(
    file: str,
    services: Services,
    config: CoreConfig,
    modules: dict[str, Module],
    definitions: Definitions = (),
    further: Sequence[TopLevel] = (),
    read: Read = _read,
    standing: Standing | None = None,
) -> Examined:
    """Read and check a script, whose text and that of what it includes `read` gives; the rest is as for `load`.

    Raises ScriptError only where nothing is left to look at: in a text that cannot be read to its end.
    """
    rest = rest_never if standing is None else standing.rest
    parsed = parse_leniently(read(file), file, read, definitions, rest)
    loading = Loading(services, config, modules, {}, standing, Path(file).parent, is_whole=not parsed.errors)
    for statement in (*parsed.script.statements, *further):
        match statement:
            case CoreParameter():
                loading.note(loading.config.apply(statement))
            case LoadModule():
                load_module(loading, statement)
            case ModuleParameter():
                set_parameter(loading, statement)
            case FlagNames(names=names):
                loading.flags.extend(names)
            case TlsDomain():
                loading.tls_domains.append(statement)
            case Blacklist():
                _add_blacklist(loading, statement)
            case _:
                pass  # routes are checked and compiled below
    aliases = avp_aliases(loading, parsed.script)
    dead_targets: DeadTargets | None = None
    if not config.number("disable_dns_blacklist"):
        known = None if standing is None else standing.dead_targets
        dead_targets = loading.blacklists[DEAD] = known or DeadTargets(services.clock.monotonic)
    tls = read_tls(config, loading.tls_domains, loading.found) if loading.is_whole else None
    if loading.is_whole:
        check_needs(loading)
    if loading.is_whole and not _errors(loading.found):
        check_modules(loading)
    check_events(loading, parsed.script)
    environment = environment_of(loading)
    if loading.is_whole and not _errors(loading.found):
        prepare_modules(loading, environment)
    found = check(parsed.script, environment)
    if _errors(found) and loading.is_whole:
        for name, cls in modules_not_loaded(loading).items():
            environment.not_loaded.update(dict.fromkeys(cls.function_names(), name))
            environment.variables_not_loaded.update(dict.fromkeys(cls.variable_names(), name))
        found = check(parsed.script, environment)
    loading.found.extend(found)
    if not _errors(loading.found):
        loading.found.extend(unused_modules(parsed.script, loading.modules, loading.places))
    loading.found = [*parsed.found, *_beside(parsed.errors, loading.found)]
    called = loading.modules
    if standing is not None and not _errors(loading.found):
        called = called_modules(loading.modules, standing)
        environment = environment_of(loading, called)
    return Examined(
        parsed,
        loading.config,
        called,
        aliases,
        environment,
        loading.blacklists,
        dead_targets,
        in_order(loading.found, file),
        tls,
    )


def _add_blacklist(loading: Loading, statement: Blacklist) -> None:
    name = statement.name
    if name in loading.blacklists or name == DEAD:
        whose = "the dead destinations" if name == DEAD else "a line above"
        text = f"dst_blacklist {name}: that is the name of {whose}"
        loading.note(error(settings.BAD_BLACKLIST, statement.position, text, "choose another"))
        return
    # where there are mistakes of syntax, rules may be among them
    loading.blacklists[name] = (
        declared_blacklist(statement) if loading.is_whole else StaticBlacklist(name, ())
    )


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
