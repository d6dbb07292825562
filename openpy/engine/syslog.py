"""Log lines to the system's log (RFC 3164 form, over /dev/log)."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from openpy.engine import log
from openpy.engine.log import to_stderr

DEVICE = Path("/dev/log")

SEVERITIES = {
    log.ALERT: 1,
    log.CRITICAL: 2,
    log.ERROR: 3,
    log.WARNING: 4,
    log.NOTICE: 5,
    log.INFO: 6,
    log.DEBUG: 7,
}

PATIENCE = 1.0
"""Seconds that a log which is full is waited for."""


class SystemLog:
    """A sink for the system's log, of classic lines and of JSON.

    A line that the log does not take in time goes to stderr instead.
    """

    def __init__(self, facility: int, tag: str, device: Path) -> None:
        """Connect; raises OSError where there is no log."""
        self._facility = facility
        self._tag = tag
        self._device = str(device)
        self._wire = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._wire.settimeout(PATIENCE)
        try:
            self._wire.connect(self._device)
        except OSError:
            self._wire.close()
            raise

    def __call__(self, level: int, line: str) -> None:
        """Write one line; its own time stamp is left to the system's log."""
        text = line if line.startswith("{") else line.partition("] ")[2] or line
        priority = self._facility * 8 + SEVERITIES.get(level, 7)
        data = f"<{priority}>{self._tag}[{os.getpid()}]: {text}".encode("utf-8", "surrogateescape")
        try:
            self._send(data)
        except OSError:
            to_stderr(level, line)

    def _send(self, data: bytes) -> None:
        """Over the connection, which also serves where a `chroot` hides the device; anew if the log was restarted."""
        try:
            self._wire.send(data)
        except TimeoutError:
            raise
        except OSError:
            self._wire.connect(self._device)
            self._wire.send(data)

    def close(self) -> None:
        """Close the connection."""
        self._wire.close()


def open_syslog(facility: int, tag: str, device: Path = DEVICE) -> SystemLog | None:
    """A sink for the system's log; None where there is none."""
    try:
        return SystemLog(facility, tag, device)
    except OSError:
        return None
