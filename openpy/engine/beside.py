"""A script that is read, checked and compiled beside the server that runs, in a thread of its own.

Rules:
1. Nothing of the server changes. The modules that are made find each other, are checked, and never start.
2. The loop goes before: the thread rests often, so that messages get most of the time.
3. What is thrown away is taken apart first: objects in cycles would wait for the garbage collector, which is off.
"""

from __future__ import annotations

import copy
import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from openpy.engine.changes import Change, script_changes
from openpy.engine.config import CoreConfig
from openpy.engine.loader import Loaded, load
from openpy.engine.loading import Standing
from openpy.engine.module import Module
from openpy.script.diagnostics import Diagnostic, ScriptError, Severity, render
from openpy.script.parser import Definitions
from openpy.script.syntax import Script, TopLevel

if TYPE_CHECKING:
    from openpy.engine.server import Server

WORK, REST = 0.001, 0.002
"""Seconds: how long the thread works before it lets the loop go on, and for how long."""

LISTED = 20
"""Mistakes that are told at most."""


@dataclass(frozen=True, slots=True)
class Source:
    """What a script is read from, each time in the same way."""

    path: Path
    folder: str
    """The working directory when it was first read: a path without a slash is in there."""
    definitions: Definitions
    further: Sequence[TopLevel]
    config: CoreConfig
    """The core parameters before it is read: what the command line says."""

    @property
    def place(self) -> Path:
        """The path from here."""
        return self.path if os.getcwd() == self.folder else Path(self.folder, self.path)


@dataclass(slots=True)
class Prepared:
    """A script that may be put in force. `configured` are the modules that were checked, and only that."""

    loaded: Loaded
    configured: dict[str, Module]
    changes: list[Change]
    """What is different in its routes and lists."""

    def discard(self) -> None:
        """The modules that never started are needed no more."""
        _take_apart(self.configured)


@dataclass(frozen=True, slots=True)
class Unusable:
    """Why a script is not: in one line, and what is wrong with it."""

    reason: str
    found: tuple[str, ...] = ()


class Abandoned(Exception):
    """The server stops: nobody needs the rest of the work."""


class Breath:
    """To be called often: sleeps after each so much work. Raises Abandoned once `is_over()`.

    In virtual time work takes none, so nobody sleeps.
    """

    __slots__ = ("_clock", "_is_over", "_until")

    def __init__(self, clock: Callable[[], float], is_over: Callable[[], bool]) -> None:
        self._clock = clock
        self._is_over = is_over
        self._until = clock() + WORK

    def __call__(self) -> None:
        """Go on, or sleep first."""
        if self._clock() > self._until:
            if self._is_over():
                raise Abandoned
            time.sleep(REST)
            self._until = self._clock() + WORK


def prepare(server: Server, source: Source, old: Script) -> Prepared | Unusable:
    """Make a script ready for a server that runs an old one. Blocks; in any thread."""
    beside = copy.copy(server)
    beside.modules = {}
    rest = Breath(server.machine.threads.monotonic, lambda: server.dispatcher.draining)
    standing = Standing(server, dict(server.modules), server.dead_targets, rest)
    result: Prepared | Unusable
    loaded: Loaded | None = None
    try:
        loaded = load(
            source.place,
            beside,
            source.config.copy(),
            beside.modules,
            source.definitions,
            source.further,
            standing,
        )
        server.check_forced_sockets(loaded)
        for name in server.left_out:
            loaded.modules.pop(name, None)
            beside.modules.pop(name, None)
        result = Prepared(loaded, beside.modules, list(script_changes(old, loaded.script, rest)))
    except ScriptError as error:
        errors = sum(found.severity is Severity.ERROR for found in error.diagnostics)
        reason = f"{source.path} has {errors} error{'' if errors == 1 else 's'}"
        result = Unusable(reason, tuple(rendered(error.diagnostics)))
    except Abandoned:
        result = Unusable("the server stops")
    except OSError as error:
        result = Unusable(f"{error.filename or source.place}: {error.strerror}")
    except Exception as error:  # noqa: BLE001 - whatever a module of somebody's raises, the server goes on
        server.report(error)
        result = Unusable(f"{type(error).__name__}: {error}")
    if isinstance(result, Unusable):
        _take_apart(beside.modules)
        if loaded is not None:
            loaded.program.retire()
    return result


def rendered(diagnostics: Iterable[Diagnostic]) -> list[str]:
    """What was found, with the lines that it is about."""
    sources: dict[str, str] = {}
    lines: list[str] = []
    found = list(diagnostics)
    for diagnostic in found[:LISTED]:
        file = diagnostic.position.file
        if file not in sources:
            sources[file] = _text(file)
        lines += render(diagnostic, sources[file]).split("\n")
    if len(found) > LISTED:
        lines.append(f"... and {len(found) - LISTED} more")
    return lines


def _text(file: str) -> str:
    """The text of a script; what the command line defines has none."""
    try:
        return Path(file).read_bytes().decode("utf-8", "surrogateescape")
    except OSError:
        return ""


def _take_apart(modules: dict[str, Module]) -> None:
    for module in modules.values():
        vars(module).clear()
    modules.clear()
