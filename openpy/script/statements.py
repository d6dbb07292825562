"""Routes and their statements as Python functions.

Rules:
1. The code of a route that comes to its end is that of its last action. An `if` or `while` whose condition
   is false leaves 0 in `$retcode`; only an action that gives 0 ends the script, so the route's code is 1 then.
2. Blocks nested deeper than `MAX_NESTING` become functions of their own (Python allows 20 nested loops).
   Such a part returns None when it comes to its end, else what the route returns, or BREAK.
3. So do statements of an included file: code has one file, and tracebacks name the right one.
4. No function is much larger than `large` nodes, unless a chain of `else if` is: Python compiles a function at one go,
   in which no other thread gets a turn.
5. Each line of the script is come to when it runs, and no line else: what the language adds has no line, and a route
   returns on its first one (Python gives a `return` without a line that of what happens to stand before it).
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import partial
from itertools import groupby, islice
from typing import ClassVar, NamedTuple

from openpy.script.callgraph import key_of
from openpy.script.codewriter import (
    NO_LINE,
    Unit,
    attribute,
    call,
    compare,
    function,
    load,
    place,
    set_attribute,
    store,
    when,
)
from openpy.script.comparison_binding import case_table
from openpy.script.expressions import ExpressionWriter
from openpy.script.operations import return_code
from openpy.script.stopping import BREAK
from openpy.script.syntax import (
    Assignment,
    Block,
    Break,
    Call,
    Case,
    Drop,
    Empty,
    Exit,
    If,
    Node,
    Position,
    PseudoVariable,
    Return,
    Route,
    RouteCall,
    Statement,
    Switch,
    While,
)
from openpy.script.traversal import chained_if, children, walk

MAX_NESTING = 12

LARGE = 1500
"""Nodes of one function: some ten milliseconds."""


class Part(NamedTuple):
    """A block that becomes a function of its own."""

    name: str
    statements: tuple[Statement, ...]
    position: Position
    breaks_outside: bool


class RouteWriter(ExpressionWriter):
    """Writes one route and its parts."""

    large: ClassVar[int] = LARGE

    def __init__(self, unit: Unit, route: Route) -> None:
        super().__init__(unit, key_of(route))
        self.route = route
        self.file = route.position.file  # of the function being written
        self.nesting = 0  # of blocks, in the function being written
        self.loops = 0  # around the current block, in this function
        self.breaks_outside = False  # this is a part of a loop that is in another function
        self.parts: list[Part] = []
        self.is_large = self._size(route) > self.large

    def write(self) -> None:
        """Write the function of the whole route."""
        self.statements(self.route.body.statements)
        code = ast.BoolOp(ast.Or(), [attribute("rc"), ast.Constant(1)])
        self.emit(self.route.position, ast.Return(code))
        self._finish(self.unit.route_names[self.key], self.route.position)
        while self.parts:
            self._write_part(self.parts.pop())

    def _write_part(self, part: Part) -> None:
        self.block, self.nesting, self.loops = [], 0, 0
        self.file = part.position.file
        self.breaks_outside = part.breaks_outside
        self.statements(part.statements)
        begin = self.route.position if self.route.position.file == self.file else part.position
        self.emit(begin, ast.Return(ast.Constant(None)))
        self._finish(part.name, begin)

    def _finish(self, name: str, begin: Position) -> None:
        kind, label = self.key
        self.unit.shown_names[name] = kind.value if label in ("", "0") else f"{kind.value}[{label}]"
        code = place(function(name, self.block, self.is_async), begin)
        self.unit.functions.setdefault(self.file, []).append(code)

    # --- statements ---------------------------------------------------------------------------------------

    def statements(self, nodes: tuple[Statement, ...]) -> None:
        """Write statements; many become parts."""
        groups = self._groups(nodes) if self.is_large else [nodes]
        if len(groups) < 2:
            self._sequence(nodes)
            return
        for group in groups:
            self.block += self._part(group, group[0].position)

    def _sequence(self, nodes: tuple[Statement, ...]) -> None:
        """Write statements up to the first that ends the route: what follows it never runs."""
        for file, group in groupby(nodes, lambda node: node.position.file):
            own = tuple(group)
            if file != self.file:
                self.block += self._part(own, own[0].position)
                continue
            for node in own:
                self._statement(node)
                if isinstance(node, Exit | Drop | Return | Break):
                    return

    def _statement(self, node: Statement) -> None:
        self.unit.binder.environment.rest()
        position = node.position
        match node:
            case Call() | RouteCall() | Assignment():
                self.action(node)
            case If():
                self._if(node)
                self.error_route(position)
            case While():
                self._while(node)
                self.error_route(position)
            case Switch():
                self._switch(node)
                self.error_route(position)
            case Block(statements=statements):
                self.statements(statements)
            case Return(value=0) | Exit():
                self.emit(position, self.stop())
            case Return(value=int(value)):
                self.emit(position, ast.Return(ast.Constant(value)))
            case Return(value=PseudoVariable() as variable):
                where = self.where(node)
                self.emit(
                    position,
                    ast.Return(call(self.unit.name(return_code), load("run"), self.value(variable), where)),
                )
            case Drop():
                self.emit(position, set_attribute("dropped", ast.Constant(value=True)), self.stop())
            case Break():
                self.emit(position, self._break())
            case Empty():
                pass

    def _break(self) -> ast.stmt:
        if self.loops:
            return ast.Break()
        return ast.Return(self.unit.name(BREAK) if self.breaks_outside else ast.Constant(1))

    def _if(self, node: If) -> None:
        """An `if` with all its `else if`, each in the `else` of the one before.

        A long chain is cut: the last `else` of a piece only says that the next piece is to be looked at.
        """
        outer, nesting, start = self.block, self.nesting, len(self.block)
        following: If | None = node
        while following is not None:
            node = following
            following = chained_if(node.otherwise)
            self._link(node, is_last=following is None)
            self.nesting += 1
            if following is not None and self.nesting >= MAX_NESTING:
                more = self.unit.fresh("more")
                outer.insert(start, place(store(more, ast.Constant(value=False)), NO_LINE))
                self.emit(NO_LINE, store(more, ast.Constant(value=True)))
                piece: list[ast.stmt] = []
                outer.append(place(ast.If(load(more), piece, []), NO_LINE))
                self.block, self.nesting = piece, nesting + 1
        self.block, self.nesting = outer, nesting

    def _link(self, node: If, is_last: bool) -> None:
        """One `if` of a chain; the current block is its `else` afterwards."""
        test, certain = self.condition(node.condition)
        value: ast.expr = ast.Constant(0)
        otherwise: list[ast.stmt] = []
        if not certain:
            result = self.spilled(test, node.condition.position)
            test = compare(load(result), ast.Gt(), ast.Constant(0))
            value = ast.UnaryOp(ast.UAdd(), load(result))
            otherwise.append(self._expression_failed(result, node))
        body = self._body(node.body, ast.Constant(1))
        if is_last:
            otherwise += self._body(node.otherwise or Block(()), value)
        self.emit(node.position, ast.If(test, body or [ast.Pass()], otherwise))
        self.block = otherwise

    def _body(self, block: Block, value: ast.expr) -> list[ast.stmt]:
        """A block as the body of an `if`; an empty one leaves the value of the condition as the code."""
        if all(isinstance(node, Empty) for node in block.statements):
            return [set_attribute("rc", value)]
        return self._nested(block.statements, block.position)

    def _expression_failed(self, result: str, node: If | While) -> ast.stmt:
        where = f"{node.position.file}:{node.position.line}"
        failed = compare(load(result), ast.Lt(), ast.Constant(0))
        return when(failed, [self.warn(f"{where}: error in expression")])

    def _while(self, node: While) -> None:
        if self.nesting > MAX_NESTING:  # a loop in the condition of a loop, in the condition of a loop ...
            self.block += self._part((node,), node.position)
            return
        rounds = self.spilled(ast.Constant(0), node.position)
        most = self.unit.binder.environment.max_while_loops
        where = f"{node.position.file}:{node.position.line}"

        def write() -> None:
            full = compare(load(rounds), ast.GtE(), ast.Constant(most))
            text = f"{where}: max while loops are encountered ({most})"
            self.emit(node.position, when(full, [self.warn(text), ast.Break()]))
            self.emit(node.position, store(rounds, ast.BinOp(load(rounds), ast.Add(), ast.Constant(1))))
            self.nesting += 1
            test, certain = self.condition(node.condition)
            self.nesting -= 1
            result = self.spilled(test, node.condition.position)
            no = compare(load(result), ast.LtE(), ast.Constant(0))
            value: ast.expr = ast.Constant(0) if certain else ast.UnaryOp(ast.UAdd(), load(result))
            failed = [] if certain else [self._expression_failed(result, node)]
            self.emit(node.position, when(no, [*failed, set_attribute("rc", value), ast.Break()]))
            self.block += self._nested(node.body.statements, node.position)

        self.emit(node.position, self._loop(write))

    def _loop(self, write: Callable[[], None]) -> ast.stmt:
        """`while True` around what is written."""
        self.loops += 1
        body = self.captured(write)
        self.loops -= 1
        return ast.While(ast.Constant(value=True), body, [])

    def _switch(self, node: Switch) -> None:
        subject = self.unit.name(case_table(node.cases))
        at = self.spilled(call(subject, self.value(node.subject)), node.position)
        no_default = all(case.label is not None for case in node.cases)
        if no_default:
            unmatched = compare(load(at), ast.Eq(), ast.Constant(len(node.cases)))
            self.emit(node.position, when(unmatched, [set_attribute("rc", ast.Constant(1))]))
        if not any(map(_has_break, node.cases)):
            self._cases(node, at)
            return

        def write() -> None:
            self._cases(node, at)
            self.emit(NO_LINE, ast.Break())

        self.emit(node.position, self._loop(write))

    def _cases(self, node: Switch, at: str) -> None:
        """Each case runs if the matching one is it or one before it, unless one between has ended the switch."""
        done = len(node.cases) + 1
        for number, case in enumerate(node.cases):
            body = self._nested(case.statements, case.position)
            if case.breaks:
                body.append(store(at, ast.Constant(done)))
            self.emit(NO_LINE, when(compare(load(at), ast.LtE(), ast.Constant(number)), body))

    # --- nesting ------------------------------------------------------------------------------------------

    def _nested(self, statements: tuple[Statement, ...], position: Position) -> list[ast.stmt]:
        """Statements one level deeper; where that is too deep or too much, the call of a part that is written later."""
        is_large = self.is_large and sum(map(self._size, statements)) > self.large
        if self.nesting < MAX_NESTING and not is_large:
            self.nesting += 1
            body = self.captured(partial(self.statements, statements))
            self.nesting -= 1
            return body
        first = statements[0].position if statements else position
        at = first if first.file == position.file else position
        return [place(statement, at) for statement in self._part(statements, position)]

    def _part(self, statements: tuple[Statement, ...], position: Position) -> list[ast.stmt]:
        """The call of a part, which gets the place of what is around it."""
        name = self.unit.fresh("part")
        self.parts.append(Part(name, statements, position, self.breaks_outside or self.loops > 0))
        return self._part_called(name)

    def _groups(self, statements: tuple[Statement, ...]) -> list[tuple[Statement, ...]]:
        """The statements in order, in groups of `large` nodes at most, or of one statement."""
        groups: list[list[Statement]] = []
        room = 0
        for node in statements:
            size = self._size(node)
            if not groups or size > room:
                groups.append([])
                room = self.large
            groups[-1].append(node)
            room -= size
        return [tuple(group) for group in groups]

    def _size(self, node: Node) -> int:
        """How many nodes there are below one, counted to a little above `large`."""
        return sum(1 for _ in islice(walk(node), self.large + 1))

    def _part_called(self, name: str) -> list[ast.stmt]:
        result = call(load(name), load("run"))
        leave: list[ast.stmt] = [ast.Return(load("left"))]
        if self.loops:
            leave.insert(0, when(compare(load("left"), ast.Is(), self.unit.name(BREAK)), [ast.Break()]))
        ended = compare(load("left"), ast.IsNot(), ast.Constant(None))
        return [store("left", ast.Await(result) if self.is_async else result), when(ended, leave)]


def _has_break(case: Case) -> bool:
    """Whether a `break` inside of a case, not at its end, leaves the switch."""
    waiting: list[Node] = list(case.statements)
    while waiting:
        node = waiting.pop()
        if isinstance(node, Break):
            return True
        if not isinstance(node, While | Switch):
            waiting.extend(children(node))
    return False
