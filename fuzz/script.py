"""A script gives diagnostics that can be shown, or a program; nothing else, whatever its bytes."""

from __future__ import annotations

from pathlib import Path
from tempfile import NamedTemporaryFile

from openpy.engine.config import CoreConfig
from openpy.engine.log import Log
from openpy.engine.server import Server
from openpy.script.diagnostics import ScriptError, render

MPATH = b"mpath"
"""A script with it may name a Python file, which is run."""


def check(data: bytes) -> None:
    """Load a script."""
    if MPATH in data:
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
