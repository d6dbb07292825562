"""What a script can name, as tables: the language knows names and shapes, not what they do.

The engine fills an `Environment` from its own tables and from the declarations of the loaded
modules; the checker, the compiler, the docs and the tests read it. A `run` is the engine's
object for one message; the language touches only what `ScriptRun` lists.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Protocol

from openpy.script.rules.rule import ErrorRule
from openpy.script.syntax import RouteKind
from openpy.script.values import Value


class ScriptRun(Protocol):
    """What compiled code needs of a run."""

    rc: int  # return code of the last completed action: $retcode
    depth: int  # nesting of route() calls
    dropped: bool  # `drop` was executed
    error_class: int  # `$err.class`, 0: no parse error; read only where there is an error_route

    def warn(self, text: str) -> None:
        """Log a warning about the script (an error in an expression, a missing route ...)."""
        ...


Getter = Callable[[Any], Value]
"""Reads a value from a run; None is NULL."""

Setter = Callable[[Any, Value, str], bool]
"""setter(run, value, operator): assigns a value (None: NULL); operator is "=" or ":="; False if it failed."""

Inner = str | Getter | None
"""The name inside `$x(name)`: constant, another pseudo-variable, or absent."""

Index = int | str | Getter | None
"""The index of `$(x[i])`: a number, "*", another pseudo-variable, or absent."""


class ArgumentError(ValueError):
    """An argument, name or parameter that cannot be used: what is wrong, and what to do (may be empty).

    `rule` says what kind of mistake it is; None is whatever the place makes of it.
    """

    def __init__(self, text: str, hint: str = "", rule: ErrorRule | None = None) -> None:
        super().__init__(f"{text}; {hint}" if hint else text)
        self.text = text
        self.hint = hint
        self.rule = rule

    def within(self, place: str) -> ArgumentError:
        """The same, told of something larger that it is in."""
        return ArgumentError(f"{place}: {self.text}", self.hint, self.rule)


@dataclass(frozen=True, slots=True)
class PseudoVariableSpec:
    """One `$name`. `bind(inner, index)` gives the getter and raises ArgumentError for a bad name or index."""

    name: str
    bind: Callable[[Inner, Index], Getter]
    bind_setter: Callable[[Inner], Setter] | None = None
    takes_inner: bool = False
    takes_index: bool = False
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Transformation:
    """One `{class.name,parameters}`. The bound function returns None where the transformation fails."""

    name: str  # lower case, "s.len"
    minimum: int  # number of parameters
    maximum: int
    bind: Callable[[tuple[Getter | str, ...]], Callable[[Any, Value], Value]]
    doc: str = ""


@dataclass(frozen=True, slots=True)
class OperandSpec:
    """A keyword operand. `kind` is "text" (method, uri ...), "number" (src_port, af ...) or "address".

    `get` may return None: the value is missing or cannot be parsed, which is an error in a comparison.
    `is_myself` answers `operand == myself`; None where the language does not allow it.
    `words` are the bare words that stand for numbers: `proto==UDP`, `af==INET6`, `msg:len==max_len`.
    """

    name: str
    kind: str
    get: Getter
    is_myself: Callable[[Any], bool | None] | None = None
    words: dict[str, int] = field(default_factory=dict)


class Kind(Protocol):
    """How a function's string argument is converted, once, when the script is loaded.

    A kind for which a bare word is not the same as a quoted one has `convert_name` beside `convert`.
    """

    @property
    def description(self) -> str:
        """`a number`, `a format` ...: for messages and docs."""
        ...

    def convert(self, text: str, environment: Environment) -> Any:
        """Convert the argument; raises ArgumentError."""
        ...


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a script function."""

    name: str
    kind: Kind
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a function cannot be used as its module is configured, and the line that mends it."""

    reason: str
    hint: str


class Effect(Enum):
    """What a function does for the request, as far as the checker follows it through the script."""

    UNSAID = "unsaid"
    """The declaration does not say: perhaps it answers."""
    NONE = "none"
    """It neither answers nor relays."""
    REPLIES = "replies"
    """It replies with the status that is its first argument, if it has one; a negative code says that it did not."""
    ANSWERS = "answers"
    """It replies, whatever code it gives."""
    RELAYS = "relays"
    """It sends the request on; a negative code says that it did not."""
    BEGINS = "begins"
    """It begins a transaction; where it cannot, somebody else answers, or nobody can."""
    ENDS = "ends"
    """The script ends there."""
    TESTS_METHOD = "tests the method"
    """It asks whether the method is one of its argument's, which are separated by `|`."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function that scripts can call. `call(run, *converted)` gives the code (a coroutine if is_async).

    `overload` is another function of the same name that takes another number of arguments. A script that calls
    one with a `refusal` is not started. If it `arms` a type of route, its first argument names one.
    """

    name: str
    parameters: tuple[Parameter, ...]
    routes: frozenset[RouteKind]
    call: Callable[..., Any]
    is_async: bool = False
    module: str = "core"
    doc: str = ""
    overload: Function | None = None
    refusal: Refusal | None = None
    effect: Effect = Effect.UNSAID
    arms: RouteKind | None = None

    def takes(self, count: int) -> bool:
        """Whether it can be called with so many arguments."""
        return sum(not parameter.optional for parameter in self.parameters) <= count <= len(self.parameters)


def _resolve_nothing(host: str) -> Sequence[str]:
    return ()


Rest = Callable[[], None]
"""Called often by what takes long: a thread lets others have their turn in it."""


def rest_never() -> None:
    """Nobody waits."""


@dataclass(slots=True)
class Environment:
    """All tables together. `resolve` turns a host name beside src_ip/dst_ip into addresses, at load time."""

    functions: dict[str, Function] = field(default_factory=dict)
    pseudo_variables: dict[str, PseudoVariableSpec] = field(default_factory=dict)
    transformations: dict[str, Transformation] = field(default_factory=dict)
    operands: dict[str, OperandSpec] = field(default_factory=dict)
    statistics: dict[str, Any] = field(default_factory=dict)  # by name in lower case
    not_loaded: dict[str, str] = field(default_factory=dict)  # function name -> the module that has it
    variables_not_loaded: dict[str, str] = field(default_factory=dict)  # the same of pseudo-variables
    told: frozenset[str] = frozenset()  # modules that are told to be missing already
    blacklists: dict[str, Any] = field(default_factory=dict)  # those that use_blacklist can name
    lacks_modules: bool = False  # a module is not there, so an unknown name may be its, and is not told
    flags: dict[str, int] = field(default_factory=dict)  # the names of flags
    methods: tuple[str, ...] = ()  # the methods of requests that have a name
    unanswered: frozenset[str] = frozenset()  # those of them that need no answer
    max_while_loops: int = 100
    folder: Path = Path()  # of the script: what it names without a path is in there
    resolve: Callable[[str], Sequence[str]] = _resolve_nothing
    rest: Rest = rest_never

    def function(self, name: str, count: int) -> Function | None:
        """The function of that name that takes so many arguments; the first of the name where none does."""
        first = candidate = self.functions.get(name)
        while candidate is not None and not candidate.takes(count):
            candidate = candidate.overload
        return candidate or first
