"""What happened in a test of a script, in order: messages, log lines, routes and calls; and how that is printed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from openpy.engine.log import LABELS, Log
from openpy.sip.message import Request, Response

LONGEST = 110
"""Characters of a line; a traceback keeps its lines."""


@dataclass(frozen=True)
class LogLine:
    """One line of the log. `level` is 1.3's number (-1 error ... 4 debug), `origin` the module, core or script."""

    level: int
    origin: str
    text: str
    at: float = field(compare=False, default=0.0)
    """Seconds since the start."""

    def __str__(self) -> str:
        return f"{LABELS[self.level]}:{self.origin}: {self.text}"


class Record:
    """Everything that happened, a line each; `now()` is in seconds since the start."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self.log: list[LogLine] = []
        self._lines: list[str] = []

    def __str__(self) -> str:
        return "\n".join(self._lines)

    def came(self, message: str, source: str) -> None:
        """A message was handed in."""
        self._say(f"--> {message}", f"from {source}")

    def went(self, message: str, target: str) -> None:
        """A message was sent."""
        self._say(f"<-- {message}", f"to {target}")

    def noted(self, text: str) -> None:
        """A route was entered, a function was called."""
        self._say(f"    {text}")

    def said(self, level: int, origin: str, text: str) -> None:
        """A line was logged."""
        line = LogLine(level, origin, text, self.now())
        self.log.append(line)
        for part in str(line).split("\n"):
            self._say(f"    {part}")

    def _say(self, text: str, more: str = "") -> None:
        line = text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
        self._lines.append(f"{self.now():9.3f} {line}{'  ' * bool(more)}{more}")


class RecordedLog(Log):
    """The log of a server, kept instead of written."""

    def __init__(self, record: Record) -> None:
        super().__init__()
        self._record = record

    def write(self, level: int, origin: str, text: str) -> None:
        """Keep one event."""
        if level <= self.level:
            self._record.said(level, origin, text.rstrip("\n"))


def short(message: Request | Response) -> str:
    """A message in one line."""
    if isinstance(message, Response):
        return f"{message.status} {message.reason} ({message.get('CSeq')})"
    parts = [message.method, message.uri]
    parts += [f"{name}: {message.get(name)}" for name in ("Event", "Subscription-State") if message.has(name)]
    return " ".join(parts)
