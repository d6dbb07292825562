"""What a cursor is in: the tokens before it, the string it stands in, the kind of route."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from openpy.script.lexer import COMMENT, DIRECTIVE, END, SourceText, Token, scan
from openpy.script.syntax import RouteKind

ROUTE_KINDS = {
    "request_route": RouteKind.REQUEST,
    "reply_route": RouteKind.ONREPLY,
    **{kind.value: kind for kind in RouteKind},
}
"""The words that begin a route."""

_SECTION = re.compile(r"^(?:(?:\w+_)?route|loadmodule|modparam)\b", re.MULTILINE)
_PUNCTUATION = frozenset("()[]{};:,!=")
_WORD = re.compile(r"\w*\Z")


@dataclass(frozen=True, slots=True)
class Context:
    """The text before a cursor, from the last line that begins a route or loads a module."""

    tokens: list[Token] = field(default_factory=list)  # without comments, and without an unfinished word
    word: str = ""  # what is written of a word
    string: str | None = None  # what is written of a string
    directive: str | None = None  # what is written of a line for the preprocessor
    is_comment: bool = False

    @property
    def depth(self) -> int:
        """How many braces are open."""
        kinds = [token.kind for token in self.tokens]
        return kinds.count("{") - kinds.count("}")

    @property
    def route(self) -> RouteKind | None:
        """The kind of route; None outside of any."""
        heads = [token.text for token in self.tokens if token.text in ROUTE_KINDS and token.kind != "WORD"]
        return ROUTE_KINDS[heads[0]] if heads and self.depth > 0 else None

    @property
    def begins_statement(self) -> bool:
        """Whether a statement begins at the word."""
        return not self.tokens or self.tokens[-1].kind in (";", "{", "}", ":", "else") or self.depth == 0

    @property
    def called(self) -> str:
        """The function whose argument this is, or ""."""
        depth = 0
        for before, token in zip(reversed(self.tokens[:-1]), reversed(self.tokens), strict=False):
            if token.kind in ("{", "}", ";"):
                break
            depth += (token.kind == ")") - (token.kind == "(")
            if depth < 0:
                return before.text
        return ""

    @property
    def argument(self) -> int:
        """The number of that argument: 0 is the first."""
        commas = depth = 0
        for token in reversed(self.tokens):
            depth += (token.kind == ")") - (token.kind == "(")
            if depth < 0:
                break
            commas += depth == 0 and token.kind == ","
        return commas


@dataclass(frozen=True, slots=True)
class Found:
    """A token under a cursor, the ones before it in its section, the one behind it, and where it is."""

    token: Token
    before: list[Token]
    after: Token
    start: int
    end: int


def token_at(text: str, offset: int) -> Found | None:
    """The token that an offset is in or at the end of; None between tokens and in comments."""
    source = SourceText(text, "")
    before: list[Token] = []
    tokens = scan(source, [], _section(text, offset))
    for token in tokens:
        place = token.position
        start, end = source.offset(place.line, place.column), source.offset(place.end_line, place.end_column)
        if token.kind == END or start > offset:
            return None
        if offset < end or (offset == end and token.kind not in _PUNCTUATION):
            return Found(token, before, next(tokens, token), start, end)
        before.append(token)
    return None


def _section(text: str, offset: int) -> int:
    """Where the last line that begins a route or loads a module begins."""
    start = 0
    for match in _SECTION.finditer(text, 0, offset):
        start = match.start()
    return start


def context_at(text: str, offset: int) -> Context:
    """What a cursor at an offset is in."""
    part = text[_section(text, offset) : offset]
    tokens = list(scan(SourceText(part, ""), [], comments=True))
    rest = tokens.pop().text
    last = tokens[-1] if tokens else Token(END, "", SourceText(part, "").position(0, 0))
    is_at_end = last.position.end_line == part.count("\n") + 1
    known = [token for token in tokens if token.kind not in (COMMENT, DIRECTIVE)]
    if rest[:1] in ('"', "'") and rest:
        return Context(known, string=rest[1:])
    if is_at_end and last.kind in (DIRECTIVE, COMMENT):
        line = part.rpartition("\n")[2].lstrip()
        if line.startswith("#!"):
            return Context(known, directive=line[2:])
        if last.text.startswith("#"):
            return Context(known, is_comment=True)
    if rest.startswith("/*"):
        return Context(known, is_comment=True)
    word = _WORD.search(part)
    typed = word.group() if word else ""
    if typed and known and known[-1].text.endswith(typed):
        if known[-1].kind == "VARIABLE" or known[-1].text != typed:
            return Context(known, word=typed)
        return Context(known[:-1], word=typed)
    return Context(known, word=typed)
