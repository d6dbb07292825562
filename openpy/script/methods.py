"""Sets of methods as numbers: a bit for each method that has a name, and one for all others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from openpy.script.environment import ArgumentError
from openpy.script.patterns import compile_pattern

Methods = int
"""A set of methods."""

Split = tuple[Methods, Methods]
"""For which methods a test can be true, and for which false; others are in both."""


class MethodSets:
    """The sets of methods that the words of a script stand for."""

    def __init__(self, names: Sequence[str], unanswered: Iterable[str] = ()) -> None:
        self.names = tuple(names)
        self._bits = {name: 1 << number for number, name in enumerate(self.names)}
        self.other: Methods = 1 << len(self.names)
        self.all: Methods = 2 * self.other - 1
        self.needy: Methods = (self.other - 1) & ~self._union(unanswered)
        """Those that have a name and need an answer."""
        self._matched: dict[str, Split] = {}

    def among(self, words: Iterable[str]) -> Split:
        """Of "the method is one of these words"."""
        known = [word.strip().upper() for word in words]
        yes = self._union(known)
        if all(word in self._bits for word in known):
            return yes, self.all & ~yes
        return yes | self.other, self.all & ~yes

    def matching(self, pattern: str) -> Split:
        """Of "the method matches the expression"."""
        if pattern not in self._matched:
            self._matched[pattern] = self._match(pattern)
        return self._matched[pattern]

    def example(self, methods: Methods) -> str:
        """The name of one of them; an empty text where none has a name."""
        return next((name for name in self.names if methods & self._bits[name]), "")

    def _union(self, words: Iterable[str]) -> Methods:
        found = 0
        for word in words:
            found |= self._bits.get(word, 0)
        return found

    def _match(self, pattern: str) -> Split:
        try:
            search = compile_pattern(pattern).search
        except ArgumentError:
            return self.all, self.all
        yes = self._union(name for name in self.names if search(name))
        return yes | self.other, self.all & ~yes
