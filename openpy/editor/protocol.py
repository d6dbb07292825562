"""What is known of scripts, in the terms of the Language Server Protocol (3.17)."""

from __future__ import annotations

from collections.abc import Iterable

from lsprotocol import types

from openpy.editor.analysis import Analysis
from openpy.editor.completion import Completion, Item, Kind
from openpy.editor.names import Occurrence
from openpy.editor.outline import Part, PartKind
from openpy.editor.places import Places, Span
from openpy.script.diagnostics import Diagnostic, Severity
from openpy.script.syntax import Position

SOURCE = "openpy"

_SEVERITIES = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
}
_ITEM_KINDS = {
    Kind.FUNCTION: types.CompletionItemKind.Function,
    Kind.KEYWORD: types.CompletionItemKind.Keyword,
    Kind.PARAMETER: types.CompletionItemKind.Property,
    Kind.MODULE: types.CompletionItemKind.Module,
    Kind.VARIABLE: types.CompletionItemKind.Variable,
    Kind.TRANSFORMATION: types.CompletionItemKind.Operator,
    Kind.ROUTE: types.CompletionItemKind.Reference,
    Kind.NAME: types.CompletionItemKind.Constant,
}
_PART_KINDS = {
    PartKind.ROUTE: types.SymbolKind.Function,
    PartKind.MODULE: types.SymbolKind.Module,
    PartKind.PARAMETER: types.SymbolKind.Property,
}


def to_range(places: Places, span: Span) -> types.Range:
    """A span as the protocol has it."""
    return types.Range(*(types.Position(*places.place(offset)) for offset in span))


def to_diagnostic(places: Places, diagnostic: Diagnostic) -> types.Diagnostic:
    """A mistake, with what to do about it."""
    text = "\n".join(filter(None, (diagnostic.message, diagnostic.hint)))
    where = to_range(places, places.span(diagnostic.position))
    return types.Diagnostic(
        where, text, severity=_SEVERITIES[diagnostic.severity], code=diagnostic.code, source=SOURCE
    )


def left_out(places: Places, position: Position) -> types.Diagnostic:
    """What `#!ifdef` leaves out: editors show it faded."""
    return types.Diagnostic(
        to_range(places, places.span(position)),
        "left out by #!ifdef",
        severity=types.DiagnosticSeverity.Hint,
        source=SOURCE,
        tags=[types.DiagnosticTag.Unnecessary],
    )


def diagnostics_of(analysis: Analysis, file: str, encoding: str) -> list[types.Diagnostic]:
    """All that there is to say about one file of a script."""
    places = Places(analysis.sources.get(file, ""), encoding)
    found = [to_diagnostic(places, item) for item in analysis.found if item.position.file == file]
    parsed = analysis.examined.parsed
    if parsed.sources.get(file) == analysis.sources.get(file):  # else it is that of an earlier text
        found += [left_out(places, position) for position in parsed.left_out if position.file == file]
    return found


def to_completion(places: Places, offset: int, completion: Completion) -> types.CompletionList:
    """What can be written at an offset."""
    where = to_range(places, (completion.start, offset))
    return types.CompletionList(False, [_item(places, where, item) for item in completion.items])


def _item(places: Places, where: types.Range, item: Item) -> types.CompletionItem:
    more = item.line and [types.TextEdit(to_range(places, (item.line.offset,) * 2), item.line.text)]
    return types.CompletionItem(
        item.label,
        kind=_ITEM_KINDS[item.kind],
        detail=item.detail or None,
        documentation=types.MarkupContent(types.MarkupKind.Markdown, item.doc) if item.doc else None,
        text_edit=types.TextEdit(where, item.label),
        additional_text_edits=more or None,
    )


def to_hover(places: Places, span: Span, text: str) -> types.Hover:
    """What is shown about a span."""
    return types.Hover(types.MarkupContent(types.MarkupKind.Markdown, text), to_range(places, span))


def to_symbols(places: Places, parts: Iterable[Part]) -> list[types.DocumentSymbol]:
    """The parts of a script."""
    found = []
    for part in parts:
        where = to_range(places, places.span(part.position))
        symbol = types.DocumentSymbol(part.name, _PART_KINDS[part.kind], where, where, part.detail or None)
        found.append(symbol)
    return found


def to_edit(places: Places, occurrence: Occurrence, text: str) -> types.TextEdit:
    """Another name at one place."""
    return types.TextEdit(to_range(places, (occurrence.start, occurrence.end)), text)
