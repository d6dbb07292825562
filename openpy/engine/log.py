"""The server's log: classic lines or JSON, by level, to stderr or syslog.

Levels are 1.3's: -3 alert, -2 critical, -1 error, 1 warning, 2 notice, 3 info, 4 debug; a line is
written if its level is at most the `debug` parameter.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys
import time
from collections.abc import Callable

ALERT, CRITICAL, ERROR, WARNING, NOTICE, INFO, DEBUG = -3, -2, -1, 1, 2, 3, 4

LABELS = {
    ALERT: "ALERT",
    CRITICAL: "CRITICAL",
    ERROR: "ERROR",
    WARNING: "WARNING",
    NOTICE: "NOTICE",
    INFO: "INFO",
    DEBUG: "DBG",
}

Sink = Callable[[int, str], None]
"""sink(level, line): writes one finished line, without line end."""


def to_stderr(level: int, line: str) -> None:
    """Write a line to stderr, whatever bytes it holds. Blocks while stderr does: a running server has a LogBuffer.

    One that cannot be written (a full disk, a closed pipe) is lost: no request shall fail for it.
    """
    with contextlib.suppress(OSError):
        os.write(sys.stderr.fileno(), line.encode("utf-8", "surrogateescape") + b"\n")


class Log:
    """Writes what is at most `level`. Guard costly texts with `log.wants(level)`."""

    __slots__ = ("json_lines", "level", "on_terminal", "sink")

    def __init__(self, level: int = NOTICE, sink: Sink = to_stderr, *, json_lines: bool = False) -> None:
        self.level = level
        self.sink = sink
        self.json_lines = json_lines
        self.on_terminal = False
        """Whether somebody reads the lines on a terminal, which shows colours."""

    def wants(self, level: int) -> bool:
        """Whether a line of that level would be written."""
        return level <= self.level

    def write(self, level: int, origin: str, text: str) -> None:
        """Write one event; `origin` is the module (or "core") that speaks."""
        if level <= self.level:
            self.sink(level, self.line(level, origin, text.rstrip("\n")))

    def error(self, origin: str, text: str) -> None:
        """Write an error."""
        self.write(ERROR, origin, text)

    def warning(self, origin: str, text: str) -> None:
        """Write a warning."""
        self.write(WARNING, origin, text)

    def notice(self, origin: str, text: str) -> None:
        """Write a notice."""
        self.write(NOTICE, origin, text)

    def info(self, origin: str, text: str) -> None:
        """Write a piece of information."""
        self.write(INFO, origin, text)

    def line(self, level: int, origin: str, text: str) -> str:
        """The line of one event, as it is written now."""
        now = time.time()
        if self.json_lines:
            fields = {"time": round(now, 3), "level": LABELS[level].lower(), "module": origin, "text": text}
            return json.dumps(fields, ensure_ascii=True)
        stamp = time.strftime("%b %d %H:%M:%S", time.localtime(now))
        return f"{stamp} [{os.getpid()}] {LABELS[level]}:{origin}: {text}"


class LibraryLog(logging.Handler):
    """Passes on what the packages say that know nothing of this server (openpy.db) and use Python's logging."""

    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        level = ERROR if record.levelno >= logging.ERROR else WARNING
        text = record.getMessage()
        if record.exc_info:
            text += "\n" + self._traceback(record)
        self._log.write(level if record.levelno >= logging.WARNING else INFO, record.name, text)

    @staticmethod
    def _traceback(record: logging.LogRecord) -> str:
        return logging.Formatter().formatException(record.exc_info) if record.exc_info else ""
