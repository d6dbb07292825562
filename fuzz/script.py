"""A script gives diagnostics that can be shown, or a program; nothing else, whatever its bytes."""

from __future__ import annotations

from pathlib import Path
from tempfile import NamedTemporaryFile

from openpy.engine.config import CoreConfig
from openpy.engine.log import Log
from openpy.engine.server import Server
from openpy.script.diagnostics import Diagnostic, ScriptError, render
from openpy.script.parser import parse_leniently

OUTSIDE = (b"mpath", b"loadpath", b"include_file", b"import_file")
"""A script with one may name a Python file, which is run, or any file, which is read."""


def check(data: bytes) -> None:
    """Load a script."""
    for diagnostic in _with_files(data):
        assert render(diagnostic, data.decode("utf-8", "surrogateescape"))
    if any(word in data for word in OUTSIDE):
        return
    server = Server(CoreConfig(), log=Log(-9, lambda level, line: None))
    with NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        try:
            loaded = server.load(Path(file.name))
        except ScriptError as problem:
            found = tuple(problem.diagnostics)
            assert found
        else:
            assert loaded.program.routes is not None
            found = loaded.warnings
    source = data.decode("utf-8", "surrogateescape")
    for diagnostic in found:
        assert diagnostic.position.line >= 1
        assert render(diagnostic, source)


def _with_files(data: bytes) -> tuple[Diagnostic, ...]:
    """What is found in a script where each file that it includes is the script again, but for one that is not there."""

    def read(path: str) -> bytes:
        if path.endswith("absent"):
            raise FileNotFoundError(path)
        return data

    try:
        return parse_leniently(data, "t.cfg", read, [("DEFINED", "1")]).found
    except ScriptError as problem:
        return problem.diagnostics
