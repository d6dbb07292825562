from __future__ import annotations

from typing import Any

from openpy.script import automaton
from openpy.script.automaton import Machine, Reduction
from openpy.script.builder import Builder
from openpy.script.lexer import END, KEYWORDS, Token
from openpy.script.syntax import Position


class Spans:
    """Builds nothing but remembers what was reduced, and where."""

    def __init__(self) -> None:
        self.built: list[tuple[str, int, int]] = []

    def __getattr__(self, name: str) -> Any:
        def build(at: Position, *parts: Any) -> str:
            self.built.append((name, at.column, at.end_column))
            return name

        return build


def token(kind: str, column: int) -> Token:
    return Token(kind, kind, Position("t.cfg", 1, column, 1, column + 1))


def machine(*kinds: str) -> tuple[Machine, Spans]:
    spans = Spans()
    running = Machine(automaton.load(), spans)
    for column, kind in enumerate(kinds, 1):
        assert running.feed(kind, token(kind, column))
    return running, spans


def test_spans_reach_from_the_first_to_the_last_token() -> None:
    running, spans = machine("PARAMETER", "=", "SIGN", "NUMBER", END)
    assert running.result == "script"
    assert spans.built == [("signed_number", 3, 5), ("parameter", 1, 5), ("first", 1, 5), ("script", 1, 5)]


def test_an_empty_script() -> None:
    running, spans = machine(END)
    assert running.result == "script"
    assert spans.built == [("script", 1, 2)]


def test_a_token_that_cannot_come() -> None:
    running, _ = machine("ROUTE", "{", "WORD")
    assert not running.feed("STRING", token("STRING", 4))
    assert running.expected() == {"(", ";"}
    assert running.accepts("(")
    assert not running.accepts(END)


def test_asking_changes_nothing() -> None:
    running, spans = machine("PARAMETER", "=", "NUMBER")
    assert running.accepts(END)
    assert running.accepts("ROUTE")
    assert spans.built == []


def test_what_is_complete_is_finished_before_a_mistake() -> None:
    running, spans = machine("ROUTE", "{", ";", "}")
    assert running.within("statement", "item") == "statement"
    assert not running.feed("WORD", token("WORD", 5))
    assert running.within("statement", "item") == "item"
    assert ("route", 1, 5) in spans.built


def test_unwinding_gives_back_what_was_dropped() -> None:
    running, _ = machine("ROUTE", "{", "if", "(", "WORD")
    assert running.within("statement", "item") == "statement"
    dropped = running.unwind("statement")
    assert [part.kind for part in dropped] == ["if", "(", "WORD"]
    assert running.accepts("while")
    running.unwind("item")
    assert running.accepts("PARAMETER")


def test_the_builder_has_a_method_for_each_name_of_the_grammar() -> None:
    names = {
        action.name
        for row in automaton.load().actions
        for action in row.values()
        if isinstance(action, Reduction) and action.name
    }
    assert not {name for name in names if not hasattr(Builder, name)}


def test_the_lexer_makes_the_tokens_of_the_grammar() -> None:
    known = {kind for row in automaton.load().actions for kind in row}
    assert set(KEYWORDS.values()) <= known


def test_the_tables_are_made_from_the_grammar() -> None:
    made = automaton.load()
    automaton.load.cache_clear()
    automaton._reduction.cache_clear()
    again = automaton.load()
    assert again is not made
    assert len(again.actions) == len(made.actions) > 100
    assert automaton.load() is again


def test_what_goes_on_in_another_file_has_its_place_in_the_first() -> None:
    built: list[Position] = []

    class Places:
        def __getattr__(self, name: str) -> Any:
            return lambda at, *parts: built.append(at)

    run = Machine(automaton.load(), Places())
    first, other = Position("a.cfg", 1, 1, 1, 6, 2), Position("b.cfg", 9, 9, 9, 10)
    for kind, place in (("ROUTE", first), ("{", first), ("}", other), (END, other)):
        assert run.feed(kind, Token(kind, kind, place))
    block, route, *_ = built
    assert block == route == first
