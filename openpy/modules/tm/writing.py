"""Texts that go to an application outside, by a FIFO or a socket in the file system.

These functions block, within bounds: they run in a thread. They write into what is there and nothing else.
"""

from __future__ import annotations

import errno
import os
import socket
import stat

from openpy.engine.pipes import write_within


class NotWritten(Exception):
    """Nobody took it; says why."""


def write_fifo(path: str, text: str, seconds: float) -> None:
    """Write into a FIFO that somebody reads; raises NotWritten."""
    try:
        if not stat.S_ISFIFO(os.stat(path).st_mode):
            raise NotWritten(f"{path} is not a FIFO")
        descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        why = "nobody reads it" if error.errno == errno.ENXIO else error.strerror
        raise NotWritten(f"{path}: {why}") from None
    try:
        write_within(descriptor, text, seconds)
    except TimeoutError:
        raise NotWritten(f"{path}: who reads it does not read on") from None
    except OSError as error:
        raise NotWritten(f"{path}: {error.strerror}") from None


def write_unix(path: str, text: str, seconds: float) -> None:
    """Send it as one datagram to a socket in the file system; raises NotWritten."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.settimeout(seconds)
        try:
            sender.sendto(text.encode("utf-8", "surrogateescape"), path)
        except OSError as error:
            raise NotWritten(f"{path}: {error.strerror or error}") from None
