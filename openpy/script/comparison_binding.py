"""Which test a comparison of the script becomes: chosen by its operator and its two sides, at load time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from openpy.script import comparisons
from openpy.script.addresses import is_in, networks_of
from openpy.script.binding import Binder, BoundValue
from openpy.script.comparisons import ERROR, NUMBER, PAIR, TEXT, Verdict, fold
from openpy.script.environment import OperandSpec
from openpy.script.rules import conditions
from openpy.script.syntax import (
    Case,
    Comparison,
    Expression,
    Myself,
    Name,
    Network,
    Null,
    Number,
    Operand,
    PseudoVariable,
    String,
)
from openpy.script.values import Dual, Value

SAME_AS_OPERAND = {
    "ru": "uri",
    "ruri": "uri",
    "fu": "from_uri",
    "from": "from_uri",
    "tu": "to_uri",
    "to": "to_uri",
    "si": "src_ip",
    "src_ip": "src_ip",
    "Ri": "dst_ip",
}
"""Variables that can be compared with `myself`, because an operand has the same value."""


@dataclass(frozen=True, slots=True)
class BoundComparison:
    """`test(value of left, *rest)`; without left `test(run)`. In `rest` a BoundValue stands for its value.

    `certain`: the test never gives ERROR.
    """

    test: Callable[..., Verdict]
    left: BoundValue | None
    rest: tuple[Any, ...]
    certain: bool


def bind_comparison(binder: Binder, node: Comparison) -> BoundComparison | None:
    """Choose the test for an operator and its two sides."""
    left, right = node.left, node.right
    if isinstance(left, Myself):
        left, right = right, left
    if isinstance(right, Myself):
        return _with_myself(binder, node, left)
    match left:
        case PseudoVariable():
            value = binder.variable(left)
            spec = None
        case Operand():
            spec = binder.operand(left)
            value = None if spec is None else BoundValue(spec.get, True)
        case _:
            binder.error(
                conditions.BAD_COMPARISON, left, "a literal cannot stand on the left of a comparison"
            )
            return None
    if value is None:
        return None
    if spec is not None and spec.kind == "number":
        return _with_number(binder, node, value, _word(binder, spec, right))
    if spec is not None and spec.kind == "address" and node.operator in ("==", "!="):
        return _with_address(binder, node, value, right)
    match right:
        case String(value=text) | Name(text=text) | Network(text=text):
            return _with_text(binder, node, value, text)
        case Number(value=number) if spec is not None:
            return _with_text(binder, node, value, str(number))
        case Number(value=number):
            return _with_number(binder, node, value, number)
        case Null():
            return _with_null(binder, node, value)
        case PseudoVariable():
            return _pair(node, value, binder.variable(right))
        case _:
            binder.error(conditions.BAD_COMPARISON, right, "this cannot stand on the right of a comparison")
            return None


def _word(binder: Binder, spec: OperandSpec, right: Expression) -> int | None:
    if isinstance(right, Number):
        return right.value
    if isinstance(right, Name) and right.text in spec.words:
        return spec.words[right.text]
    binder.error(
        conditions.BAD_COMPARISON, right, f"{spec.name} is compared with a number", _one_of(spec.words)
    )
    return None


def _with_text(binder: Binder, node: Comparison, left: BoundValue, text: str) -> BoundComparison | None:
    if node.operator in ("=~", "!~"):
        pattern = binder.pattern(node.right, text)
        if pattern is None:
            return None
        test = comparisons.matches if node.operator == "=~" else comparisons.matches_not
        return _plain(node, left, test, pattern.search)
    if isinstance(node.left, Operand) and node.operator not in ("==", "!="):
        message = f"{node.left.name} {node.operator} is an error at run time, so never true"
        binder.warning(conditions.FAILS, node, message)
        return BoundComparison(_always_error, None, (), False)
    return _plain(node, left, TEXT[node.operator], fold(text))


def _with_number(
    binder: Binder, node: Comparison, left: BoundValue, number: int | None
) -> BoundComparison | None:
    if number is None:
        return None
    if node.operator not in NUMBER:
        binder.error(conditions.BAD_COMPARISON, node, f"a number cannot be matched with {node.operator}")
        return None
    return _plain(node, left, NUMBER[node.operator], number, certain=False)


def _with_null(binder: Binder, node: Comparison, left: BoundValue) -> BoundComparison | None:
    if node.operator not in ("==", "!="):
        message = f"NULL cannot be compared with {node.operator}"
        binder.error(conditions.BAD_COMPARISON, node, message, "write == NULL or != NULL")
        return None
    equal = node.operator == "=="
    test = comparisons.is_null if equal else comparisons.is_not_null
    return BoundComparison(test, left, (None, ERROR if left.strict else equal), not left.strict)


def _plain(
    node: Comparison,
    left: BoundValue,
    test: Callable[..., Verdict],
    right: object,
    certain: bool = True,
) -> BoundComparison:
    null: Verdict = ERROR if left.strict else node.operator in ("!=", "!~")
    return BoundComparison(test, left, (right, null), certain and not left.strict)


def _pair(node: Comparison, left: BoundValue, right: BoundValue | None) -> BoundComparison | None:
    if right is None:
        return None
    return BoundComparison(PAIR[node.operator], left, (right, left.strict, right.strict), False)


def _with_address(
    binder: Binder, node: Comparison, left: BoundValue, right: Expression
) -> BoundComparison | None:
    match right:
        case Network(text=text) | String(value=text) | Name(text=text):
            pass
        case PseudoVariable():
            return _pair(node, left, binder.variable(right))
        case _:
            binder.error(
                conditions.BAD_COMPARISON, right, "an address, a network, a host name or myself is expected"
            )
            return None
    networks = networks_of([text])
    if not networks and isinstance(right, Network):
        binder.error(conditions.BAD_COMPARISON, right, f"{text} is no address or network")
        return None
    if not networks:
        networks = networks_of(binder.environment.resolve(text))
        if not networks:
            binder.warning(
                conditions.NEVER_EQUAL, right, f"{text} cannot be resolved now, so it is never equal"
            )
    inside = is_in(networks)
    test = _differs(inside) if node.operator == "!=" else inside
    return BoundComparison(test, left, (), False)


def _with_myself(binder: Binder, node: Comparison, other: Expression) -> BoundComparison | None:
    if node.operator not in ("==", "!="):
        message = f"myself cannot be compared with {node.operator}"
        binder.error(conditions.BAD_COMPARISON, node, message, "write == or !=")
        return None
    match other:
        case Operand():
            spec = binder.operand(other)
            if spec is None:
                return None
        case PseudoVariable(text=text):
            if binder.variable(other) is None:
                return None
            name = text.removeprefix("$").removeprefix("(").removesuffix(")")
            same = SAME_AS_OPERAND.get(name, "")
            known = same in binder.environment.operands
            spec = binder.operand(Operand(same, position=other.position)) if known else None
            if spec is None:
                message = f"{text}==myself is an error at run time, so never true"
                binder.warning(conditions.FAILS, node, message, "use uri==myself")
                return BoundComparison(_always_error, None, (), False)
        case _:
            spec = None
    if spec is None or spec.is_myself is None:
        binder.error(conditions.BAD_COMPARISON, other, "this cannot be compared with myself")
        return None
    return BoundComparison(_is_myself(spec.is_myself, node.operator == "=="), None, (), False)


def case_table(cases: tuple[Case, ...]) -> Callable[[Value], int]:
    """Make the function that finds the case of a value: its index, that of `default`, or the number of cases."""
    numbers: dict[int, int] = {}
    texts: dict[str, int] = {}
    none = len(cases)
    for at, case in enumerate(cases):
        match case.label:
            case Number(value=number):
                numbers.setdefault(number, at)
            case String(value=text):
                texts.setdefault(fold(text), at)
            case None:
                none = at

    def select(value: Value) -> int:
        if value is None:
            return none
        if isinstance(value, str):
            by_text = texts.get(fold(value), none)
            return min(by_text, numbers.get(value.number, none)) if isinstance(value, Dual) else by_text
        by_number = numbers.get(value, none)
        return min(by_number, texts.get(str(value), none)) if texts else by_number

    return select


def _always_error(run: Any) -> Verdict:
    return ERROR


def _is_myself(ask: Callable[[Any], bool | None], expected: bool) -> Callable[[Any], Verdict]:
    def test(run: Any) -> Verdict:
        answer = ask(run)
        return ERROR if answer is None else answer is expected

    return test


def _differs(inside: Callable[[Value], Verdict]) -> Callable[[Value], Verdict]:
    def test(value: Value) -> Verdict:
        found = inside(value)
        return found if found == ERROR else not found

    return test


def _one_of(words: dict[str, int]) -> str:
    return f"or with {', '.join(words)}" if words else ""
