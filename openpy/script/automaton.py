"""The LALR automaton of the grammar: lark makes the tables, a `Machine` runs them.

Running them here, and not in lark, gives exact spans, errors that can be explained and repaired, and
no recursion however deep a script is nested.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from lark import Lark
from lark import Token as LarkToken
from lark.grammar import Rule
from lark.lexer import Lexer, LexerState, PatternStr

from openpy.script.lexer import END, Token
from openpy.script.syntax import Position

_FINISHED = frozenset(("block", "statement", "statements", "item", "items"))


@dataclass(frozen=True, slots=True)
class Reduction:
    """A rule to apply: take `size` values, give those at `kept` to the builder's method `name` ("": pass on)."""

    rule: str
    name: str
    size: int
    kept: tuple[int, ...]


Actions = dict[str, "int | Reduction"]
"""By kind of token: the state to go to (shift), or what to reduce first."""


@dataclass(frozen=True, slots=True)
class Automaton:
    """The tables, by state: `actions` for tokens, `gotos` for reduced rules.

    `defaults` finish a complete statement even before a token that cannot come, so that a mistake behind it is
    not taken for one in it. `final` is the state of a whole script.
    """

    actions: tuple[Actions, ...]
    gotos: tuple[dict[str, int], ...]
    defaults: tuple[Reduction | None, ...]
    initial: int
    final: int


class Machine:
    """One run of the automaton: its stacks, and the builder that makes values of what is reduced."""

    def __init__(self, automaton: Automaton, builder: object) -> None:
        self._automaton = automaton
        self._builder = builder
        self._states = [automaton.initial]
        self._values: list[Any] = []
        self._starts: list[Position] = []
        self._ends: list[Position] = []

    @property
    def actions(self) -> Actions:
        """What each kind of token does now."""
        return self._automaton.actions[self._states[-1]]

    @property
    def result(self) -> Any:
        """The value of the whole, once END was taken."""
        return self._values[-1]

    def feed(self, kind: str, token: Token) -> bool:
        """Take one token, seen as `kind`; False if it cannot come here."""
        automaton, builder = self._automaton, self._builder
        actions, gotos, defaults = automaton.actions, automaton.gotos, automaton.defaults
        states, values, starts, ends = self._states, self._values, self._starts, self._ends
        place = token.position
        while True:
            action = actions[states[-1]].get(kind)
            if isinstance(action, int):
                states.append(action)
                values.append(token)
                starts.append(place)
                ends.append(place)
                return True
            if action is None:
                action = defaults[states[-1]]
                if action is None:
                    return False
            size = action.size
            if size:
                start, end = starts[-size], ends[-1]
                kept = [values[n - size] for n in action.kept]
                del states[-size:], values[-size:], starts[-size:], ends[-size:]
            else:
                start = end = place
                kept = []
            if action.name:
                if start.file is not end.file:  # it goes on in an included file
                    end = start
                at = Position(start.file, start.line, start.column, end.end_line, end.end_column, start.piece)
                values.append(getattr(builder, action.name)(at, *kept))
            else:
                values.append(kept[0])
            starts.append(start)
            ends.append(end)
            states.append(gotos[states[-1]][action.rule])
            if kind == END and states[-1] == automaton.final:
                return True

    def accepts(self, kind: str) -> bool:
        """Whether a token of this kind can come next; nothing changes."""
        states = list(self._states)
        while True:
            action = self._automaton.actions[states[-1]].get(kind)
            if not isinstance(action, Reduction):
                return action is not None
            if action.size:
                del states[-action.size :]
            states.append(self._automaton.gotos[states[-1]][action.rule])
            if kind == END and states[-1] == self._automaton.final:
                return True

    def expected(self) -> set[str]:
        """The kinds of token that can come next."""
        return {kind for kind in self.actions if self.accepts(kind)}

    def within(self, *rules: str) -> str:
        """Which of these rules, of those that could begin again after an `unwind`, is the innermost."""
        gotos = self._automaton.gotos
        return next(rule for state in reversed(self._states) for rule in rules if rule in gotos[state])

    def unwind(self, *rules: str) -> list[Any]:
        """Forget what is unfinished, back to where one of these rules can begin; returns what was dropped."""
        keep = len(self._states)
        while self._automaton.gotos[self._states[keep - 1]].keys().isdisjoint(rules):
            keep -= 1
        dropped = self._values[keep - 1 :]
        del self._states[keep:], self._values[keep - 1 :], self._starts[keep - 1 :], self._ends[keep - 1 :]
        return dropped


class _NoLexer(Lexer):
    """Stands where lark wants a lexer: tokens come from openpy.script.lexer."""

    def __init__(self, configuration: Any) -> None: ...

    def lex(self, lexer_state: LexerState, parser_state: Any) -> Iterator[LarkToken]:
        return iter(())


@cache
def load() -> Automaton:
    """Read grammar.lark; done once, at the first parse."""
    grammar = files("openpy.script").joinpath("grammar.lark").read_text("utf-8")
    lark = Lark(grammar, parser="lalr", lexer=_NoLexer, maybe_placeholders=False)
    table = lark.parse_interactive("").parser_state.parse_conf.parse_table
    literals = {t.name: t.pattern.value for t in lark.terminals if isinstance(t.pattern, PatternStr)}
    rules = {rule.origin.name for rule in lark.rules}
    actions: list[Actions] = [{} for _ in table.states]
    gotos: list[dict[str, int]] = [{} for _ in table.states]
    for state, row in table.states.items():
        for symbol, (_, target) in row.items():
            if symbol in rules:
                gotos[state][symbol] = target
            else:
                kind = literals.get(symbol, symbol)
                actions[state][kind] = _reduction(target) if isinstance(target, Rule) else target
    defaults = tuple(_only_reduction(row) for row in actions)
    return Automaton(
        tuple(actions), tuple(gotos), defaults, table.start_states["start"], table.end_states["start"]
    )


def _only_reduction(row: Actions) -> Reduction | None:
    first, *rest = set(row.values()) or {0}
    return first if isinstance(first, Reduction) and first.rule in _FINISHED and not rest else None


@cache
def _reduction(rule: Rule) -> Reduction:
    kept = tuple(n for n, symbol in enumerate(rule.expansion) if not getattr(symbol, "filter_out", False))
    if not rule.alias and len(kept) != 1:
        raise ValueError(f"the grammar does not say how to build {rule}")
    return Reduction(rule.origin.name, rule.alias or "", len(rule.expansion), kept)
