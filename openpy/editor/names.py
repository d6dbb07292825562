"""The names that a script gives to things, and every place where each one stands.

Rules:
1. A name is a route, a `$var` or `$avp`, or a word of `#!define` or `flags`. The same word may be all of these.
2. What counts is the text: branches that `#!ifdef` leaves out, and strings in which a variable stands, too.
3. All files of a script are looked through.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from openpy.editor.context import ROUTE_KINDS
from openpy.script.lexer import DIRECTIVE, KEYWORDS, SourceText, Token, scan
from openpy.script.syntax import RouteKind

ROUTE_ARGUMENTS = {
    "t_on_failure": RouteKind.FAILURE,
    "t_on_reply": RouteKind.ONREPLY,
    "t_on_branch": RouteKind.BRANCH,
}
"""Functions whose argument is the name of a route, and of which kind."""

NAME = "name"
"""The kind of what `#!define` and `flags` name."""

_DEFINING = ("define", "trydef", "redefine")
_NAMING = (*_DEFINING, "ifdef", "ifndef")
_VARIABLE = re.compile(r"\$\(?(var|avp)\(([^()\[\]{}$]+)\)")
_DIRECTIVE = re.compile(rf"({'|'.join(_NAMING)})[ \t]+(\w+)")
_WORD = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_LABEL = re.compile(r"[A-Za-z_]\w*|\d{1,2}", re.ASCII)
_INNER = re.compile(r"[\w:.-]+", re.ASCII)
_ASSIGNING = frozenset(("=", "ASSIGN"))


class Name(NamedTuple):
    """What is named: a kind of route, "$var", "$avp" or NAME, and the name."""

    kind: RouteKind | str
    text: str


class Occurrence(NamedTuple):
    """One place where a name stands."""

    file: str
    start: int
    end: int
    name: Name
    defines: bool = False


class CannotRename(Exception):
    """Why a name cannot be changed."""


def names_in(text: str, file: str) -> Iterator[Occurrence]:
    """All names in a text, in its order. Whether somebody defines a word, only all files together can tell."""
    source = SourceText(text, file)
    tokens = list(scan(source, []))
    for index, token in enumerate(tokens):
        start = source.offset(token.position.line, token.position.column)
        after = tokens[min(index + 1, len(tokens) - 1)]
        if token.kind == DIRECTIVE:
            yield from _in_directive(token, file, start)
        elif token.kind in ("VARIABLE", "STRING"):
            assigns = token.kind == "VARIABLE" and after.kind in _ASSIGNING
            for match in _VARIABLE.finditer(token.text):
                name = Name(f"${match.group(1)}", match.group(2))
                yield Occurrence(file, start + match.start(2), start + match.end(2), name, assigns)
            if index > 1 and tokens[index - 2].text == "avp_aliases":
                for match in re.finditer(r"(\w+)=", token.text):
                    name = Name("$avp", match.group(1))
                    yield Occurrence(file, start + match.start(1), start + match.end(1), name, True)
        if (found := _route(tokens, index)) is not None:
            kind, defines = found
            quotes = token.kind == "STRING"
            label = token.text[quotes : len(token.text) - quotes]
            yield Occurrence(file, start + quotes, start + quotes + len(label), Name(kind, label), defines)
        elif token.kind == "WORD":
            defines = index > 0 and tokens[index - 1].text == "flags" and after.kind != "="
            yield Occurrence(file, start, start + len(token.text), Name(NAME, token.text), defines)


def _in_directive(token: Token, file: str, start: int) -> Iterator[Occurrence]:
    head = _DIRECTIVE.match(token.text)
    if head is None:
        return
    for match in _WORD.finditer(token.text, head.start(2)):
        is_first = match.start() == head.start(2)
        defines = is_first and head.group(1) in _DEFINING
        at = start + len("#!")
        yield Occurrence(file, at + match.start(), at + match.end(), Name(NAME, match.group()), defines)
        if head.group(1) not in _DEFINING:
            return


def _route(tokens: list[Token], index: int) -> tuple[RouteKind, bool] | None:
    """The kind of route that a token names, and whether the route is there."""
    if index < 2 or tokens[index].kind in ("(", "[", ")", "]", "VARIABLE"):
        return None
    head, opening = tokens[index - 2], tokens[index - 1].kind
    if opening == "[" and head.kind in ("ROUTE", "SPECIAL_ROUTE"):
        return ROUTE_KINDS[head.text], True
    if opening == "(" and head.kind == "ROUTE":
        return RouteKind.REQUEST, False
    if opening == "(" and head.text in ROUTE_ARGUMENTS:
        return ROUTE_ARGUMENTS[head.text], False
    return None


def occurrences(sources: Mapping[str, str], name: Name) -> list[Occurrence]:
    """Where a name stands in the files of a script; nowhere if nobody defines it."""
    found = [item for file, text in sources.items() for item in names_in(text, file) if item.name == name]
    is_known = any(item.defines for item in found) or name.kind != NAME
    return found if is_known else []


def name_at(sources: Mapping[str, str], file: str, offset: int) -> tuple[Occurrence, list[Occurrence]] | None:
    """The name at an offset, and everywhere that it stands."""
    for item in names_in(sources.get(file, ""), file):
        if item.start <= offset <= item.end and (everywhere := occurrences(sources, item.name)):
            return item, everywhere
    return None


def defined(sources: Mapping[str, str]) -> frozenset[Name]:
    """The names that a script defines, and the variables that it uses."""
    return frozenset(
        item.name
        for file, text in sources.items()
        for item in names_in(text, file)
        if item.defines or item.name.kind in ("$var", "$avp")
    )


def check_new_name(sources: Mapping[str, str], name: Name, new: str) -> None:
    """Raises CannotRename where a name cannot be changed to another."""
    is_variable = name.kind in ("$var", "$avp")
    if not (_INNER if is_variable else _WORD if name.kind == NAME else _LABEL).fullmatch(new):
        raise CannotRename(f'"{new}" is no name: letters, digits and _ make one')
    if not is_variable and new in KEYWORDS:
        raise CannotRename(f"{new} is a word of the language")
    if not is_variable and new != name.text and Name(name.kind, new) in defined(sources):
        raise CannotRename(f"there is another {new} already")
