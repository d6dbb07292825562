"""Writing Python `ast`: names, constants, places; what all functions of one script share."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Any

from openpy.script.binding import Binder
from openpy.script.callgraph import RouteKey
from openpy.script.syntax import Position

NO_LINE = Position("", -1, 1, -1, 1)
"""The place of what stands for no line of the script: tracebacks, tracers and coverage never come there."""


@dataclass(slots=True)
class Unit:
    """One script while it is written: its functions so far and the objects that they name."""

    binder: Binder
    route_names: dict[RouteKey, str]
    waiting: set[RouteKey]
    error_route: RouteKey | None
    functions: dict[str, list[ast.stmt]] = field(default_factory=dict)  # by the file that they stand in
    globals: dict[str, Any] = field(default_factory=dict)
    shown_names: dict[str, str] = field(default_factory=dict)  # name in the code -> name in tracebacks
    _bound: dict[int, str] = field(default_factory=dict)
    _count: int = 0

    def name(self, value: object) -> ast.expr:
        """Refer to an object by a generated name; the same object has one name."""
        known = self._bound.get(id(value))
        if known is None:
            known = self._bound[id(value)] = self.fresh("v")
            self.globals[known] = value
        return ast.Name(known, ast.Load())

    def constant(self, value: object) -> ast.expr:
        """An immutable value as a constant; any other by name."""
        if value is None or (isinstance(value, (str, int)) and type(value) in (str, int, bool)):
            return ast.Constant(value)
        return self.name(value)

    def fresh(self, prefix: str) -> str:
        """A name that nothing else has."""
        self._count += 1
        return f"{prefix}_{self._count}"


def load(name: str) -> ast.expr:
    """Read a local variable."""
    return ast.Name(name, ast.Load())


def store(name: str, value: ast.expr) -> ast.stmt:
    """Assign a local variable."""
    return ast.Assign([ast.Name(name, ast.Store())], value)


def attribute(name: str) -> ast.expr:
    """Read an attribute of the run."""
    return ast.Attribute(load("run"), name, ast.Load())


def set_attribute(name: str, value: ast.expr) -> ast.stmt:
    """Assign an attribute of the run."""
    return ast.Assign([ast.Attribute(load("run"), name, ast.Store())], value)


def call(function: ast.expr, *arguments: ast.expr) -> ast.expr:
    """Call a function."""
    return ast.Call(function, list(arguments), [])


def compare(left: ast.expr, operator: ast.cmpop, right: ast.expr) -> ast.expr:
    """Compare two values."""
    return ast.Compare(left, [operator], [right])


def when(test: ast.expr, body: list[ast.stmt], otherwise: list[ast.stmt] | None = None) -> ast.stmt:
    """An `if`; an empty body is `pass`."""
    return ast.If(test, body or [ast.Pass()], otherwise or [])


def negated(test: ast.expr) -> ast.expr:
    """`not test`."""
    return ast.UnaryOp(ast.Not(), test)


def function(name: str, body: list[ast.stmt], is_async: bool) -> ast.stmt:
    """A function of the run."""
    arguments = ast.arguments(
        posonlyargs=[],
        args=[ast.arg("run")],
        vararg=None,
        kwonlyargs=[],
        kw_defaults=[],
        kwarg=None,
        defaults=[],
    )
    kind = ast.AsyncFunctionDef if is_async else ast.FunctionDef
    return kind(name=name, args=arguments, body=body, decorator_list=[], returns=None)


def place(node: ast.stmt, position: Position) -> ast.stmt:
    """Give a statement, and all in it that has no place yet, a place in the script."""
    waiting: list[ast.AST] = [node]
    while waiting:
        found = waiting.pop()
        if isinstance(found, (ast.stmt, ast.expr, ast.arg)):
            if hasattr(found, "lineno"):
                continue
            found.lineno = position.line
            found.col_offset = max(position.column - 1, 0)
            found.end_lineno = max(position.end_line, position.line)
            found.end_col_offset = max(position.end_column - 1, 0)
            if isinstance(found, ast.Attribute):  # Python takes its last line for the line where it is read
                found.end_lineno, found.end_col_offset = found.lineno, found.col_offset
        waiting.extend(ast.iter_child_nodes(found))
    return node
