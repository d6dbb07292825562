"""A program that tells what it does: the same tree, compiled by the same back end, with an observer woven in.

Rules:
1. What is observed is what runs: a binder wraps the getters, setters and functions that it binds, and a writer adds
   calls of the observer. Neither changes a value, an order or a return code.
2. The plain program has none of this in it.
3. Each event comes with the run and the node of the tree that it is about, so with its place in the script.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from types import FunctionType
from typing import Any, Protocol

from openpy.script.binding import Binder, BoundCall, BoundValue
from openpy.script.codewriter import Unit, call, compare, load, when
from openpy.script.comparisons import Verdict
from openpy.script.environment import Environment, Function, Getter, OperandSpec, Setter
from openpy.script.expressions import Condition
from openpy.script.formats import FormatText
from openpy.script.statements import RouteWriter
from openpy.script.syntax import (
    And,
    Assignment,
    Block,
    Call,
    Comparison,
    Empty,
    Expression,
    If,
    Node,
    Not,
    Operand,
    Or,
    Position,
    PseudoVariable,
    Route,
    RouteCall,
    Statement,
    While,
)
from openpy.script.values import Value

LARGE = 150
"""Nodes of one function: a few milliseconds."""


class Observer(Protocol):
    """Who hears what an observed program does, while it does it. Nothing may be raised."""

    def entered(self, run: Any, route: Route) -> None:
        """A route begins."""
        ...

    def reached(self, run: Any, node: Statement) -> None:
        """A statement begins: also `exit`, `return`, `drop` and `break`, and the `if` of an `else if`."""
        ...

    def opened(self, run: Any, position: Position) -> None:
        """The body of an `if`, `else`, `while` or `case` begins."""
        ...

    def read(self, run: Any, node: PseudoVariable | Operand, value: Value) -> None:
        """A variable or a keyword operand had this value."""
        ...

    def tested(self, run: Any, node: Expression, verdict: Verdict, decides: bool) -> Verdict:
        """A comparison, `&&`, `||` or `!` gave this; `decides`: it is the whole condition of an `if` or `while`.

        Returns the verdict as it came.
        """
        ...

    def calling(self, run: Any, node: Call) -> None:
        """A function is about to be called."""
        ...

    def expanded(self, run: Any, node: Call, number: int, value: Value) -> None:
        """The function asked what its argument `number` (from 0) means for this message."""
        ...

    def called(self, run: Any, node: Call, code: int) -> None:
        """The function returned."""
        ...

    def assigned(self, run: Any, node: Assignment, value: Value, succeeded: bool) -> None:
        """An assignment was made; where it did not succeed, `value` is None."""
        ...

    def returned(self, run: Any, node: RouteCall, code: int) -> None:
        """A route that was called came back with this code; told before an `exit` in it ends the script: never then."""
        ...


class ObservedBinder(Binder):
    """Binds what tells of its use."""

    __slots__ = ("observer",)

    def __init__(self, environment: Environment, observer: Observer) -> None:
        super().__init__(environment)
        self.observer = observer

    def call(self, node: Call) -> BoundCall | None:
        """The function, telling its arguments and its return code."""
        bound = super().call(node)
        if bound is None:
            return None
        arguments = (self._argument_told(node, *item) for item in enumerate(bound.arguments))
        return BoundCall(_told_function(bound.function, node, self.observer), tuple(arguments))

    def _argument_told(self, node: Call, number: int, converted: Any) -> Any:
        """An argument that depends on the message tells what it was; one of a module's own making is left alone."""

        def tell(run: Any, value: Value) -> None:
            self.observer.expanded(run, node, number, value)

        if isinstance(converted, FormatText):
            return converted if converted.constant is not None else ToldFormat(converted, tell)
        return _told_getter(converted, tell) if isinstance(converted, FunctionType) else converted

    def variable(self, node: PseudoVariable) -> BoundValue | None:
        """The getter, telling the value."""
        bound = super().variable(node)
        return None if bound is None else BoundValue(self._told(node, bound.get), bound.strict)

    def operand(self, node: Operand) -> OperandSpec | None:
        """The operand, telling its value also where it is compared with `myself`."""
        spec = super().operand(node)
        if spec is None:
            return None
        get = self._told(node, spec.get)
        ask = spec.is_myself

        def is_myself(run: Any) -> bool | None:
            get(run)
            return None if ask is None else ask(run)

        return OperandSpec(spec.name, spec.kind, get, None if ask is None else is_myself, spec.words)

    def setter(self, node: Assignment) -> Setter | None:
        """The setter, telling what it set."""
        setter = super().setter(node)
        if setter is None:
            return None
        assign = setter

        def told(run: Any, value: Value, operator: str) -> bool:
            done = assign(run, value, operator)
            if done:
                self.observer.assigned(run, node, value, True)
            return done

        return told

    def _told(self, node: PseudoVariable | Operand, get: Getter) -> Getter:
        return _told_getter(get, lambda run, value: self.observer.read(run, node, value))


class ToldFormat(FormatText):
    """A format that tells each text that it makes."""

    __slots__ = ("_tell",)

    def __init__(self, plain: FormatText, tell: Callable[[Any, Value], None]) -> None:
        super().__init__(plain.text, plain._parts, plain._last)
        self._tell = tell

    def __call__(self, run: Any) -> str:
        """Make the text for a run."""
        text = super().__call__(run)
        self._tell(run, text)
        return text


def _told_getter(get: Getter, tell: Callable[[Any, Value], None]) -> Getter:
    def told(run: Any) -> Value:
        value = get(run)
        tell(run, value)
        return value

    return told


def _told_function(function: Function, node: Call, observer: Observer) -> Function:
    """A function that tells when it is called and what it returned."""
    plain = function.call

    def told(run: Any, *arguments: Any) -> Any:
        observer.calling(run, node)
        code = plain(run, *arguments)
        observer.called(run, node, code)
        return code

    async def told_late(run: Any, *arguments: Any) -> Any:
        observer.calling(run, node)
        code = await plain(run, *arguments)
        observer.called(run, node, code)
        return code

    return Function(
        function.name,
        function.parameters,
        function.routes,
        told_late if function.is_async else told,
        function.is_async,
        function.module,
    )


class ObservedWriter(RouteWriter):
    """Writes one route with calls of the observer in it."""

    large = LARGE

    def __init__(self, unit: Unit, route: Route, observer: Observer) -> None:
        super().__init__(unit, route)
        self._observer = observer
        self._deciding: Expression | None = None

    def write(self) -> None:
        """Write the function of the whole route."""
        self._tell(self.route, "entered")
        super().write()

    def condition(self, node: Expression) -> Condition:
        """The test, which tells its verdict."""
        decides = node is self._deciding
        test, certain = super().condition(node)
        if not decides and not isinstance(node, Comparison | And | Or | Not):
            return Condition(test, certain)
        told = call(
            self._method("tested"), load("run"), self.unit.name(node), test, ast.Constant(value=decides)
        )
        return Condition(told, certain)

    def _statement(self, node: Statement) -> None:
        if not isinstance(node, If | Block | Empty):  # an `if` is told as a link of its chain
            self._tell(node, "reached")
        super()._statement(node)

    def _link(self, node: If, is_last: bool) -> None:
        self._tell(node, "reached")
        self._deciding = node.condition
        super()._link(node, is_last)

    def _while(self, node: While) -> None:
        self._deciding = node.condition
        super()._while(node)

    def _nested(self, statements: tuple[Statement, ...], position: Position) -> list[ast.stmt]:
        def write() -> None:
            told = call(self._method("opened"), load("run"), self.unit.name(position))
            self.emit(position, ast.Expr(told))

        return [*self.captured(write), *super()._nested(statements, position)]

    def _assignment(self, node: Assignment) -> None:
        super()._assignment(node)
        failed = call(
            self._method("assigned"),
            load("run"),
            self.unit.name(node),
            ast.Constant(None),
            ast.Constant(value=False),
        )
        self.emit(node.position, when(compare(load("rc"), ast.Lt(), ast.Constant(0)), [ast.Expr(failed)]))

    def _route_call(self, node: RouteCall) -> None:
        super()._route_call(node)
        self._tell(node, "returned", load("rc"))

    def _tell(self, node: Node, what: str, *more: ast.expr) -> None:
        """Write a call of the observer."""
        told = call(self._method(what), load("run"), self.unit.name(node), *more)
        self.emit(node.position, ast.Expr(told))

    def _method(self, name: str) -> ast.expr:
        return ast.Attribute(self.unit.name(self._observer), name, ast.Load())
