"""Warnings about what is legal but seldom meant: operators of equal rank, conditions that are always the same."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from openpy.script.comparisons import fold
from openpy.script.diagnostics import Diagnostic, warning
from openpy.script.literals import text_of
from openpy.script.rules import conditions as rules
from openpy.script.syntax import (
    And,
    Arithmetic,
    ArithmeticTruth,
    Assignment,
    Break,
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
    PseudoVariable,
    Return,
    Route,
    RouteCall,
    String,
    While,
)
from openpy.script.traversal import walk

_RANKS = {"*": 5, "/": 5, "%": 5, "+": 4, "-": 4, "&": 3, "^": 2, "|": 1}
"""How tightly operators bind elsewhere (C, Python)."""

_CONSTANT = (Number, String, Name, Null)
_PLAIN = (*_CONSTANT, PseudoVariable)


def habits_of(route: Route) -> Iterator[Diagnostic]:
    """All warnings about one route."""
    for node in walk(route):
        match node:
            case And() | Or():
                yield from _mixed_logic(node)
            case Arithmetic():
                yield from _mixed_arithmetic(node)
            case If(condition=condition):
                yield from _condition(condition)
            case While():
                yield from _loop(node)


# --- operators of equal rank --------------------------------------------------------------------------------------


def _mixed_logic(node: And | Or) -> Iterator[Diagnostic]:
    left = node.left
    if not isinstance(left, And | Or) or type(left) is type(node) or _in_parentheses(node, left):
        return
    message = "&& and || have equal precedence: they are evaluated from left to right"
    yield warning(rules.MIXED_LOGIC, node.position, message, "write parentheses")


def _mixed_arithmetic(node: Arithmetic) -> Iterator[Diagnostic]:
    left = node.left
    if not isinstance(left, Arithmetic) or _in_parentheses(node, left):
        return
    if _RANKS[node.operator] <= _RANKS[left.operator]:
        return
    message = (
        f"{left.operator} and {node.operator} have equal precedence: they are evaluated from left to right"
    )
    yield warning(rules.MIXED_CALCULATION, node.position, message, "write parentheses")


def _in_parentheses(node: Node, left: Node) -> bool:
    """Whether the left operand starts behind an opening parenthesis of the whole."""
    outer, inner = node.position, left.position
    return (outer.line, outer.column, outer.piece) != (inner.line, inner.column, inner.piece)


# --- conditions that are always the same --------------------------------------------------------------------------


def _loop(node: While) -> Iterator[Diagnostic]:
    """An endless loop is for being left from inside."""
    if constant(node.condition) is not True:
        yield from _condition(node.condition)
    elif not any(isinstance(part, Break | Return | Exit | Drop | RouteCall) for part in walk(node)):
        message, hint = "nothing ends this loop but max_while_loops", "break, return or exit ends one"
        yield warning(rules.CONSTANT, node.condition.position, message, hint)


def _condition(condition: Expression) -> Iterator[Diagnostic]:
    """What is odd about a condition and the conditions that it is made of."""
    waiting = [condition]
    while waiting:
        node = waiting.pop()
        first, steps = spine(node)
        head, answer, at = first, constant(first), 0
        while answer is not None and at < len(steps) and (right := constant(steps[at].right)) is not None:
            answer = _joined(steps[at], answer, right)
            head = steps[at]
            at += 1
        if answer is not None:
            message = f"this condition is always {'true' if answer else 'false'}"
            yield warning(rules.CONSTANT, head.position, message)
        elif steps:
            waiting.append(first)
        elif isinstance(node, Not):
            waiting.append(node.operand)
        elif isinstance(node, Assignment):
            yield from _assigned(node)
        waiting.extend(step.right for step in steps[at:])
        yield from _exclusive(first, steps)


def _assigned(node: Assignment) -> Iterator[Diagnostic]:
    target, value = node.target.text, node.value
    if node.operator == "=" and isinstance(value, _PLAIN):
        message = f"a single '=' assigns to {target}; the condition is true if that works"
        yield warning(
            rules.ASSIGNED, node.position, message, f"to compare, write {target} == {_shown(value)}"
        )


def spine(node: Expression) -> tuple[Expression, list[And | Or]]:
    """What `a && b || c` begins with, and the steps that follow, from left to right."""
    steps: list[And | Or] = []
    while isinstance(node, And | Or):
        steps.append(node)
        node = node.left
    return node, steps[::-1]


def constant(node: Expression) -> bool | None:
    """What a condition always is; None if that depends on the message."""
    first, steps = spine(node)
    answer: bool | None = None
    match first:
        case Number(value=number) | ArithmeticTruth(value=Number(value=number)):
            answer = number != 0
        case Not(operand=operand) if (inner := constant(operand)) is not None:
            answer = not inner
    for step in steps:
        if answer is None or (right := constant(step.right)) is None:
            return None
        answer = _joined(step, answer, right)
    return answer


def _joined(step: And | Or, left: bool, right: bool) -> bool:
    return (left and right) if isinstance(step, And) else (left or right)


def _exclusive(first: Expression, steps: list[And | Or]) -> Iterator[Diagnostic]:
    """`a == 1 && a == 2` and `a != 1 || a != 2`, told once for each run of the same operator."""
    before: Expression | None = first
    for kind, run in groupby(steps, type):
        seen: dict[Expression, Expression] = {}
        told = False
        for part in ([] if before is None else [before]) + [step.right for step in run]:
            if not told and (found := _excluded(part, "==" if kind is And else "!=", seen)):
                told = True
                yield found
        before = None


def _excluded(part: Expression, operator: str, seen: dict[Expression, Expression]) -> Diagnostic | None:
    """Whether a part excludes what was `seen` of the same left side."""
    if not (isinstance(part, Comparison) and part.operator == operator and isinstance(part.right, _CONSTANT)):
        return None
    first = seen.setdefault(part.left, part.right)
    if not _differ(first, part.right):
        return None
    left, one, other = _shown(part.left), _shown(first), _shown(part.right)
    if operator == "==":
        message = f"this is never true: {left} is not {one} and {other} at once"
        return warning(rules.CONSTANT, part.position, message, "|| joins what may be the one or the other")
    message = f"this is always true: {left} differs from {one} or from {other}"
    return warning(rules.CONSTANT, part.position, message, "&& joins what has to differ from both")


def _differ(one: Expression, other: Expression) -> bool:
    """Whether nothing equals both values; a number and a text may be the same to a variable."""
    if isinstance(one, Null) or isinstance(other, Null):
        return type(one) is not type(other)
    if isinstance(one, Number) or isinstance(other, Number):
        return isinstance(one, Number) and isinstance(other, Number) and one != other
    return fold(text_of(one)) != fold(text_of(other))


def _shown(value: Expression) -> str:
    return f'"{value.value}"' if isinstance(value, String) else text_of(value)
