"""All that is known of a script as it stands in an editor: what `openpy -c` says, and what it was said from.

Rules:
1. Modules are made and configured, and never started: nothing is opened. What lies under `mpath` is imported, as `-c`
   does.
2. Texts come from `read`, so what is not saved yet counts.
3. A script that cannot be read to its end keeps what was known of it before.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from openpy.editor.names import Name, defined
from openpy.engine.config import CoreConfig
from openpy.engine.loader import Examined, examine
from openpy.engine.log import Log
from openpy.engine.server import Server
from openpy.script.diagnostics import Diagnostic, ScriptError
from openpy.script.preprocessor import Read, decode

MOST_NAMED = 100_000
"""Characters of a text that cannot be read which are looked through for names."""

_NOT_LOADING = re.compile(
    r"^(?![ \t]*(?:loadmodule|mpath|loadpath)\b[^\n\"']*[\"'][^\n]*[\"']).*$", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Analysis:
    """One script with the texts of all its files, by name; `found` is what is wrong with it, `names` what it names."""

    file: str
    sources: dict[str, str]
    found: tuple[Diagnostic, ...]
    examined: Examined
    names: frozenset[Name]


def analyse(file: str, read: Read, before: Analysis | None = None) -> Analysis:
    """Check a script. Raises OSError if it is not there."""
    try:
        examined = _examined(file, read)
        sources = examined.parsed.sources
        return Analysis(file, sources, tuple(examined.found), examined, defined(sources))
    except ScriptError as error:
        text = decode(read(file))
        examined = before.examined if before else _examined_without_rest(file, text)
        sources = {**(before.sources if before else {}), file: text}
        names = before.names if before else defined({file: text[:MOST_NAMED]})
        return Analysis(file, sources, error.diagnostics, examined, names)


def _examined(file: str, read: Read) -> Examined:
    server = Server(CoreConfig(), log=Log(sink=_say_nothing), allow_exec=True)
    return examine(file, server, server.config, server.modules, read=read)


def _examined_without_rest(file: str, text: str) -> Examined:
    """What the modules that a script loads say, if nothing else of it can be used."""
    lines = _NOT_LOADING.sub("", text)
    try:
        return _examined(file, lambda path: lines.encode("utf-8", "surrogateescape"))
    except ScriptError:
        return _examined(file, lambda path: b"")


def _say_nothing(level: int, line: str) -> None:
    pass
