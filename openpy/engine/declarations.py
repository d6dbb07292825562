"""What stands in the body of a module's class: its parameters, statistics, functions and pseudo-variables.

`engine.module` gives them on to the modules, and reads them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from openpy.script.environment import ArgumentError, Effect
from openpy.script.syntax import RouteKind

if TYPE_CHECKING:
    from openpy.engine.module import Module

T = TypeVar("T")


class Param(Generic[T]):
    """One `modparam`. On an instance the attribute is the value.

    `type_` is `str`, `int` or `(str, int)`. With `repeat` each `modparam` adds to a list; otherwise the last wins.
    `check(value)` may return an adjusted value or raise ArgumentError. A `limit` bounds what strangers can make the
    server hold or do: docs/limits.md lists them all. With `reload` a new value counts in a server that runs: the
    attribute is read whenever it matters, or `Module.reconfigured` takes it over. Else a reload is refused, because
    the server has to be started anew.
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
        reload: bool = False,
    ) -> None:
        self.type = type_
        self.default = default
        self.doc = doc
        self.repeat = repeat
        self.check = check
        self.hidden = hidden
        self.limit = limit
        self.reload = reload
        self.name = ""

    def __set_name__(self, owner: type[Any], name: str) -> None:
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

    def __set_name__(self, owner: type[Any], name: str) -> None:
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
    effect: Effect
    arms: RouteKind | None


@dataclass(frozen=True, slots=True)
class PseudoVariableDeclaration:
    """What `@pseudo_variable` recorded."""

    name: str
    takes_inner: bool = False
    takes_index: bool = False


def script_function(
    *,
    routes: frozenset[RouteKind],
    name: str = "",
    effect: Effect = Effect.UNSAID,
    arms: RouteKind | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Export a method to scripts. Its parameters after `run` are annotated with kinds (Text, Number, Format ...).

    The method returns the script's return code: > 0 true, < 0 false, 0 ends the script. `effect` tells the checker what
    becomes of the request; `arms` is the type of route that the first argument names, as that of `t_on_failure`.
    """

    def mark(function: Callable[..., Any]) -> Callable[..., Any]:
        function.__dict__["script_function"] = FunctionDeclaration(
            name or function.__name__, routes, effect, arms
        )
        return function

    return mark


def pseudo_variable(
    name: str, *, takes_inner: bool = False, takes_index: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Export `$name`. The method is the binder: `bind(self, inner, index) -> getter`."""

    def mark(function: Callable[..., Any]) -> Callable[..., Any]:
        function.__dict__["pseudo_variable"] = PseudoVariableDeclaration(name, takes_inner, takes_index)
        return function

    return mark
