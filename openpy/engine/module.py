"""The module API: what a module states once, and everything else reads.

Rules:
1. A module is one subclass of `Module`; what it exports stands in its body as `Param`, `@script_function`,
   `@mi_command`, `Counter`, `@pseudo_variable` and `Event`, and nowhere else. The loader, the checker, the docs
   and the tests read these declarations.
2. Life: declare (class body) -> configure (`modparam` sets the parameters) -> check -> start -> drain -> stop.
   `check` opens nothing; `start` may open files and databases; after `drain` no new work is taken.
3. A module reaches another only through what that one's `bind()` returns.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Generic,
    TypeVar,
    get_args,
    get_origin,
    get_type_hints,
    overload,
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
from openpy.script.environment import (
    ArgumentError,
    Function,
    Index,
    Inner,
    Parameter,
    PseudoVariableSpec,
    Refusal,
)
from openpy.script.syntax import RouteKind

if TYPE_CHECKING:
    from openpy.engine.services import Services

__all__ = [
    "ALL_ROUTES",
    "REQUEST",
    "ArgumentError",
    "Avps",
    "AvpsKind",
    "Count",
    "Counter",
    "Event",
    "Format",
    "FormatKind",
    "Index",
    "Inner",
    "Module",
    "ModuleError",
    "Number",
    "NumberKind",
    "Param",
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
    "mi_command",
    "pseudo_variable",
    "script_function",
]

T = TypeVar("T")

REQUEST = frozenset({RouteKind.REQUEST})
ALL_ROUTES = frozenset(RouteKind)


class ModuleError(Exception):
    """A module that cannot be used as configured: what is wrong, and the line that mends it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class Param(Generic[T]):
    """One `modparam`. On an instance the attribute is the value.

    `type_` is `str`, `int` or `(str, int)`. With `repeat` each `modparam` adds to a list; otherwise the last wins.
    `check(value)` may return an adjusted value or raise ArgumentError. A `limit` bounds what strangers can make the
    server hold or do: docs/limits.md lists them all.
    """

    def __init__(
        self,
        type_: type[Any] | tuple[type[Any], ...],
        default: T,
        doc: str,
        *,
        repeat: bool = False,
        check: Callable[[Any], T] | None = None,
        hidden: bool = False,
        limit: bool = False,
    ) -> None:
        self.type = type_
        self.default = default
        self.doc = doc
        self.repeat = repeat
        self.check = check
        self.hidden = hidden
        self.limit = limit
        self.name = ""

    def __set_name__(self, owner: type[Module], name: str) -> None:
        self.name = name

    @overload
    def __get__(self, module: None, owner: type[Any]) -> Param[T]: ...
    @overload
    def __get__(self, module: Module, owner: type[Any]) -> T: ...
    def __get__(self, module: Module | None, owner: type[Any]) -> Param[T] | T:
        if module is None:
            return self
        value: T = module.__dict__.setdefault(self.name, self.default)  # from now on read without coming here
        return value

    def set(self, module: Module, value: Any) -> None:
        """Set the value as a `modparam` does; raises ArgumentError (wrong type or refused value)."""
        if type(value) not in (self.type if isinstance(self.type, tuple) else (self.type,)):
            expected = "a number" if self.type is int else "a quoted string"
            raise ArgumentError(f'parameter "{self.name}" of {module.name} takes {expected}')
        if self.check is not None:
            value = self.check(value)
        if self.repeat:
            value = [*getattr(module, self.name), value]
        module.__dict__[self.name] = value


class Counter:
    """One statistic. On an instance the attribute is a `Count`; add with `module.x.value += 1`.

    With `read(module)` its value is what that returns whenever somebody looks.
    """

    def __init__(self, doc: str, *, name: str = "", read: Callable[[Any], int] | None = None) -> None:
        self.doc = doc
        self.name = name
        self.read = read
        self._attribute = ""

    def __set_name__(self, owner: type[Module], name: str) -> None:
        self._attribute = name
        self.name = self.name or name

    @overload
    def __get__(self, module: None, owner: type[Any]) -> Counter: ...
    @overload
    def __get__(self, module: Module, owner: type[Any]) -> Count: ...
    def __get__(self, module: Module | None, owner: type[Any]) -> Counter | Count:
        if module is None:
            return self
        count = module.__dict__[self._attribute] = Count()  # from now on read without coming here
        return count


@dataclass(slots=True)
class Count:
    """The value of one statistic. One that is not `resettable` keeps it, whoever resets it (1.3: `no_reset`)."""

    value: int = 0
    resettable: bool = True

    def reset(self) -> None:
        """Begin again at 0, unless the value is to be kept."""
        if self.resettable:
            self.value = 0


Source = Count | Callable[[], int]
"""Where the value of a statistic comes from: a Count, or what is asked whenever somebody looks."""


@dataclass(frozen=True, slots=True)
class FunctionDeclaration:
    """What `@script_function` recorded."""

    name: str
    routes: frozenset[RouteKind]


@dataclass(frozen=True, slots=True)
class _PseudoVariableDeclaration:
    name: str
    takes_inner: bool = False
    takes_index: bool = False


def script_function(
    *, routes: frozenset[RouteKind], name: str = ""
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Export a method to scripts. Its parameters after `run` are annotated with kinds (Text, Number, Format ...).

    The method returns the script's return code: > 0 true, < 0 false, 0 ends the script.
    """

    def mark(function: Callable[..., Any]) -> Callable[..., Any]:
        function.__dict__["script_function"] = FunctionDeclaration(name or function.__name__, routes)
        return function

    return mark


def pseudo_variable(
    name: str, *, takes_inner: bool = False, takes_index: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Export `$name`. The method is the binder: `bind(self, inner, index) -> getter`."""

    def mark(function: Callable[..., Any]) -> Callable[..., Any]:
        function.__dict__["pseudo_variable"] = _PseudoVariableDeclaration(name, takes_inner, takes_index)
        return function

    return mark


class Module:
    """The base of everything that `loadmodule` can load."""

    name: ClassVar[str] = ""
    needs: ClassVar[tuple[str, ...]] = ()
    """Modules that must be loaded before this one; "database" stands for any database module."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.loading = False
        """Whether it still reads what it kept, and refuses what needs that. The server waits for it, not for long."""

    # --- as configured ------------------------------------------------------------------------------------

    def requirements(self) -> tuple[str, ...]:
        """`needs`, or less where the parameters say that it is not all used."""
        return self.needs

    def refusal(self) -> Refusal | None:
        """Why no script function of the module can be used; None: they can."""
        return None

    # --- life ---------------------------------------------------------------------------------------------

    def check(self) -> None:
        """Check the configuration after the whole script is read; raises ModuleError. Opens nothing."""

    async def start(self) -> None:
        """Open what is needed; raises ModuleError to stop the start."""

    async def drain(self) -> None:
        """Take no new work and finish what was begun."""

    async def stop(self) -> None:
        """Close everything."""

    def bind(self) -> Any:
        """The API object for other modules."""
        return self

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
            declaration: _PseudoVariableDeclaration | None = getattr(item, "pseudo_variable", None)
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
    hints = get_type_hints(function, include_extras=True)
    signature = inspect.signature(function)
    for parameter in list(signature.parameters.values())[2:]:
        kind = _kind(hints[parameter.name])
        yield Parameter(parameter.name, kind, parameter.default is not inspect.Parameter.empty)


def _kind(annotation: Any) -> Any:
    """The kind in `Annotated[X, kind]`, also inside `Annotated[X, kind] | None`."""
    if hasattr(annotation, "__metadata__"):
        return annotation.__metadata__[0]
    for part in get_args(annotation) if get_origin(annotation) is not None else ():
        if hasattr(part, "__metadata__"):
            return part.__metadata__[0]
    raise TypeError(f"{annotation!r} names no kind of argument")
