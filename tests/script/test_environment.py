from __future__ import annotations

from openpy.script.environment import (
    ArgumentError,
    Environment,
    Function,
    OperandSpec,
    Parameter,
    PseudoVariableSpec,
)


class TextKind:
    description = "text"

    def convert(self, text: str, environment: Environment) -> str:
        return text


def test_an_empty_environment_resolves_nothing() -> None:
    environment = Environment()
    assert environment.resolve("example.com") == ()
    assert environment.max_while_loops == 100


def test_tables_are_not_shared() -> None:
    first, second = Environment(), Environment()
    first.operands["af"] = OperandSpec("af", "number", lambda run: 2)
    first.not_loaded["xlog"] = "xlog"
    first.statistics["calls"] = 1
    assert second.operands == {}
    assert second.not_loaded == {}
    assert second.statistics == {}


def test_what_is_optional_in_a_pseudo_variable() -> None:
    spec = PseudoVariableSpec("si", lambda inner, index: lambda run: "10.0.0.1")
    assert spec.bind_setter is None
    assert not spec.takes_inner
    assert not spec.takes_index


def test_functions_of_one_name_are_told_apart_by_their_arguments() -> None:
    number = Parameter("number", TextKind())
    two = Function("f", (number, number), frozenset(), print)
    one = Function(
        "f", (number, Parameter("more", TextKind(), optional=True)), frozenset(), print, overload=two
    )
    none = Function("f", (), frozenset(), print, overload=one)
    environment = Environment(functions={"f": none})
    assert environment.function("f", 0) is none
    assert environment.function("f", 1) is one
    assert environment.function("f", 2) is one
    assert environment.function("f", 3) is none
    assert environment.function("g", 0) is None


def test_an_argument_error_is_a_value_error() -> None:
    assert issubclass(ArgumentError, ValueError)
