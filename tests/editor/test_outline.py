"""The parts of a script."""

from __future__ import annotations

from openpy.editor.outline import Part, PartKind, outline
from openpy.script.parser import parse
from tests.editor.conftest import SCRIPT


def test_all_parts_of_one_file() -> None:
    text = f'{SCRIPT}include_file "more.cfg"\nerror_route {{ }}\n'
    script = parse(text, "test.cfg", lambda path: b"route[INNER] { }").script
    parts = outline(script, "test.cfg")
    assert [(part.kind, part.name, part.detail) for part in parts] == [
        (PartKind.PARAMETER, "avp_aliases", ""),
        (PartKind.PARAMETER, "debug", ""),
        (PartKind.MODULE, "sl.so", "loadmodule"),
        (PartKind.MODULE, "tm.so", "loadmodule"),
        (PartKind.MODULE, "xlog.so", "loadmodule"),
        (PartKind.PARAMETER, "tm: fr_timer", "modparam"),
        (PartKind.ROUTE, "route", ""),
        (PartKind.ROUTE, "route[RELAY]", ""),
        (PartKind.ROUTE, "failure_route[BUSY]", ""),
        (PartKind.ROUTE, "error_route", ""),
    ]
    assert parts[6].position.line == 9
    assert outline(script, "more.cfg") == [
        Part(PartKind.ROUTE, "route[INNER]", "", outline(script, "more.cfg")[0].position)
    ]
