"""Rules of files that allow or deny (openser 1.3 module permissions).

    # who [EXCEPT who] : what [EXCEPT what]
    "^sip:[0-9]+@example\\.com$" : ALL EXCEPT "^sip:0900", "^sip:00"

1. A rule is a line. Each side is `ALL`, or POSIX extended expressions in quotes with commas between; letter case does
   not count, and there is no escape for a quote.
2. A rule matches a pair if each side matches: one of its expressions does, and none of those behind EXCEPT.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from openpy.engine.module import ArgumentError, Regex
from openpy.engine.parameters import compile_expression

__all__ = ["Rule", "RuleError", "parse_rules"]

_TOKEN = re.compile(
    r'[ \t\r\f\v]*(?:(?P<quoted>"[^"]*")|(?P<comment>#.*)|(?P<other>[^\s",:#]+|\S)|(?P<end>$))'
)

ALL = "ALL"
EXCEPT = "EXCEPT"


class RuleError(Exception):
    """A line that is no rule: its number, what is wrong, and what to do (may be empty)."""

    def __init__(self, line: int, text: str, hint: str = "") -> None:
        super().__init__(f"{line}: {text}")
        self.line = line
        self.text = text
        self.hint = hint


class Expressions(NamedTuple):
    """Expressions of which one is to match; with `every` nothing is asked."""

    patterns: tuple[Regex, ...] = ()
    every: bool = False

    def match(self, text: str) -> bool:
        """Whether one of them matches."""
        return self.every or any(pattern.search(text) for pattern in self.patterns)


class Side(NamedTuple):
    """One side of a rule."""

    meant: Expressions
    exceptions: Expressions = Expressions()

    def match(self, text: str) -> bool:
        """Whether a URI is meant, and is no exception."""
        return self.meant.match(text) and not self.exceptions.match(text)


class Rule(NamedTuple):
    """One line."""

    left: Side
    right: Side

    def match(self, left: str, right: str) -> bool:
        """Whether a pair of URIs is meant."""
        return self.left.match(left) and self.right.match(right)


def parse_rules(text: str) -> tuple[Rule, ...]:
    """The rules of a text; raises RuleError for the first line that is none."""
    return tuple(_rules(text.split("\n")))


def _rules(lines: Iterable[str]) -> Iterator[Rule]:
    for number, line in enumerate(lines, 1):
        try:
            words = _Words(line)
            if words.next is not None:
                yield _rule(words)
        except ArgumentError as problem:
            raise RuleError(number, problem.text, problem.hint) from None


class _Words:
    """The words of a line; `next` is the one that was not taken yet, None at its end."""

    def __init__(self, line: str) -> None:
        self._words = self._split(line)
        self.next = next(self._words, None)

    def _split(self, line: str) -> Iterator[str]:
        for found in _TOKEN.finditer(line):
            word = found["quoted"] or found["other"]
            if word is None:
                return
            yield word

    def take(self) -> str:
        """The next word, "" at the end."""
        word, self.next = self.next, next(self._words, None)
        return word or ""

    def taken(self, word: str) -> bool:
        """Take the next word if it is this one."""
        return self.next == word and bool(self.take())


def _rule(words: _Words) -> Rule:
    left = _side(words)
    if not words.taken(":"):
        raise ArgumentError(f"a colon is expected {_before(words)}", 'a rule is "who" : "what"')
    right = _side(words)
    if words.next is not None:
        raise ArgumentError(f"the end of the line is expected {_before(words)}")
    return Rule(left, right)


def _side(words: _Words) -> Side:
    meant = _expressions(words)
    return Side(meant, _expressions(words) if words.taken(EXCEPT) else Expressions())


def _expressions(words: _Words) -> Expressions:
    if words.taken(ALL):
        return Expressions(every=True)
    patterns = [_expression(words)]
    while words.taken(","):
        patterns.append(_expression(words))
    return Expressions(tuple(patterns))


def _expression(words: _Words) -> Regex:
    if words.next == '"':
        raise ArgumentError("a quote is never closed")
    if words.next is None or not words.next.startswith('"'):
        raise ArgumentError(f"ALL or an expression in quotes is expected {_before(words)}")
    return compile_expression(words.take()[1:-1])


def _before(words: _Words) -> str:
    return "at the end of the line" if words.next is None else f"before {words.next}"
