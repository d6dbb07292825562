"""What stands between the server and the target of its log: nobody waits for a terminal, a pipe or a disk.

Rules:
1. Writing a line means to append it. One thread of its own passes the lines on, in their order, and may be blocked by
   the target as long as that likes.
2. What waits is bounded in octets. A line that does not fit is lost and counted, and so is each that comes after it,
   until all that waited has been written. Then how many were lost is written, in their place.
3. A line that the target refuses is lost and counted, and that is all: a word about it would be refused as well.
4. `close` waits for what was taken, but not for long. The thread ends with the process, whatever it waits for.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from openpy.engine.log import WARNING, Sink
from openpy.engine.module import Count

ROOM = 1 << 20
"""Octets that may wait."""

OVERHEAD = 100
"""Octets that a line takes besides its text."""

PATIENCE = 1.0
"""Seconds that `close` waits for the target."""


class LogBuffer:
    """A sink that never blocks, in front of one that may."""

    def __init__(self, sink: Sink, lost: Count, note: Callable[[str], str], room: int = ROOM) -> None:
        """`lost` counts the lines that did not fit; `note(text)` makes a line of what is to be said about them."""
        self._sink = sink
        self._lost = lost
        self._note = note
        self._room = room
        self._lines: deque[tuple[int, str]] = deque()
        self._octets = 0
        self._missing = 0
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="openpy-log", daemon=True)
        self._thread.start()

    def __call__(self, level: int, line: str) -> None:
        """Take a line, from any thread."""
        size = len(line) + OVERHEAD
        with self._changed:
            if self._missing or self._octets + size > self._room:
                self._missing += 1
                self._lost.value += 1
                return
            self._octets += size
            self._lines.append((level, line))
            if len(self._lines) == 1:
                self._changed.notify()

    def close(self, patience: float = PATIENCE) -> None:
        """Take no part any more: wait so many seconds for what was taken, and for the word about what was lost."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join(patience)

    def _run(self) -> None:
        while (entry := self._next()) is not None:
            level, line = entry
            try:
                self._sink(level, line)
                refused = 0
            except Exception:  # noqa: BLE001 - there is nowhere else to say it; the next line may pass
                refused = 1
            with self._changed:
                self._octets -= len(line) + OVERHEAD
                self._lost.value += refused

    def _next(self) -> tuple[int, str] | None:
        """The line whose turn it is; waits for one. None: there will be no more."""
        with self._changed:
            while not self._lines:
                if self._missing:
                    line = self._note(
                        f"{self._missing} lines of this log were lost: it takes less than is written"
                    )
                    self._missing = 0
                    self._octets += len(line) + OVERHEAD
                    return WARNING, line
                if self._closed:
                    return None
                self._changed.wait()
            return self._lines.popleft()
