"""Answers in the terms of the protocol."""

from __future__ import annotations

from lsprotocol import types

from openpy.editor import protocol
from openpy.editor.completion import Completion, Item, Kind, Line
from openpy.editor.names import NAME, Name, Occurrence
from openpy.editor.outline import Part, PartKind
from openpy.editor.places import Places
from openpy.script.diagnostics import error, warning
from openpy.script.rules.text import SKIPPED_CHARACTER, UNEXPECTED
from openpy.script.syntax import Position
from tests.editor.conftest import Analyse

PLACES = Places("é𝄞 abc\nxyz")
ABC = types.Range(types.Position(0, 4), types.Position(0, 7))


def test_mistakes() -> None:
    found = protocol.to_diagnostic(PLACES, error(UNEXPECTED, Position("t", 1, 4, 1, 7), "wrong", "mend it"))
    assert found == types.Diagnostic(
        ABC, "wrong\nmend it", severity=types.DiagnosticSeverity.Error, code="E101", source="openpy"
    )
    told = protocol.to_diagnostic(PLACES, warning(SKIPPED_CHARACTER, Position("t", 1, 4, 1, 7), "odd"))
    assert (told.message, told.severity) == ("odd", types.DiagnosticSeverity.Warning)


def test_what_is_left_out_is_faded(known: Analyse) -> None:
    analysis = known("#!ifdef NEVER\ndebug=3\n#!endif\nfoo=1\n")
    mistake, faded = protocol.diagnostics_of(analysis, "test.cfg", "utf-16")
    assert mistake.range.start.line == 3
    assert faded.tags == [types.DiagnosticTag.Unnecessary]
    assert faded.range == types.Range(types.Position(0, 13), types.Position(2, 0))
    assert protocol.diagnostics_of(analysis, "other.cfg", "utf-16") == []


def test_completion() -> None:
    items = [Item(Kind.FUNCTION, "abcd", "abcd(x)", "Does it.", Line(8, "load\n")), Item(Kind.ROUTE, "R")]
    found = protocol.to_completion(PLACES, 6, Completion(3, items))
    first, second = found.items
    assert first.text_edit == types.TextEdit(ABC, "abcd")
    assert first.additional_text_edits is not None
    assert first.additional_text_edits[0].range.start == types.Position(1, 1)
    assert (second.additional_text_edits, second.documentation, second.detail) == (None, None, None)
    assert set(Kind) == set(protocol._ITEM_KINDS)


def test_the_rest() -> None:
    assert protocol.to_hover(PLACES, (3, 6), "text").range == ABC
    (symbol,) = protocol.to_symbols(PLACES, [Part(PartKind.ROUTE, "route", "", Position("t", 1, 4, 1, 7))])
    assert (symbol.name, symbol.range, symbol.kind) == ("route", ABC, types.SymbolKind.Function)
    edit = protocol.to_edit(PLACES, Occurrence("t", 3, 6, Name(NAME, "abc")), "new")
    assert edit == types.TextEdit(ABC, "new")
