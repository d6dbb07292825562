"""Groups by expression: the rows of `re_grp`, compiled."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from openpy.engine.lookups import Row
from openpy.engine.module import ArgumentError, ModuleError
from openpy.engine.parameters import Regex, compile_expression


class Expression(NamedTuple):
    """Who is matched by `pattern` is in the group `number`."""

    pattern: Regex
    number: int


def expressions_of(rows: Iterable[Row], table: str) -> list[Expression]:
    """The expressions of rows (expression, group); raises ModuleError, naming what is wrong in which row."""
    found = []
    for text, group in rows:
        if not text:  # it would match everybody
            raise ModuleError(f"table {table}: the expression of the group {group} is empty")
        try:
            pattern = compile_expression(str(text))
        except ArgumentError as error:
            raise ModuleError(f'table {table}: the expression "{text}" cannot be used: {error}') from None
        try:
            number = int(group)
        except (TypeError, ValueError):
            raise ModuleError(f'table {table}: the group "{group}" of "{text}" is no number') from None
        found.append(Expression(pattern, number))
    return found


def groups_of(expressions: Iterable[Expression], uri: str, *, several: bool) -> list[int]:
    """The groups of a URI, in order of the expressions; only the first unless `several`."""
    groups = []
    for pattern, number in expressions:
        if pattern.search(uri):
            groups.append(number)
            if not several:
                break
    return groups
