"""What is shown about the word under the mouse."""

from __future__ import annotations

import re
from os.path import normpath
from typing import Any

from openpy.editor import describing
from openpy.editor.analysis import Analysis
from openpy.editor.catalogue import functions, installed
from openpy.editor.context import Found, token_at
from openpy.editor.names import NAME, name_at
from openpy.editor.places import Span
from openpy.engine.config import CORE_PARAMETERS
from openpy.engine.module import Module
from openpy.script.corenames import FIRST_NAMES
from openpy.script.environment import ArgumentError
from openpy.script.pseudovariables import read
from openpy.script.syntax import RouteKind

_TRANSFORMATION = re.compile(r"\{([\w.]+)")
_WORD = re.compile(r"[\w.]+")


def hover(text: str, offset: int, file: str, analysis: Analysis) -> tuple[Span, str] | None:
    """What an offset is about, and Markdown for it; None if there is nothing to say."""
    found = token_at(text, offset)
    if found is None:
        return None
    token = found.token
    if token.kind in ("VARIABLE", "STRING") and (shown := _variable(found, offset, analysis)):
        return shown
    shown_text = ""
    if token.kind == "STRING":
        return _string(found, offset, analysis) or _with_span(
            (found.start, found.end), _named(text, offset, file, analysis)
        )
    if token.kind == "WORD":
        shown_text = _function(token.text, analysis)
    if not shown_text and found.after.kind == "=":
        shown_text = _core_parameter(token.text)
    return _with_span((found.start, found.end), shown_text or _named(text, offset, file, analysis))


def _function(name: str, analysis: Analysis) -> str:
    first = FIRST_NAMES.get(name, name)
    known = analysis.examined.environment.functions.get(first) or functions().get(first)
    if known is None:
        return ""
    shown = describing.function_text(known)
    if known.module != "core" and known.module not in analysis.examined.modules:
        shown += f'\n\nNot loaded: `loadmodule "{known.module}.so"`'
    return shown


def _core_parameter(name: str) -> str:
    found = (spec for spec in CORE_PARAMETERS if name in (spec.name, *spec.aliases))
    return next(map(describing.core_parameter_text, found), "")


def _variable(found: Found, offset: int, analysis: Analysis) -> tuple[Span, str] | None:
    """The pseudo-variable or transformation at an offset, also within a string."""
    text, at = found.token.text, 0
    environment = analysis.examined.environment
    while (dollar := text.find("$", at)) >= 0:
        try:
            reference, at = read(text, dollar)
        except ArgumentError:
            at = dollar + 1
            continue
        if not found.start + dollar <= offset <= found.start + at:
            continue
        for match in _TRANSFORMATION.finditer(reference.text):
            begin = found.start + dollar + match.start(1)
            transformation = environment.transformations.get(match.group(1).lower())
            if transformation and begin <= offset <= begin + len(match.group(1)):
                return (begin, begin + len(match.group(1))), describing.transformation_text(transformation)
        spec = environment.pseudo_variables.get(reference.name)
        if spec is None:
            return None
        return (found.start + dollar, found.start + at), describing.variable_text(spec)
    return None


def _string(found: Found, offset: int, analysis: Analysis) -> tuple[Span, str] | None:
    """A module, or one of its parameters."""
    before = [token.text for token in found.before[-4:]]
    span = found.start + 1, max(found.start + 1, found.end - 1)
    text = found.token.text[1:-1]
    if before[-1:] == ["loadmodule"]:
        module = _module(text.rpartition("/")[2].removesuffix(".so"), analysis)
        return (span, describing.module_text(module)) if module else None
    if before[-2:] == ["modparam", "("]:
        for match in _WORD.finditer(text):
            begin, end = span[0] + match.start(), span[0] + match.end()
            if begin <= offset <= end and (module := _module(match.group(), analysis)):
                return (begin, end), describing.module_text(module)
    if len(before) == 4 and before[:2] == ["modparam", "("] and before[3] == ",":
        for name in before[2][1:-1].split("|"):
            module = _module(name, analysis)
            parameter: Any = module and module.parameters().get(text)
            if module and parameter:
                return span, describing.parameter_text(module, parameter)
    return None


def _with_span(span: Span, text: str) -> tuple[Span, str] | None:
    return (span, text) if text else None


def _module(name: str, analysis: Analysis) -> type[Module] | None:
    loaded = analysis.examined.modules.get(name)
    return type(loaded) if loaded is not None else installed().get(name)


def _named(text: str, offset: int, file: str, analysis: Analysis) -> str:
    """What the script itself says about a name."""
    file = next((name for name in analysis.sources if normpath(name) == normpath(file)), file)
    found = name_at({**analysis.sources, file: text}, file, offset)
    if found is None:
        return ""
    name, everywhere = found[0].name, found[1]
    places = [item for item in everywhere if item.defines]
    uses = len(everywhere) - len(places)
    counted = f"used in {uses} place{'' if uses == 1 else 's'}"
    if isinstance(name.kind, RouteKind):
        return f"`{name.kind.value}[{name.text}]`, {counted}" + ("" if places else "; there is no such route")
    if name.kind == NAME and places:
        source = analysis.sources.get(places[0].file, text)
        line = source[source.rfind("\n", 0, places[0].start) + 1 : source.find("\n", places[0].end)]
        return f"```openser\n{line.strip()}\n```\n{counted}"
    return ""
