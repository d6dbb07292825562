# ruff: noqa: D102 - the rule of the grammar that names a method describes it
"""The leaves of the tree: numbers, strings, names; and the lists of the grammar."""

from __future__ import annotations

from typing import Any

from openpy.script.diagnostics import Diagnostic, error, warning
from openpy.script.lexer import Token
from openpy.script.rules import text as rules
from openpy.script.rules.rule import ErrorRule, WarningRule
from openpy.script.strings import unquote
from openpy.script.syntax import (
    Expression,
    Myself,
    Name,
    Network,
    Null,
    Number,
    Operand,
    Position,
    PseudoVariable,
    String,
    Value,
)
from openpy.script.values import wrap

_BOOLEANS = {"yes": 1, "true": 1, "on": 1, "enable": 1, "no": 0, "false": 0, "off": 0, "disable": 0}


class Literals:
    """Builds the leaves; `found` collects what is wrong."""

    def __init__(self, file: str, found: list[Diagnostic]) -> None:
        self._file = file
        self._found = found

    def _error(self, rule: ErrorRule, at: Position, message: str, hint: str = "") -> None:
        self._found.append(error(rule, at, message, hint))

    def _warning(self, rule: WarningRule, at: Position, message: str, hint: str = "") -> None:
        self._found.append(warning(rule, at, message, hint))

    # --- Lists --------------------------------------------------------------------------------------------

    def nothing(self, at: Position) -> list[Any]:
        return []

    def first(self, at: Position, item: Any) -> list[Any]:
        return [] if item is None else [item]

    def append(self, at: Position, items: list[Any], item: Any) -> list[Any]:
        if item is not None:
            items.append(item)
        return items

    def skip(self, at: Position) -> None:
        return None

    # --- Values -------------------------------------------------------------------------------------------

    def string(self, at: Position, token: Token) -> String:
        return String(unquote(token.text), position=at)

    def variable(self, at: Position, token: Token) -> PseudoVariable:
        return PseudoVariable(token.text, position=at)

    def variable_value(self, at: Position, token: Token) -> PseudoVariable | Null:
        return Null(position=at) if token.text == "$null" else PseudoVariable(token.text, position=at)

    def name(self, at: Position, token: Token) -> Name:
        return Name(token.text, position=at)

    def network(self, at: Position, token: Token) -> Network:
        return Network(token.text, position=at)

    def operand(self, at: Position, token: Token) -> Operand:
        return Operand(token.text, position=at)

    def myself(self, at: Position) -> Myself:
        return Myself(position=at)

    def null(self, at: Position) -> Null:
        return Null(position=at)

    def number(self, at: Position, token: Token) -> Number:
        return Number(wrap(self._integer(token)), position=at)

    def signed_number(self, at: Position, sign: Token, token: Token) -> Number:
        value = self._integer(token)
        return Number(wrap(-value if sign.text == "-" else value), position=at)

    def address(self, at: Position, *parts: Value) -> list[Value]:
        return list(parts)

    def _integer(self, token: Token) -> int:
        text = token.text
        if text in _BOOLEANS:
            return _BOOLEANS[text]
        if len(text) > 20:  # before int() has to count it
            self._error(rules.BAD_NUMBER, token.position, f"{text[:20]}... does not fit into 32 bits")
            return 0
        try:
            value = int(text, 16 if text[:2] == "0x" else 8 if text[0] == "0" else 10)
        except ValueError:
            kind, start = ("hexadecimal", "0x") if text[:2] == "0x" else ("octal", "0")
            hint = f"what begins with {start} is {kind}"
            self._error(rules.BAD_NUMBER, token.position, f"{text} is no {kind} number", hint)
            return 0
        if value > 0xFFFFFFFF:
            self._error(rules.BAD_NUMBER, token.position, f"{text} does not fit into 32 bits")
        return value


def text_of(value: Expression) -> str:
    """The text of a value, as one word of an argument or an address."""
    match value:
        case String(value=text) | Name(text=text) | Network(text=text) | PseudoVariable(text=text):
            return text
        case Operand(name=text):
            return text
        case Number(value=number):
            return str(number)
        case Myself():
            return "myself"
    return "NULL"
