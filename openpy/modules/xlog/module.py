"""xlog: log lines with pseudo-variables."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Annotated, Any

from openpy.engine import log
from openpy.engine.module import (
    ALL_ROUTES,
    ArgumentError,
    Format,
    Index,
    Inner,
    Module,
    Param,
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
    """`L_ERR` ...: the third character decides."""

    description: str = "a log level such as L_INFO"

    def convert(self, text: str, environment: Any) -> int:
        """Convert; raises ArgumentError."""
        if len(text) < 3:
            raise ArgumentError(f'wrong log level "{text}"; write L_ERR, L_WARN, L_NOTICE, L_INFO or L_DBG')
        if text[2] not in LEVELS:
            raise ArgumentError(f'unknown log level "{text}"; write L_ERR, L_WARN, L_NOTICE, L_INFO or L_DBG')
        return LEVELS[text[2]]


Level = Annotated[int, LevelKind()]


class Xlog(Module):
    """`xlog`, `xdbg` and the colours of `$C`."""

    name = "xlog"

    buf_size = Param(int, 4096, "Longest text in characters; a longer one makes the call fail")
    force_color = Param(int, 0, "1: colours also where no terminal reads the log")

    @script_function(routes=ALL_ROUTES)
    def xlog(self, run: Run, text: Format) -> int:
        """Log a text at L_ERR."""
        return self._write(run, log.ERROR, text)

    @script_function(routes=ALL_ROUTES, name="xlog")
    def xlog_at_level(self, run: Run, level: Level, text: Format) -> int:
        """Log a text at a level."""
        return self._write(run, level, text)

    @script_function(routes=ALL_ROUTES)
    def xdbg(self, run: Run, text: Format) -> int:
        """Log a text at L_DBG."""
        return self._write(run, log.DEBUG, text)

    @pseudo_variable("C", takes_inner=True)
    def colour(self, inner: Inner, index: Index) -> Any:
        """`$C(xy)`: foreground x, background y; x default, s black, r g y b p c w; a capital is bold."""
        letters = inner if isinstance(inner, str) else ""
        if len(letters) != 2 or letters[0].lower() not in COLOURS or letters[1] not in COLOURS:
            raise ArgumentError(f'bad colour "{letters}": two letters of xsrgybpcw')
        bold = int(letters[0].isupper())
        code = f"\x1b[{bold};3{COLOURS[letters[0].lower()]};4{COLOURS[letters[1]]}m"
        return lambda run: code if self.force_color or sys.stderr.isatty() else ""

    def _write(self, run: Run, level: int, text: Any) -> int:
        if not self.services.log.wants(level):
            return 1
        line = text(run)
        if len(line) > self.buf_size:
            return -1
        self.services.log.write(level, "script", line)
        return 1
