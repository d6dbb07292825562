"""What can be written at a cursor, from the declarations of the engine and of the modules."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import Enum
from typing import NamedTuple

from openpy.editor import describing
from openpy.editor.analysis import Analysis
from openpy.editor.catalogue import functions, installed
from openpy.editor.context import ROUTE_KINDS, Context, context_at
from openpy.editor.names import NAME, ROUTE_ARGUMENTS
from openpy.engine.config import CORE_PARAMETERS
from openpy.engine.module import Module
from openpy.script.corenames import FIRST_NAMES
from openpy.script.environment import Function
from openpy.script.lexer import DIRECTIVE_WORDS
from openpy.script.syntax import RouteKind


class Kind(Enum):
    """What can be written."""

    FUNCTION = "function"
    KEYWORD = "keyword"
    PARAMETER = "parameter"
    MODULE = "module"
    VARIABLE = "variable"
    TRANSFORMATION = "transformation"
    ROUTE = "route"
    NAME = "name"


class Line(NamedTuple):
    """A line that is put in elsewhere, with what is chosen."""

    offset: int
    text: str


class Item(NamedTuple):
    """One thing that can be written: `label` in place of what is written of it."""

    kind: Kind
    label: str
    detail: str = ""
    doc: str = ""
    line: Line | None = None


class Completion(NamedTuple):
    """What can stand between `start` and the cursor."""

    start: int
    items: list[Item]


TOP_LEVEL = ("loadmodule", "modparam", "dst_blacklist", "flags", "include_file", "import_file", *ROUTE_KINDS)
COMMANDS = ("if", "else", "while", "switch", "case", "default", "break", "route", "return", "exit", "drop")
CONDITIONS = ("myself", "NULL", "route")

_VARIABLE = re.compile(r"\$\(?([\w.]*)\Z")
_INNER = re.compile(r"\$\(?(\w+)\(([^()$]*)\Z")
_TRANSFORMATION = re.compile(r"\$\([^\s;{}]*(?:\{[^{}]*\})*\{([\w.]*)\Z")
_LOADING = re.compile(r"^[ \t]*loadmodule\b.*(?:\n|\Z)", re.MULTILINE)


def complete(text: str, offset: int, analysis: Analysis) -> Completion:
    """What can be written at an offset of one of the files of a script."""
    context = context_at(text, offset)
    if context.is_comment:
        return Completion(offset, [])
    if context.directive is not None:
        return _directives(offset, context.directive, analysis)
    line = text[text.rfind("\n", 0, offset) + 1 : offset]
    if (found := _in_variable(offset, line, analysis)) is not None:
        return found
    if context.string is not None:
        written = re.split(r"[|/]", context.string)[-1]
        return Completion(offset - len(written), list(_in_string(context, analysis)))
    start = offset - len(context.word)
    if context.route is None:
        return Completion(start, list(_outside_of_routes(context, analysis)))
    return Completion(start, list(_in_route(context, text, context.route, analysis)))


def _directives(offset: int, written: str, analysis: Analysis) -> Completion:
    word, blank, rest = written.partition(" ")
    if not blank:
        return Completion(offset - len(word), [Item(Kind.KEYWORD, word) for word in DIRECTIVE_WORDS])
    return Completion(
        offset - len(rest), list(_names(analysis)) if word in ("ifdef", "ifndef", "redefine") else []
    )


def _in_variable(offset: int, line: str, analysis: Analysis) -> Completion | None:
    """Names behind `$`, in its parentheses, and transformations behind `{`."""
    environment = analysis.examined.environment
    if match := _VARIABLE.search(line):
        items = [
            Item(
                Kind.VARIABLE, name, "assignable" if spec.bind_setter else "", describing.variable_text(spec)
            )
            for name, spec in environment.pseudo_variables.items()
        ]
        return Completion(offset - len(match.group(1)), items)
    if match := _TRANSFORMATION.search(line):
        items = [
            Item(Kind.TRANSFORMATION, name, "", describing.transformation_text(transformation))
            for name, transformation in environment.transformations.items()
        ]
        return Completion(offset - len(match.group(1)), items)
    if match := _INNER.search(line):
        inner = sorted({name.text for name in analysis.names if name.kind == f"${match.group(1)}"})
        if match.group(1) == "avp":
            inner = sorted({*inner, *analysis.examined.avp_aliases})
        return Completion(offset - len(match.group(2)), [Item(Kind.VARIABLE, name) for name in inner])
    return None


def _in_string(context: Context, analysis: Analysis) -> Iterator[Item]:
    """Modules and their parameters, and routes that a function takes by name."""
    loaded = analysis.examined.modules
    called = context.called
    if context.tokens and context.tokens[-1].kind == "loadmodule":
        for name, cls in installed().items():
            if name not in loaded:
                yield Item(Kind.MODULE, f"{name}.so", "", describing.module_text(cls))
    elif called == "modparam" and context.argument == 0:
        for name, module in loaded.items():
            yield Item(Kind.MODULE, name, "", describing.module_text(type(module)))
    elif called == "modparam" and context.argument == 1:
        names = next((t.text[1:-1] for t in reversed(context.tokens) if t.kind == "STRING"), "")
        yield from _parameters([loaded[name] for name in names.split("|") if name in loaded])
    elif called in ROUTE_ARGUMENTS or called == "route":
        yield from _routes(ROUTE_ARGUMENTS.get(called, RouteKind.REQUEST), analysis)


def _parameters(modules: Iterable[Module]) -> Iterator[Item]:
    for module in modules:
        for name, parameter in type(module).parameters().items():
            if not parameter.hidden:
                default = "" if parameter.default in (None, "") else f"default {parameter.default}"
                yield Item(Kind.PARAMETER, name, default, describing.parameter_text(type(module), parameter))


def _routes(kind: RouteKind, analysis: Analysis) -> Iterator[Item]:
    for name in sorted(name.text for name in analysis.names if name.kind is kind):
        yield Item(Kind.ROUTE, name, kind.value)


def _names(analysis: Analysis) -> Iterator[Item]:
    for name in sorted(name.text for name in analysis.names if name.kind == NAME):
        yield Item(Kind.NAME, name)


def _outside_of_routes(context: Context, analysis: Analysis) -> Iterator[Item]:
    if context.called or (context.tokens and context.tokens[-1].kind == "="):
        yield from _names(analysis)
        return
    yield from (Item(Kind.KEYWORD, word) for word in TOP_LEVEL)
    for spec in CORE_PARAMETERS:
        for name in (spec.name, *spec.aliases):
            yield Item(Kind.PARAMETER, name, spec.takes.value, describing.core_parameter_text(spec))
    yield from _names(analysis)


def _in_route(context: Context, text: str, route: RouteKind, analysis: Analysis) -> Iterator[Item]:
    if context.called == "route":
        yield from _routes(RouteKind.REQUEST, analysis)
        return
    if context.begins_statement:
        yield from (Item(Kind.KEYWORD, word) for word in COMMANDS)
    else:
        operands = analysis.examined.environment.operands
        yield from (Item(Kind.KEYWORD, word) for word in dict.fromkeys((*CONDITIONS, *operands)))
    yield from _names(analysis)
    yield from _functions(text, route, analysis)


def _functions(text: str, route: RouteKind, analysis: Analysis) -> Iterator[Item]:
    """Functions that can be called in a kind of route; with those of other modules comes their loadmodule line."""
    loaded = analysis.examined.modules
    known = functions() | analysis.examined.environment.functions
    for name, function in known.items():
        if route in function.routes:
            is_there = function.module == "core" or function.module in loaded
            line = None if is_there else _loading_line(text, function)
            detail = describing.signature(function) + ("" if is_there else f" (loads {function.module})")
            yield Item(Kind.FUNCTION, name, detail, describing.function_text(function), line)
    for name, first in FIRST_NAMES.items():
        if first in known and route in known[first].routes:
            yield Item(Kind.FUNCTION, name, f"the same as {first}", describing.function_text(known[first]))


def _loading_line(text: str, function: Function) -> Line | None:
    """The line that loads the module of a function, below the last one that loads a module."""
    at = max((match.end() for match in _LOADING.finditer(text)), default=0)
    before = "" if at == 0 or text[at - 1] == "\n" else "\n"
    return Line(at, f'{before}loadmodule "{function.module}.so"\n')
