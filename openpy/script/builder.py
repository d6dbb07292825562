# ruff: noqa: D102 - the rule of the grammar that names a method describes it
"""The reductions of the grammar, as nodes: one method for each `-> name` in grammar.lark.

Rules:
1. A method gets the place of what it builds, then the parts that the grammar keeps.
2. Lists grow in place while they are parsed and become tuples in their node.
3. What the grammar lets through and the language does not is reported here, once, and a node is built all
   the same, so that the parser goes on.
"""

from __future__ import annotations

from collections.abc import Sequence

from openpy.script import comparable, dialects
from openpy.script.corenames import BARE_COMMANDS, FIRST_NAMES, LIKE_KEYWORDS
from openpy.script.diagnostics import Diagnostic
from openpy.script.globalsection import GlobalSection
from openpy.script.lexer import Token
from openpy.script.literals import text_of
from openpy.script.rules import calls, conditions, routes, values
from openpy.script.rules import statements as rules
from openpy.script.strings import unquote
from openpy.script.syntax import (
    And,
    Arithmetic,
    ArithmeticTruth,
    Assignment,
    BitNot,
    Block,
    Break,
    Call,
    Case,
    Comparison,
    Drop,
    Empty,
    Exit,
    Expression,
    If,
    Myself,
    Name,
    Network,
    Not,
    Null,
    Number,
    Operand,
    Or,
    Position,
    PseudoVariable,
    Return,
    Route,
    RouteCall,
    RouteKind,
    Script,
    Statement,
    String,
    Switch,
    TopLevel,
    Value,
    While,
)

_ROUTE_WORDS = {"request_route": "route", "reply_route": "onreply_route"}
_MIRRORED = {"==": "==", "!=": "!=", "<": ">", ">": "<", "<=": ">=", ">=": "<="}
"""The operator that says the same with the sides exchanged."""
_LITERAL = (Number, String, Null)


class Builder(GlobalSection):
    """Builds the tree of one script; `found` collects what is wrong with it."""

    def __init__(self, file: str, found: list[Diagnostic]) -> None:
        super().__init__(file, found)
        self._breaks: list[Position] = []  # of `break`s that no loop and no switch has claimed yet

    # --- Top level ----------------------------------------------------------------------------------------

    def script(self, at: Position, statements: Sequence[TopLevel] = ()) -> Script:
        return Script(self._file, tuple(statements))

    def route(self, at: Position, kind: Token, body: Block) -> Route:
        if kind.text in ("failure_route", "branch_route"):
            message = f"invalid {kind.text} statement: it needs a number or a name"
            self._error(routes.ROUTE_NAME, kind.position, message, f"write {kind.text}[1] {{ ... }}")
        if kind.text == "event_route":
            hint = "such as event_route[core:worker-one-init] { ... }"
            message = "invalid event_route statement: it needs an event"
            self._error(routes.ROUTE_NAME, kind.position, message, hint)
        name = "0" if kind.text in ("route", "request_route") else ""
        return self._route(at, kind, name, body)

    def indexed_route(self, at: Position, kind: Token, label: list[Token], body: Block) -> Route:
        if kind.text in ("error_route", "request_route", "reply_route"):
            message = f"invalid {kind.text} statement: it has no number or name"
            self._error(routes.ROUTE_NAME, label[0].position, message, f"write {kind.text} {{ ... }}")
        return self._route(at, kind, ":".join(map(self._label, label)), body)

    def _label(self, label: Token) -> str:
        if label.kind == "STRING":
            return unquote(label.text)
        return str(self.number(label.position, label).value) if label.kind == "NUMBER" else label.text

    def _route(self, at: Position, kind: Token, name: str, body: Block) -> Route:
        message = "break outside of a loop or a switch; it leaves the route"
        for place in self._claim_breaks(at):
            self._warning(
                rules.STRAY_BREAK,
                place,
                message,
                "write return to leave the route, exit to end the script",
            )
        return Route(RouteKind(_ROUTE_WORDS.get(kind.text, kind.text)), name, body, position=at)

    def stray_end(self, at: Position, _exit: Exit) -> None:
        self._stray(at, "exit; }")

    def stray_exit(self, at: Position, _exit: Exit) -> None:
        self._stray(at, "exit;")

    def stray_brace(self, at: Position) -> None:
        self._stray(at, "}")

    def _stray(self, at: Position, what: str) -> None:
        message = f"a stray '{what}' outside of any route is skipped (line {at.line}, column {at.column})"
        self._warning(rules.STRAY_END, at, message, "the header of a route above may be commented out")

    # --- Statements ---------------------------------------------------------------------------------------

    def block(self, at: Position, statements: Sequence[Statement] = ()) -> Block:
        return Block(tuple(statements), position=at)

    def single(self, at: Position, statement: Statement) -> Block:
        return Block((statement,), position=at)

    def empty(self, at: Position) -> Empty:
        return Empty(position=at)

    def bare_command(self, at: Position, name: Token) -> Call:
        command = FIRST_NAMES.get(name.text, name.text)
        if command not in BARE_COMMANDS:
            message = f"bad command: {name.text} is called without parentheses"
            meant = LIKE_KEYWORDS.get(name.text.lower(), f"{name.text}()")
            self._error(rules.MISSING_PARENTHESES, at, message, f"write {meant}")
        return Call(command, (), position=at)

    def if_(self, at: Position, condition: Expression, body: Block, otherwise: Block | None = None) -> If:
        return If(condition, body, otherwise, position=at)

    def while_(self, at: Position, condition: Expression, body: Block) -> While:
        self._claim_breaks(at)
        return While(condition, body, position=at)

    def switch(self, at: Position, subject: Token, cases: list[Case]) -> Switch:
        self._claim_breaks(at)
        labels = [case.label for case in cases]
        if not any(labels):
            self._error(rules.BAD_SWITCH, at, "a switch needs at least one case")
        elif None in labels[:-1]:
            place = cases[labels.index(None)].position
            message = "default is not the last part of the switch"
            self._error(rules.BAD_SWITCH, place, message, "move it behind every case")
        return Switch(self.variable(subject.position, subject), tuple(cases), position=at)

    def case(self, at: Position, label: Value, statements: Sequence[Statement] = ()) -> Case:
        if not isinstance(label, Number | String):
            hint = f'quote it: case "{text_of(label)}":'
            message = "the label of a case is a number or a string"
            self._error(rules.BAD_SWITCH, label.position, message, hint)
            label = String(text_of(label), position=label.position)
        return self._case(at, label, statements)

    def default(self, at: Position, statements: Sequence[Statement] = ()) -> Case:
        return self._case(at, None, statements)

    def _case(self, at: Position, label: Number | String | None, statements: Sequence[Statement]) -> Case:
        ends = [n for n, statement in enumerate(statements) if isinstance(statement, Break)]
        after = [s for s in statements[ends[0] + 1 :] if not isinstance(s, Empty)] if ends else []
        if after:
            message = "a statement after the break of its case is never run"
            self._error(rules.BAD_SWITCH, after[0].position, message)
        return Case(label, tuple(statements[: ends[0]] if ends else statements), bool(ends), position=at)

    def break_(self, at: Position) -> Break:
        self._breaks.append(at)
        return Break(position=at)

    def _claim_breaks(self, at: Position) -> list[Position]:
        """The breaks inside of this construct that nothing in it has claimed."""
        claimed = []
        start = (at.line, at.column)
        while self._breaks:
            last = self._breaks[-1]
            if last.file == at.file and (last.line, last.column) < start:
                break
            claimed.append(self._breaks.pop())
        return claimed[::-1]

    def drop(self, at: Position) -> Drop:
        return Drop(position=at)

    def exit(self, at: Position) -> Exit:
        return Exit(position=at)

    def return_(self, at: Position, value: Value | None = None) -> Return:
        match value:
            case None:
                return Return(1, position=at)
            case Number(value=number):
                return Return(number, position=at)
            case PseudoVariable():
                return Return(value, position=at)
        hint = "such as return(1) or return(-1)"
        self._error(rules.BAD_RETURN, value.position, "return takes a number", hint)
        return Return(1, position=at)

    def call_without_arguments(self, at: Position, name: Token) -> Call:
        return self.call(at, name, [])

    def call(self, at: Position, name: Token, arguments: list[Expression]) -> Call:
        return Call(FIRST_NAMES.get(name.text, name.text), tuple(arguments), position=at)

    def argument(self, at: Position, parts: list[Value]) -> Value:
        if len(parts) > 1:
            return Name(":".join(map(text_of, parts)), position=at)
        part = parts[0]
        if isinstance(part, Network | Operand | Myself):
            return Name(text_of(part), position=at)
        return part

    def route_call(self, at: Position, _route: Token, arguments: list[Expression]) -> RouteCall:
        label = arguments[0]
        if len(arguments) == 1 and isinstance(label, Number | String | Name):
            return RouteCall(text_of(label), position=at)
        message = "bad routeargument: one number or name is expected"
        hint = "such as route(1) or route(RELAY)" if len(arguments) == 1 else dialects.ARGUMENTS
        self._error(calls.ROUTE_ARGUMENT, label.position, message, hint)
        return RouteCall("", position=at)

    def plain_assignment(self, at: Position, target: Token, value: Expression) -> Assignment:
        return self._assign(at, target, "=", value)

    def assignment(self, at: Position, target: Token, operator: Token, value: Expression) -> Assignment:
        return self._assign(at, target, operator.text, value)

    def _assign(self, at: Position, target: Token, operator: str, value: Expression) -> Assignment:
        if isinstance(value, Null) and operator not in ("=", ":="):
            hint = "only with = and :="
            self._error(values.BAD_NULL, value.position, f"NULL cannot be used with {operator}", hint)
        return Assignment(self.variable(target.position, target), operator, value, position=at)

    # --- Conditions and values ----------------------------------------------------------------------------

    def and_(self, at: Position, left: Expression, right: Expression) -> And:
        return And(left, right, position=at)

    def or_(self, at: Position, left: Expression, right: Expression) -> Or:
        return Or(left, right, position=at)

    def not_(self, at: Position, operand: Expression) -> Not:
        return Not(operand, position=at)

    def arithmetic_truth(self, at: Position, value: Expression) -> ArithmeticTruth:
        return ArithmeticTruth(value, position=at)

    def bare_condition(self, at: Position, value: Value) -> Expression:
        if isinstance(value, Name) and (name := FIRST_NAMES.get(value.text, value.text)) in BARE_COMMANDS:
            return Call(name, (), position=at)
        if problem := comparable.condition_problem(value):
            self._error(conditions.NO_CONDITION, at, *problem)
        return value

    def bare_value(self, at: Position, value: Value) -> Expression:
        if isinstance(value, Name) and (name := FIRST_NAMES.get(value.text, value.text)) in BARE_COMMANDS:
            return Call(name, (), position=at)
        if problem := comparable.value_problem(value):
            self._error(values.NO_VALUE, at, *problem)
        return value

    def comparison(self, at: Position, left: Value, operator: Token, right: Value) -> Comparison:
        sign = operator.text
        if isinstance(left, _LITERAL) and not isinstance(right, _LITERAL) and sign in _MIRRORED:
            left, sign, right = right, _MIRRORED[sign], left
        if problem := comparable.comparison_problem(left, sign, right):
            self._error(conditions.BAD_COMPARISON, at, *problem)
        return Comparison(left, sign, right, position=at)

    def arithmetic(self, at: Position, left: Expression, operator: Token, right: Expression) -> Arithmetic:
        for side in (left, right):
            if isinstance(side, Null):
                self._error(values.BAD_NULL, side.position, "NULL cannot be calculated with")
        return Arithmetic(left, operator.text, right, position=at)

    def bit_not(self, at: Position, operand: Expression) -> BitNot:
        return BitNot(operand, position=at)
