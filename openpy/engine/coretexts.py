"""The core functions that write texts: to the log, and into pseudo-variables (openser 1.3 core, `action`)."""

from __future__ import annotations

from openpy.engine.corefunction import core_function
from openpy.engine.log import ALERT, DEBUG
from openpy.engine.parameters import AssignableKind, FormatKind, NumberKind, TextKind
from openpy.engine.run import Run
from openpy.script.environment import Function, Setter
from openpy.script.formats import FormatText


def log(run: Run, text: str) -> int:
    """Write plain text to the log at level 4 (debug)."""
    run.server.log.write(DEBUG, "script", text)
    return 1


def log_at_level(run: Run, level: int, text: str) -> int:
    """Write plain text to the log at a level."""
    run.server.log.write(level, "script", text)
    return 1


def error(run: Run, first: str, second: str) -> int:
    """Does nothing but to say so in the log: 1.3 never built it."""
    run.warn(f'error("{first}", "{second}") not implemented yet')
    return 1


def setdebug(run: Run, level: int | None = None) -> int:
    """Set the log level, or go back to that of the `debug` parameter."""
    configured = run.server.config.number("debug")
    run.server.log.level = configured if level is None else max(ALERT, min(DEBUG, level))
    return 1


def pv_printf(run: Run, assign: Setter, text: FormatText) -> int:
    """Format a text and assign it as `=` does; -1 where the pseudo-variable does not take it."""
    return 1 if assign(run, text(run), "=") else -1


TEXT_FUNCTIONS: tuple[Function, ...] = (
    core_function(
        log, TextKind(), overload=core_function(log_at_level, NumberKind(), TextKind(), name="log")
    ),
    core_function(error, TextKind(), TextKind()),
    core_function(setdebug, NumberKind(), optional=1),
    core_function(pv_printf, AssignableKind(), FormatKind()),
)
