from __future__ import annotations

from openpy.engine.corefunction import ALL, core_function
from openpy.engine.parameters import NumberKind, TextKind
from openpy.engine.run import Run
from openpy.script.syntax import RouteKind


def call(run: Run, text: str, number: int = 1) -> int:
    """Says what it does."""
    return number


async def waiting(run: Run) -> int:
    """Waits."""
    return 1


def test_a_function_is_declared_by_what_it_is() -> None:
    declared = core_function(call, TextKind(), NumberKind(), optional=1)
    assert (declared.name, declared.module, declared.doc) == ("call", "core", "Says what it does.")
    assert [declared.takes(count) for count in range(4)] == [False, True, True, False]
    assert declared.routes == ALL == frozenset(RouteKind)
    assert not declared.is_async


def test_a_coroutine_makes_its_routes_wait() -> None:
    assert core_function(waiting).is_async


def test_another_number_of_arguments_is_another_function() -> None:
    other = core_function(waiting, name="call")
    declared = core_function(call, TextKind(), overload=other)
    assert declared.overload is other
    assert other.name == "call"
