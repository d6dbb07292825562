"""Writing a reply into the FIFO of the one who asked. These functions block, within bounds: they run in a thread.

Rules:
1. A reply goes to a FIFO and nothing else: no symbolic link, no second name, and still the same file once it is open.
   Who may write requests cannot make the server write elsewhere.
2. Nobody is waited for without end: 320 ms for a reader to come, 5 s until it has read all.
"""

from __future__ import annotations

import errno
import os
import stat
import time

from openpy.engine.pipes import write_within

ATTEMPTS = 5
PAUSE = 0.08  # seconds between attempts
PATIENCE = 5.0  # seconds for a reply to be read

LONGEST_PATH = 127  # bytes


class NoReply(Exception):
    """The reply cannot be written; says why."""


def reply_path(folder: str, name: str) -> str:
    """The path of a reply FIFO, `folder` being put in front of `name` as it is; raises NoReply."""
    if not name:
        raise NoReply("the request names no reply file")
    if any(character in name for character in "./\\\0"):
        raise NoReply("the name of the reply file holds one of . / \\")
    path = folder + name
    if len(os.fsencode(path)) > LONGEST_PATH:
        raise NoReply("the name of the reply file is too long")
    return path


def open_reply(path: str) -> int:
    """Open a reply FIFO for writing, waiting for its reader; returns the descriptor. Raises NoReply."""
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(PAUSE)
        try:
            found = os.lstat(path)
            if not stat.S_ISFIFO(found.st_mode):
                raise NoReply(f"{path} is not a FIFO")
            descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError as error:
            if error.errno == errno.ENXIO:
                continue  # nobody reads yet
            raise NoReply(f"{path}: {error.strerror}") from None
        opened = os.fstat(descriptor)
        if os.path.samestat(found, opened) and opened.st_nlink == 1:
            return descriptor
        os.close(descriptor)
        raise NoReply(f"{path} is not what it was, or has another name")
    raise NoReply(f"{path}: nobody reads it")


def write_reply(descriptor: int, text: str) -> None:
    """Write a reply and close; raises NoReply if the reader goes or is too slow."""
    try:
        write_within(descriptor, text, PATIENCE)
    except TimeoutError as error:
        raise NoReply(str(error)) from None
    except OSError as error:
        raise NoReply(f"the reader is gone: {error.strerror}") from None
