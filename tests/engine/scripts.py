"""What is wrong with a script."""

from __future__ import annotations

from pathlib import Path

from openpy.engine.server import Server
from openpy.script.diagnostics import Diagnostic, ScriptError


def problems(folder: Path, script: str) -> list[Diagnostic]:
    path = folder / "test.cfg"
    path.write_text(script)
    try:
        loaded = Server().load(path)
    except ScriptError as error:
        return list(error.diagnostics)
    return list(loaded.warnings)


def only(folder: Path, script: str) -> Diagnostic:
    (found,) = problems(folder, script)
    return found
