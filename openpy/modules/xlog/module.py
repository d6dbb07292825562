"""xlog: log lines with pseudo-variables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from openpy.engine import log
from openpy.engine.checks import positive, switch
from openpy.engine.module import (
    ALL_ROUTES,
    ArgumentError,
    Effect,
    Format,
    Index,
    Inner,
    Module,
    Param,
    PseudoVariableKind,
    pseudo_variable,
    script_function,
)
from openpy.engine.run import Run

LEVELS = {
    "A": log.ALERT,
    "C": log.CRITICAL,
    "E": log.ERROR,
    "W": log.WARNING,
    "N": log.NOTICE,
    "I": log.INFO,
    "D": log.DEBUG,
}
COLOURS = {letter: number for number, letter in enumerate("srgybpcw")} | {"x": 9}


@dataclass(frozen=True, slots=True)
class LevelKind:
    """`L_ERR` ...: the third character decides. As later servers have it, also a number or a pseudo-variable."""

    description: str = "a log level such as L_INFO"

    def convert(self, text: str, environment: Any) -> int | Callable[[Run], Any]:
        """Convert to the level, or to what reads the word for it from a run; raises ArgumentError."""
        if text.startswith("$"):
            return PseudoVariableKind().convert(text, environment)
        level = _level(text)
        if level is None:
            reason = "wrong" if len(text) < 3 else "unknown"
            hint = "write L_ALERT, L_CRIT, L_ERR, L_WARN, L_NOTICE, L_INFO or L_DBG"
            raise ArgumentError(f'{reason} log level "{text}"', hint)
        return level


Level = Annotated[Any, LevelKind()]


class Xlog(Module):
    """Writes lines into the log, with values of the message: `xlog`, `xdbg` and the colours of `$C`.

        xlog("$rm of $fu to $ru from $si:$sp\\n");
        xlog("L_WARN", "no route to $rd\\n");

    A text whose level the log does not show (core parameter `debug`) is not made at all.
    """

    name = "xlog"
    can_join = True

    buf_size = Param(
        int, 4096, "Longest text in characters; a longer one makes the call fail", reload=True, check=positive
    )
    force_color = Param(int, 0, "1: colours also where no terminal shows the log", reload=True, check=switch)

    @script_function(routes=ALL_ROUTES, effect=Effect.NONE)
    def xlog(self, run: Run, text: Format) -> int:
        """Log a text at L_ERR: 1; -1 if it is too long."""
        return self._write(run, log.ERROR, text)

    @script_function(routes=ALL_ROUTES, name="xlog", effect=Effect.NONE)
    def xlog_at_level(self, run: Run, level: Level, text: Format) -> int:
        """Log a text at a level: 1; -1 if it is too long, or a pseudo-variable holds no level."""
        if type(level) is not int:
            level = _level(level(run))
        return -1 if level is None else self._write(run, level, text)

    @script_function(routes=ALL_ROUTES, effect=Effect.NONE)
    def xdbg(self, run: Run, text: Format) -> int:
        """Log a text at L_DBG: 1; -1 if it is too long."""
        return self._write(run, log.DEBUG, text)

    @pseudo_variable("C", takes_inner=True)
    def colour(self, inner: Inner, index: Index) -> Any:
        """`$C(xy)`: foreground x, background y; x default, s black, r g y b p c w; a capital is bold; for terminals."""
        letters = inner if isinstance(inner, str) else ""
        if len(letters) != 2 or letters[0].lower() not in COLOURS or letters[1] not in COLOURS:
            raise ArgumentError(f'bad colour "{letters}": two letters of xsrgybpcw')
        bold = int(letters[0].isupper())
        code = f"\x1b[{bold};3{COLOURS[letters[0].lower()]};4{COLOURS[letters[1]]}m"
        return lambda run: code if self.force_color or self.services.log.on_terminal else ""

    def _write(self, run: Run, level: int, text: Any) -> int:
        if not self.services.log.wants(level):
            return 1
        line = text(run)
        if len(line) > self.buf_size:
            return -1
        self.services.log.write(level, "script", line)
        return 1


def _level(word: object) -> int | None:
    """The level that a word means: `L_INFO` by its third character, `3` by its number; None: it means none."""
    text = str(word)
    if len(text) >= 3:
        return LEVELS.get(text[2])
    number = int(text) if text.removeprefix("-").isdecimal() else 0
    return number if number in log.LABELS else None
