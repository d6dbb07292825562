"""Walking through a tree without recursion, so that no script is too deep to be looked at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields

from openpy.script.diagnostics import Diagnostic, error
from openpy.script.rules.text import TOO_DEEP
from openpy.script.syntax import And, Arithmetic, Block, If, Node, Or

MAX_DEPTH = 100
"""How deep blocks and parentheses may be nested, each within the other."""


def children(node: Node) -> Iterator[Node]:
    """The nodes directly below one, in the order of the text."""
    for name in _NAMES[type(node)]:
        value = getattr(node, name)
        if isinstance(value, Node):
            yield value
        elif isinstance(value, tuple):
            yield from (item for item in value if isinstance(item, Node))


def walk(node: Node) -> Iterator[Node]:
    """A node and all below it, in the order of the text."""
    waiting = [node]
    while waiting:
        found = waiting.pop()
        yield found
        waiting.extend(reversed(list(children(found))))


def same(one: Node, other: Node) -> bool:
    """Whether two trees are the same but for their places in files."""
    waiting: list[tuple[object, object]] = [(one, other)]
    while waiting:
        left, right = waiting.pop()
        if type(left) is not type(right):
            return False
        if isinstance(left, Node):
            waiting.extend((getattr(left, name), getattr(right, name)) for name in _NAMES[type(left)])
        elif isinstance(left, tuple) and isinstance(right, tuple):
            if len(left) != len(right):
                return False
            waiting.extend(zip(left, right, strict=True))
        elif left != right:
            return False
    return True


def too_deep(nodes: Iterable[Node]) -> list[Diagnostic]:
    """What is nested too deep for everything else to look at it."""
    message = f"nested more than {MAX_DEPTH} levels deep"
    found = (first_too_deep(node) for node in nodes)
    return [error(TOO_DEEP, node.position, message) for node in found if node is not None]


def first_too_deep(node: Node) -> Node | None:
    """The first node nested deeper than MAX_DEPTH. Chains of operators and of `else if` are flat."""
    waiting = [(node, 0)]
    while waiting:
        found, depth = waiting.pop()
        if depth > MAX_DEPTH:
            return found
        below = reversed(list(children(found)))
        waiting.extend((child, depth + _adds_depth(found, child)) for child in below)
    return None


def chained_if(block: Block | None) -> If | None:
    """The `if` of an `else if`."""
    if block is not None and len(block.statements) == 1 and isinstance(block.statements[0], If):
        return block.statements[0]
    return None


def _adds_depth(parent: Node, child: Node) -> bool:
    if isinstance(parent, (And, Or, Arithmetic)):
        return child is not parent.left
    if isinstance(parent, If) and child is parent.otherwise:
        return chained_if(parent.otherwise) is None
    return not isinstance(parent, Block)


class _Names(dict[type[Node], tuple[str, ...]]):
    """The fields of each class of node, found once."""

    def __missing__(self, kind: type[Node]) -> tuple[str, ...]:
        self[kind] = names = tuple(item.name for item in fields(kind) if item.name != "position")
        return names


_NAMES = _Names()
