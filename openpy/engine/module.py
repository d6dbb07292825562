"""The module API: what a module states once, and everything else reads.

Rules:
1. A module is one subclass of `Module`; what it exports stands in its body as `Param`, `@script_function`,
   `@mi_command`, `Counter`, `@pseudo_variable` and `Event`, and nowhere else. The loader, the checker, the docs
   and the tests read these declarations.
2. Life: declare (class body) -> configure (`modparam` sets the parameters) -> check -> prepare -> start -> drain ->
   stop. `check` and `prepare` open nothing; `start` may open files and databases; after `drain` no new work is taken. A
   reload configures, checks and prepares another instance first, which is never started; then `reconfigured` tells the
   one that runs.
3. A module reaches another only through what that one's `bind()` returns.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, get_args, get_origin

from openpy.engine.declarations import (
    Count,
    Counter,
    FunctionDeclaration,
    Param,
    PseudoVariableDeclaration,
    Source,
    pseudo_variable,
    script_function,
)
from openpy.engine.events import Event, events_of
from openpy.engine.mi import Command, declared_commands, mi_command
from openpy.engine.parameters import (
    Avps,
    AvpsKind,
    Format,
    FormatKind,
    Number,
    NumberKind,
    PatternKind,
    PseudoVariable,
    PseudoVariableKind,
    Regex,
    Text,
    TextKind,
)
from openpy.engine.signatures import signature_of
from openpy.script.diagnostics import did_you_mean
from openpy.script.environment import (
    ArgumentError,
    Effect,
    Environment,
    Function,
    Getter,
    Index,
    Inner,
    Parameter,
    PseudoVariableSpec,
    Refusal,
)
from openpy.script.globs import compile_glob
from openpy.script.patterns import Pattern
from openpy.script.syntax import RouteKind
from openpy.script.values import Value, as_number, wrap

if TYPE_CHECKING:
    from openpy.engine.services import Services
    from openpy.engine.wiretaps import Wiretap

__all__ = [
    "ALL_ROUTES",
    "REQUEST",
    "ArgumentError",
    "Avps",
    "AvpsKind",
    "Count",
    "Counter",
    "Effect",
    "Environment",
    "Event",
    "Format",
    "FormatKind",
    "Function",
    "Getter",
    "Index",
    "Inner",
    "Module",
    "ModuleError",
    "Number",
    "NumberKind",
    "Param",
    "Pattern",
    "PatternKind",
    "PseudoVariable",
    "PseudoVariableKind",
    "PseudoVariableSpec",
    "Refusal",
    "Regex",
    "RouteKind",
    "Source",
    "Text",
    "TextKind",
    "Value",
    "as_number",
    "compile_glob",
    "did_you_mean",
    "mi_command",
    "pseudo_variable",
    "script_function",
    "wrap",
]

REQUEST = frozenset({RouteKind.REQUEST})
ALL_ROUTES = frozenset(RouteKind)


class ModuleError(Exception):
    """A module that cannot be used as configured: what is wrong, and the line that mends it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class Module:
    """The base of everything that `loadmodule` can load."""

    name: ClassVar[str] = ""
    needs: ClassVar[tuple[str, ...]] = ()
    """Modules that must be loaded before this one; "database" stands for any database module."""
    can_join: ClassVar[bool] = False
    """Whether a reload may load it into a server that runs, or take it out: `start` and `stop` hold nobody up, and what
    it keeps is nothing that others were promised."""
    works_uncalled: ClassVar[bool] = False
    """It is of use to a script that names nothing of it, although it has functions or pseudo-variables."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.loading = False
        """Whether it still reads what it kept, and refuses what needs that. The server waits for it, not for long."""

    # --- as configured ------------------------------------------------------------------------------------

    def requirements(self) -> tuple[str, ...]:
        """`needs`, or less where the parameters say that it is not all used."""
        return self.needs

    def files(self) -> Mapping[str, Hashable]:
        """The files that were read when it was configured, by path, and what they held: a reload reads them again."""
        return {}

    def refusal(self) -> Refusal | None:
        """Why no script function of the module can be used; None: they can."""
        return None

    # --- life ---------------------------------------------------------------------------------------------

    def check(self) -> None:
        """Check the configuration after the whole script is read; raises ModuleError. Opens nothing."""

    def prepare(self, environment: Environment) -> None:
        """Convert what parameters say in terms of the script (pseudo-variables), which can name everything now.

        Raises ModuleError, or ArgumentError.
        """

    async def start(self) -> None:
        """Open what is needed; raises ModuleError to stop the start."""

    def reconfigured(self, configured: Module) -> None:
        """A reload has changed parameters, or read `files` again: take over what was made of them.

        Does not wait. `configured` has been made and checked in this one's place, and is now thrown away.
        """

    async def drain(self) -> None:
        """Take no new work and finish what was begun."""

    async def stop(self) -> None:
        """Close everything."""

    def bind(self) -> Any:
        """The API object for other modules."""
        return self

    def wiretap(self) -> Wiretap | None:
        """Who hears every message that comes or goes; asked once, before the sockets are taken. None: nobody."""
        return None

    # --- what the declarations say ---------------------------------------------------------------------------

    @classmethod
    def parameters(cls) -> dict[str, Param[Any]]:
        """All parameters by name, in the order of declaration."""
        return {item.name: item for item in _declared(cls) if isinstance(item, Param)}

    @classmethod
    def counters(cls) -> dict[str, Counter]:
        """All statistics by attribute name."""
        return {key: item for key, item in _declared_items(cls) if isinstance(item, Counter)}

    @classmethod
    def events(cls) -> dict[str, Event]:
        """The events that it raises, by the name of their routes: `module:event`."""
        return {f"{cls.name}:{event.name}": event for event in events_of(cls)}

    @classmethod
    def function_names(cls) -> set[str]:
        """The names of all script functions."""
        declarations = (getattr(item, "script_function", None) for item in _declared(cls))
        return {declaration.name for declaration in declarations if declaration is not None}

    @classmethod
    def variable_names(cls) -> set[str]:
        """The names of all pseudo-variables."""
        declarations = (getattr(item, "pseudo_variable", None) for item in _declared(cls))
        return {declaration.name for declaration in declarations if declaration is not None}

    def functions(self) -> Iterator[Function]:
        """All script functions, bound to this module."""
        for key, item in _declared_items(type(self)):
            declaration: FunctionDeclaration | None = getattr(item, "script_function", None)
            if declaration is not None:
                yield Function(
                    declaration.name,
                    tuple(_parameters(item)),
                    declaration.routes,
                    getattr(self, key),
                    inspect.iscoroutinefunction(item),
                    self.name,
                    inspect.getdoc(item) or "",
                    refusal=self.refusal(),
                    effect=declaration.effect,
                    arms=declaration.arms,
                )

    def statistics(self) -> Iterator[tuple[str, str, Source]]:
        """All statistics: group, name, and where the value comes from."""
        for attribute, counter in type(self).counters().items():
            read = counter.read
            yield self.name, counter.name, getattr(self, attribute) if read is None else partial(read, self)

    def commands(self) -> Iterator[Command]:
        """All management commands, bound to this module."""
        return declared_commands(self, self.name)

    def pseudo_variables(self) -> Iterator[PseudoVariableSpec]:
        """All pseudo-variables, bound to this module."""
        for key, item in _declared_items(type(self)):
            declaration: PseudoVariableDeclaration | None = getattr(item, "pseudo_variable", None)
            if declaration is not None:
                yield PseudoVariableSpec(
                    declaration.name,
                    getattr(self, key),
                    None,
                    declaration.takes_inner,
                    declaration.takes_index,
                    inspect.getdoc(item) or "",
                )


def _declared_items(cls: type[Module]) -> Iterator[tuple[str, Any]]:
    seen: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        seen.update(vars(base))
    yield from seen.items()


def _declared(cls: type[Module]) -> Iterator[Any]:
    for _, item in _declared_items(cls):
        yield item


def _parameters(function: Callable[..., Any]) -> Iterator[Parameter]:
    """The kinds of a script function's arguments, from its annotations."""
    for parameter in list(signature_of(function).parameters.values())[2:]:
        kind = _kind(parameter.annotation)
        yield Parameter(parameter.name, kind, parameter.default is not inspect.Parameter.empty)


def _kind(annotation: Any) -> Any:
    """The kind in `Annotated[X, kind]`, also inside `Annotated[X, kind] | None`."""
    if hasattr(annotation, "__metadata__"):
        return annotation.__metadata__[0]
    for part in get_args(annotation) if get_origin(annotation) is not None else ():
        if hasattr(part, "__metadata__"):
            return part.__metadata__[0]
    raise TypeError(f"{annotation!r} names no kind of argument")
