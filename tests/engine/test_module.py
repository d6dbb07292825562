from __future__ import annotations

import asyncio
from typing import Annotated, Any

import pytest

from openpy.engine.mi import Node
from openpy.engine.module import (
    ALL_ROUTES,
    REQUEST,
    Counter,
    Effect,
    Event,
    Format,
    Index,
    Inner,
    Module,
    ModuleError,
    Number,
    NumberKind,
    Param,
    Refusal,
    RouteKind,
    Text,
    mi_command,
    pseudo_variable,
    script_function,
)
from openpy.engine.modulefinder import find_module, module_names


class Greeting(Module):
    """Greets."""

    name = "greeting"

    word = Param(str, "hello", "What to say")
    said = Counter("Greetings said")

    @script_function(routes=REQUEST)
    def greet(self, run: Any, whom: Text, times: Number | None = None) -> int:
        """Greet somebody."""
        self.said.value += times or 1
        return 1

    @script_function(routes=ALL_ROUTES, name="greet")
    async def greet_all(self, run: Any, a: Text, b: Annotated[int, NumberKind(1, 2)], c: Format) -> int:
        """Greet at length."""
        return 1

    @mi_command("greet_now")
    def greet_now(self, whom: str) -> None:
        """Greet at once."""
        self.said.value += 1

    @pseudo_variable("GREET", takes_inner=True)
    def word_for(self, inner: Inner, index: Index) -> Any:
        """The word."""
        return lambda run: f"{self.word} {inner}"


class Polite(Greeting):
    """Greets politely."""

    name = "polite"
    bow = Param(int, 1, "Whether to bow")


def make(cls: type[Module] = Greeting) -> Any:
    return cls(services=None)  # type: ignore[arg-type]


def test_statistics_say_where_their_values_come_from() -> None:
    class Reading(Greeting):
        """Looks."""

        name = "reading"
        length = Counter("Letters of the word", name="word_length", read=lambda module: len(module.word))

    module = make(Reading)
    assert Greeting.counters() == {"said": Greeting.said}
    (first_group, first, count), (second_group, second, read) = module.statistics()
    assert (first_group, first, second_group, second) == ("reading", "said", "reading", "word_length")
    assert count is module.said
    assert read() == len(module.word)


def test_functions_are_read_from_the_class_body() -> None:
    greet, greet_all = make().functions()
    assert (greet.name, greet.module, greet.is_async, greet.doc) == (
        "greet",
        "greeting",
        False,
        "Greet somebody.",
    )
    assert [(p.name, p.optional) for p in greet.parameters] == [("whom", False), ("times", True)]
    assert [p.kind.description for p in greet.parameters] == ["text", "a number"]
    assert greet.routes == frozenset({RouteKind.REQUEST})
    assert greet_all.name == "greet"
    assert greet_all.is_async
    assert greet_all.parameters[1].kind == NumberKind(1, 2)
    assert Greeting.function_names() == {"greet"}


def test_a_module_may_refuse_its_functions_and_need_less_as_it_is_configured() -> None:
    class Quiet(Greeting):
        """Greets only where it has a word."""

        needs = ("tm",)

        def requirements(self) -> tuple[str, ...]:
            return self.needs if self.word else ()

        def refusal(self) -> Refusal | None:
            return None if self.word else Refusal("it has no word", "add: a word")

    module = make(Quiet)
    assert module.requirements() == ("tm",)
    assert {function.refusal for function in module.functions()} == {None}
    Quiet.parameters()["word"].set(module, "")
    assert module.requirements() == ()
    assert {function.refusal for function in module.functions()} == {Refusal("it has no word", "add: a word")}


def test_an_exported_function_is_bound_to_its_module() -> None:
    module = make()
    greet = next(module.functions())
    assert greet.call(None, "alice", 2) == 1
    assert module.said.value == 2


def test_commands_are_bound_to_their_module() -> None:
    module = make(Polite)
    (command,) = module.commands()
    assert (command.name, command.group, command.doc) == ("greet_now", "polite", "Greet at once.")
    command.call([Node(value="alice")])
    assert module.said.value == 1


def test_pseudo_variables_are_bound_to_their_module() -> None:
    (spec,) = make().pseudo_variables()
    assert (spec.name, spec.takes_inner, spec.takes_index, spec.doc) == ("GREET", True, False, "The word.")
    assert spec.bind("bob", None)(None) == "hello bob"


def test_a_derived_module_has_all_that_its_base_declares() -> None:
    assert list(Polite.parameters()) == ["word", "bow"]
    assert [function.module for function in make(Polite).functions()] == ["polite", "polite"]


def test_an_argument_without_a_kind_is_a_mistake_of_the_module() -> None:
    class Vague(Module):
        """Says too little."""

        name = "vague"

        @script_function(routes=REQUEST)
        def f(self, run: Any, text: str) -> int:
            return 1

        @script_function(routes=REQUEST)
        def g(self, run: Any, text: int | str) -> int:
            return 1

    with pytest.raises(TypeError, match="names no kind"):
        list(make(Vague).functions())


def test_a_plain_module_goes_through_its_life_without_doing_anything() -> None:
    async def live(module: Module) -> None:
        module.check()
        await module.start()
        await module.drain()
        await module.stop()

    module = make()
    asyncio.run(live(module))
    assert module.bind() is module


def test_a_module_error_says_what_mends_it() -> None:
    error = ModuleError("needs tm", 'loadmodule "tm.so"')
    assert (str(error), error.message, error.hint) == ("needs tm", "needs tm", 'loadmodule "tm.so"')


def test_events_are_named_after_their_module() -> None:
    class Bell(Module):
        name = "bell"
        it_rings = Event("Somebody rings")

    assert {name: event.doc for name, event in Bell.events().items()} == {"bell:it-rings": "Somebody rings"}
    assert Module.events() == {}


@pytest.mark.parametrize("name", module_names())
def test_our_own_modules_say_what_their_functions_do(name: str) -> None:
    """One that does not is not followed by the checker."""
    module = find_module(name)(services=None)  # type: ignore[arg-type]  # declarations only
    assert not [item.name for item in module.functions() if item.effect is Effect.UNSAID]


def test_effect_and_what_is_armed_are_declared_with_the_function() -> None:
    class Guard(Module):
        """Guards."""

        name = "guard"

        @script_function(routes=REQUEST, effect=Effect.NONE, arms=RouteKind.FAILURE)
        def on_trouble(self, run: Any, route: Text) -> int:
            """Arm a route."""
            return 1

        @script_function(routes=REQUEST)
        def other(self, run: Any) -> int:
            """Do something."""
            return 1

        @pseudo_variable("guard")
        def guarded(self, inner: Any, index: Any) -> Any:
            """Who guards."""

    first, second = Guard(services=None).functions()  # type: ignore[arg-type]
    assert (first.effect, first.arms) == (Effect.NONE, RouteKind.FAILURE)
    assert (second.effect, second.arms) == (Effect.UNSAID, None)
    assert Guard.variable_names() == {"guard"}
    assert Guard.function_names() == {"on_trouble", "other"}
