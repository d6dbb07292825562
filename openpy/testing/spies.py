"""Listening to the calls of a script's functions, and taking their place.

Compiled code finds functions by generated names among its globals: a spy takes the place of one there. So it is heard
whichever route calls the function, and nothing is slower where nobody listens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from openpy.engine.corefunctions import CORE_FUNCTIONS
from openpy.engine.module import Module
from openpy.script.compiler import Program
from openpy.script.diagnostics import did_you_mean
from openpy.script.environment import Function
from openpy.testing.routes import scope_of

Returns = int | Callable[..., int]
"""A return code, or what makes one of the run and the arguments, with formats expanded."""


class Spy(list[tuple[Any, ...]]):
    """The calls of a function, each the tuple of its arguments as they were: formats are expanded."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.codes: list[int] = []
        """What each call returned, once it has."""


def listen(
    program: Program,
    modules: dict[str, Module],
    name: str,
    note: Callable[[str], None],
    returns: Returns | None = None,
    spy: Spy | None = None,
) -> Spy:
    """Record the calls of a function, and do instead what `returns` says, if it is not None.

    A `spy` of another program goes on with this one. Raises LookupError if no route calls a function of that name.
    """
    spy = Spy(name) if spy is None else spy
    known = list(_functions(modules))
    wanted = [function for function in known if function.name == name]
    found = 0
    for scope in _scopes(program):
        for key, value in list(scope.items()):
            original = _spied(value) if callable(value) else None
            function = next((item for item in wanted if item.call == original), None)
            if function is not None:
                found += 1
                scope[key] = _recording(spy, function, value, note, returns)
    if not found:
        values = [_spied(value) for scope in _scopes(program) for value in scope.values() if callable(value)]
        hint = did_you_mean(name, {item.name for item in known if item.call in values})
        raise LookupError(f"no route calls {name}(){': ' if hint else ''}{hint}")
    return spy


def _recording(
    spy: Spy,
    function: Function,
    inner: Callable[..., Any],
    note: Callable[[str], None],
    returns: Returns | None,
) -> Callable[..., Any]:
    """What takes a function's place."""

    def called(run: Any, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        spy.append(tuple(argument(run) if callable(argument) else argument for argument in arguments))
        return spy[-1]

    def stubbed(run: Any, values: tuple[Any, ...]) -> int:
        return returns(run, *values) if callable(returns) else returns or 0

    def returned(values: tuple[Any, ...], code: int) -> int:
        spy.codes.append(code)
        note(f"{spy.name}({', '.join(map(repr, values))}) returned {code}")
        return code

    def sync(run: Any, *arguments: Any) -> int:
        values = called(run, arguments)
        return returned(values, inner(run, *arguments) if returns is None else stubbed(run, values))

    async def waiting(run: Any, *arguments: Any) -> int:
        values = called(run, arguments)
        return returned(values, await inner(run, *arguments) if returns is None else stubbed(run, values))

    made: Callable[..., Any] = waiting if function.is_async else sync
    made.__dict__["__spied__"] = function.call
    return made


def _functions(modules: dict[str, Module]) -> Iterator[Function]:
    """All functions that a script can call, with those of the same name."""
    for function in CORE_FUNCTIONS.values():
        following: Function | None = function
        while following is not None:
            yield following
            following = following.overload
    for module in modules.values():
        yield from module.functions()


def _scopes(program: Program) -> list[dict[str, Any]]:
    """The globals of the compiled routes, each once."""
    return list({id(scope): scope for scope in map(scope_of, program.routes.values())}.values())


def _spied(value: Any) -> Any:
    """The function whose place a spy has taken, or what is no spy itself."""
    return getattr(value, "__spied__", value)
