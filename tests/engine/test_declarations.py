from __future__ import annotations

from typing import Any

import pytest

from openpy.engine.declarations import (
    Count,
    Counter,
    FunctionDeclaration,
    Param,
    PseudoVariableDeclaration,
    pseudo_variable,
    script_function,
)
from openpy.engine.module import REQUEST, ArgumentError, Effect, Module, RouteKind


def _even(value: int) -> int:
    if value % 2:
        raise ArgumentError("must be even")
    return value // 2


class Greeting(Module):
    """Greets."""

    name = "greeting"

    word = Param(str, "hello", "What to say")
    half = Param(int, 0, "An even number", check=_even)
    names: Param[list[str]] = Param(str, [], "Whom to greet", repeat=True)
    said = Counter("Greetings said")
    hand: Param[str | int] = Param((str, int), "left", "Which hand, by name or number")


def make() -> Any:
    return Greeting(services=None)  # type: ignore[arg-type]


def test_a_parameter_has_its_default_and_takes_what_modparam_says() -> None:
    module, other = make(), make()
    assert module.word == "hello"
    Greeting.word.set(module, "hi")
    assert (module.word, other.word) == ("hi", "hello")


@pytest.mark.parametrize(("parameter", "value", "expected"), [("word", 1, "quoted"), ("half", "2", "number")])
def test_a_value_of_the_wrong_type_is_refused(parameter: str, value: object, expected: str) -> None:
    with pytest.raises(ArgumentError, match=f'"{parameter}" of greeting takes a {expected}'):
        Greeting.parameters()[parameter].set(make(), value)


def test_a_parameter_may_take_text_and_numbers() -> None:
    module = make()
    Greeting.hand.set(module, 2)
    assert module.hand == 2
    Greeting.hand.set(module, "right")
    assert module.hand == "right"


def test_a_check_may_adjust_or_refuse() -> None:
    module = make()
    Greeting.half.set(module, 8)
    assert module.half == 4
    with pytest.raises(ArgumentError, match="even"):
        Greeting.half.set(module, 7)
    assert module.half == 4


def test_a_repeated_parameter_adds_up_for_its_own_module_only() -> None:
    module, other = make(), make()
    Greeting.names.set(module, "alice")
    Greeting.names.set(module, "bob")
    assert module.names == ["alice", "bob"]
    assert other.names == []


def test_counters_belong_to_an_instance() -> None:
    module, other = make(), make()
    module.said.value += 3
    assert (module.said.value, other.said.value) == (3, 0)
    assert Greeting.said.name == "said"


def test_a_count_is_reset_unless_it_is_kept() -> None:
    counts = Count(5), Count(5, resettable=False)
    for count in counts:
        count.reset()
    assert [count.value for count in counts] == [0, 5]


def test_what_is_said_of_a_function_and_a_variable_stays_with_it() -> None:
    @script_function(routes=REQUEST, effect=Effect.NONE, arms=RouteKind.FAILURE)
    def on_trouble(module: Module, run: Any) -> int:
        return 1

    @pseudo_variable("TROUBLE", takes_index=True)
    def trouble(module: Module, inner: Any, index: Any) -> Any:
        return None

    function, variable = on_trouble.__dict__["script_function"], trouble.__dict__["pseudo_variable"]
    assert function == FunctionDeclaration("on_trouble", REQUEST, Effect.NONE, RouteKind.FAILURE)
    assert variable == PseudoVariableDeclaration("TROUBLE", takes_inner=False, takes_index=True)
