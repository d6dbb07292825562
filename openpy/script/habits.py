"""Warnings about what is legal but seldom meant: operators of equal rank, statements that never run."""

from __future__ import annotations

from openpy.script.diagnostics import Diagnostic, warning
from openpy.script.syntax import (
    And,
    Arithmetic,
    Block,
    Break,
    Case,
    Drop,
    Empty,
    Exit,
    Node,
    Or,
    Return,
    Route,
    Statement,
)
from openpy.script.traversal import walk

_RANKS = {"*": 5, "/": 5, "%": 5, "+": 4, "-": 4, "&": 3, "^": 2, "|": 1}
"""How tightly operators bind elsewhere (C, Python)."""


def habits_of(route: Route) -> list[Diagnostic]:
    """All warnings about one route."""
    found: list[Diagnostic] = []
    for node in walk(route):
        match node:
            case And() | Or():
                found += _mixed_logic(node)
            case Arithmetic():
                found += _mixed_arithmetic(node)
            case Block(statements=statements) | Case(statements=statements):
                found += _never_run(statements)
    return found


def _mixed_logic(node: And | Or) -> list[Diagnostic]:
    left = node.left
    if not isinstance(left, And | Or) or type(left) is type(node) or _in_parentheses(node, left):
        return []
    message = "&& and || have equal precedence: they are evaluated from left to right"
    return [warning(node.position, message, "write parentheses")]


def _mixed_arithmetic(node: Arithmetic) -> list[Diagnostic]:
    left = node.left
    if not isinstance(left, Arithmetic) or _in_parentheses(node, left):
        return []
    if _RANKS[node.operator] <= _RANKS[left.operator]:
        return []
    message = (
        f"{left.operator} and {node.operator} have equal precedence: they are evaluated from left to right"
    )
    return [warning(node.position, message, "write parentheses")]


def _in_parentheses(node: Node, left: Node) -> bool:
    """Whether the left operand starts behind an opening parenthesis of the whole."""
    outer, inner = node.position, left.position
    return (outer.line, outer.column, outer.piece) != (inner.line, inner.column, inner.piece)


def _never_run(statements: tuple[Statement, ...]) -> list[Diagnostic]:
    for at, node in enumerate(statements[:-1]):
        if isinstance(node, Exit | Drop | Return | Break):
            dead = next((item for item in statements[at + 1 :] if not isinstance(item, Empty)), None)
            if dead is not None:
                message = f"this is never run: {type(node).__name__.lower()} stands before it"
                return [warning(dead.position, message)]
    return []
