"""Conditions, values, calls and assignments as Python.

Rules:
1. What an expression needs done first (calls, whose 0 ends the script) becomes statements in the current
   block; what is left over is a Python expression without effects.
2. A condition is True, False or ERROR (-1), and `Condition.certain` if it cannot be ERROR.
3. `rc`, a local variable, holds the code of the last call; it is used at once or copied.
"""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import NamedTuple

from openpy.script.binding import BoundValue
from openpy.script.callgraph import RouteKey
from openpy.script.codewriter import (
    Unit,
    attribute,
    call,
    compare,
    load,
    negated,
    place,
    set_attribute,
    store,
    when,
)
from openpy.script.comparison_binding import bind_comparison
from openpy.script.comparisons import present
from openpy.script.operations import OPERATIONS, assign, fold_constants, invert, not_assigned
from openpy.script.stopping import STOP
from openpy.script.syntax import (
    And,
    Arithmetic,
    ArithmeticTruth,
    Assignment,
    BitNot,
    Block,
    Call,
    Comparison,
    Drop,
    Exit,
    Expression,
    If,
    Name,
    Node,
    Not,
    Null,
    Number,
    Or,
    Position,
    PseudoVariable,
    Return,
    RouteCall,
    RouteKind,
    Statement,
    String,
)
from openpy.script.values import Value

MAX_ROUTE_CALLS = 99
"""How deep route() calls may nest: 100 levels with the one that the message came into."""

_SPILL = 20  # parts of one chain of operators that become one Python expression


class Condition(NamedTuple):
    """A Python test, and whether it can only be True or False."""

    test: ast.expr
    certain: bool


class ExpressionWriter(ABC):
    """Writes into `block`, the current list of Python statements of one function."""

    def __init__(self, unit: Unit, key: RouteKey) -> None:
        self.unit = unit
        self.key = key
        self.is_async = key in unit.waiting
        self.block: list[ast.stmt] = []

    @abstractmethod
    def statements(self, nodes: tuple[Statement, ...]) -> None:
        """Write statements."""

    def emit(self, position: Position, *statements: ast.stmt) -> None:
        """Add statements to the current block."""
        self.block += [place(statement, position) for statement in statements]

    def captured(self, write: Callable[[], None]) -> list[ast.stmt]:
        """What `write` adds, as a block of its own."""
        outer, self.block = self.block, []
        try:
            write()
            return self.block
        finally:
            self.block = outer

    # --- conditions ---------------------------------------------------------------------------------------

    def condition(self, node: Expression) -> Condition:
        """Write what must be done first; return the test."""
        match node:
            case And() | Or():
                return self._chain(node)
            case Not(operand=operand):
                return self._not(operand, node.position)
            case Comparison():
                return self._comparison(node)
            case Number(value=number):
                return Condition(ast.Constant(number != 0), True)
            case PseudoVariable():
                bound = self.unit.binder.variable(node)
                if bound is not None and bound.strict:
                    return self._present(self._get(bound))
                return Condition(negated(negated(self._get(bound))), True)
            case ArithmeticTruth(value=value):
                return self._present(self.value(value))
            case Call() | RouteCall() | Assignment():
                self.action(node)
                return Condition(compare(load("rc"), ast.Gt(), ast.Constant(0)), True)
            case Return() | Exit() | Drop() | If():
                self.statements((node,))
            case Block(statements=statements):
                self.emit(node.position, set_attribute("rc", ast.Constant(1)))
                self.statements(statements)
            case _:
                return self._present(self.value(node))
        return Condition(compare(attribute("rc"), ast.Gt(), ast.Constant(0)), True)

    def _present(self, value: ast.expr) -> Condition:
        return Condition(call(self.unit.name(present), value), False)

    def _chain(self, node: And | Or) -> Condition:
        """`a && b || c`: from left to right, each step only if the ones before left it open."""
        steps: list[And | Or] = []
        first: Expression = node
        while isinstance(first, (And, Or)):
            steps.append(first)
            first = first.left
        test, certain = self.condition(first)
        result = self.spilled(test, node.position)
        for step in reversed(steps):
            if isinstance(step, Or):
                still_open = negated(load(result))
            elif certain:
                still_open = load(result)
            else:
                still_open = compare(load(result), ast.Gt(), ast.Constant(0))
            certain_too = True

            def write(right: Expression = step.right) -> None:
                nonlocal certain_too
                test, certain_too = self.condition(right)
                self.emit(right.position, store(result, test))

            body = self.captured(write)
            self.emit(step.position, when(still_open, body))
            certain = certain and certain_too
        return Condition(load(result), certain)

    def _not(self, operand: Expression, position: Position) -> Condition:
        test, certain = self.condition(operand)
        if certain:
            return Condition(negated(test), True)
        result = self.spilled(test, position)
        failed = compare(load(result), ast.Lt(), ast.Constant(0))
        return Condition(ast.IfExp(failed, load(result), negated(load(result))), False)

    def _comparison(self, node: Comparison) -> Condition:
        bound = bind_comparison(self.unit.binder, node)
        if bound is None:
            return Condition(ast.Constant(value=False), True)
        first = load("run") if bound.left is None else self._get(bound.left)
        rest = [
            self._get(item) if isinstance(item, BoundValue) else self.unit.constant(item)
            for item in bound.rest
        ]
        return Condition(call(self.unit.name(bound.test), first, *rest), bound.certain)

    # --- values -------------------------------------------------------------------------------------------

    def value(self, node: Expression) -> ast.expr:
        """Write what must be done first; return the value. None is no value."""
        match node:
            case Number(value=constant) | String(value=constant) | Name(text=constant):
                return ast.Constant(constant)
            case Null():
                return ast.Constant(None)
            case PseudoVariable():
                return self._get(self.unit.binder.variable(node))
            case Arithmetic():
                return self._arithmetic(node)
            case BitNot(operand=operand):
                value = self.value(operand)
                if isinstance(value, ast.Constant) and isinstance(value.value, int):
                    return ast.Constant(~value.value)
                return call(self.unit.name(invert), load("run"), value, self.where(node))
            case Call() | RouteCall():
                self.action(node)
                return load("rc")
            case _:  # a comparison gives 1, 0 or -1
                return ast.UnaryOp(ast.UAdd(), self.condition(node).test)

    def _get(self, bound: BoundValue | None) -> ast.expr:
        return ast.Constant(None) if bound is None else call(self.unit.name(bound.get), load("run"))

    def _arithmetic(self, node: Arithmetic) -> ast.expr:
        steps: list[Arithmetic] = []
        first: Expression = node
        while isinstance(first, Arithmetic):
            steps.append(first)
            first = first.left
        result = self.value(first)
        for count, step in enumerate(reversed(steps), 1):
            mark = len(self.block)
            right = self.value(step.right)
            if len(self.block) > mark or count % _SPILL == 0:  # the left side comes first
                name = self.unit.fresh("t")
                self.block.insert(mark, place(store(name, result), step.position))
                result = load(name)
            result = self.calculated(step.operator, result, right, step)
        return result

    def calculated(self, sign: str, left: ast.expr, right: ast.expr, node: Node) -> ast.expr:
        """`left sign right`, at once where both are constants."""
        folded = fold_constants(sign, _constant(left), _constant(right))
        if folded is not None:
            return ast.Constant(folded)
        return call(self.unit.name(OPERATIONS[sign]), load("run"), left, right, self.where(node))

    def spilled(self, value: ast.expr, position: Position) -> str:
        """Keep a value in a local variable."""
        name = self.unit.fresh("t")
        self.emit(position, store(name, value))
        return name

    def where(self, node: Node) -> ast.expr:
        """The place of a node, for the log."""
        return ast.Constant(f"{node.position.file}:{node.position.line}")

    # --- actions ------------------------------------------------------------------------------------------

    def action(self, node: Call | RouteCall | Assignment) -> None:
        """Write an action; its code is in `rc` and in the run. A 0 ends the script."""
        match node:
            case Call():
                self._call(node)
            case RouteCall():
                self._route_call(node)
            case Assignment():
                self._assignment(node)
        self.error_route(node.position)

    def _call(self, node: Call) -> None:
        bound = self.unit.binder.call(node)
        if bound is None:
            return
        result: ast.expr = call(
            self.unit.name(bound.function.call), load("run"), *map(self.unit.constant, bound.arguments)
        )
        self.emit(node.position, self.set_rc(ast.Await(result) if bound.function.is_async else result))
        self.emit(node.position, when(compare(load("rc"), ast.Eq(), ast.Constant(0)), [self.stop()]))

    def _route_call(self, node: RouteCall) -> None:
        key = (RouteKind.REQUEST, node.name)
        name = self.unit.route_names.get(key)
        where = f"{node.position.file}:{node.position.line}: route({node.name})"
        if name is None:
            self.emit(node.position, self.warn(f"{where}: null action list"), self.set_rc(ast.Constant(1)))
            return
        result = call(load(name), load("run"))
        too_deep = [
            self.warn(f"{where}: too many recursive routing table lookups"),
            self.set_rc(ast.Constant(-1)),
        ]
        deeper = ast.BinOp(attribute("depth"), ast.Add(), ast.Constant(1))
        back = ast.BinOp(attribute("depth"), ast.Sub(), ast.Constant(1))
        run_it = [
            set_attribute("depth", deeper),
            store("rc", ast.Await(result) if key in self.unit.waiting else result),
            set_attribute("depth", back),
            when(compare(load("rc"), ast.Is(), self.unit.name(STOP)), [self.stop()]),
            set_attribute("rc", load("rc")),
        ]
        full = compare(attribute("depth"), ast.GtE(), ast.Constant(MAX_ROUTE_CALLS))
        self.emit(node.position, when(full, too_deep, run_it))

    def _assignment(self, node: Assignment) -> None:
        setter = self.unit.binder.setter(node)
        value = self.value(node.value)
        if setter is None:
            return
        operator = node.operator
        if operator not in ("=", ":="):
            current = self._get(self.unit.binder.variable(node.target))
            value = self.calculated(operator[0], current, value, node)
            operator = "="
        if isinstance(value, ast.Constant):
            done = call(self.unit.name(setter), load("run"), value, ast.Constant(operator))
            failed = call(self.unit.name(not_assigned), load("run"), self.where(node))
            code: ast.expr = ast.IfExp(done, ast.Constant(1), failed)
        else:
            code = call(
                self.unit.name(assign),
                load("run"),
                self.unit.name(setter),
                value,
                ast.Constant(operator),
                self.where(node),
            )
        self.emit(node.position, self.set_rc(code))

    def error_route(self, position: Position) -> None:
        """After an action that left a parse error behind: run the error_route, then go on."""
        key = self.unit.error_route
        if key is None or self.key[0] in (RouteKind.ONREPLY, RouteKind.ERROR):
            return
        result = call(load(self.unit.route_names[key]), load("run"))
        kept = self.unit.fresh("t")
        self.emit(
            position,
            when(
                attribute("error_class"),
                [
                    store(kept, attribute("rc")),
                    store("rc", ast.Await(result) if key in self.unit.waiting else result),
                    when(compare(load("rc"), ast.Is(), self.unit.name(STOP)), [self.stop()]),
                    set_attribute("error_class", ast.Constant(0)),
                    self.set_rc(load(kept)),
                ],
            ),
        )

    def set_rc(self, value: ast.expr) -> ast.stmt:
        """Keep the code of an action."""
        targets = [ast.Attribute(load("run"), "rc", ast.Store()), ast.Name("rc", ast.Store())]
        return ast.Assign(targets, value)

    def stop(self) -> ast.stmt:
        """End the script."""
        return ast.Return(self.unit.name(STOP))

    def warn(self, text: str) -> ast.stmt:
        """Log a warning."""
        return ast.Expr(call(attribute("warn"), ast.Constant(text)))


def _constant(value: ast.expr) -> Value:
    """The number or text of a constant, else None."""
    if isinstance(value, ast.Constant) and isinstance(value.value, (int, str)):
        return value.value
    return None
