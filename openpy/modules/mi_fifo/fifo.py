"""The FIFO that requests are written to: made, read and removed.

Rules:
1. Whatever stands at its path is unlinked first, as 1.3 does. It is ours alone until owner and permissions are set.
2. We hold its writing side too, so that it does not end when a writer closes it.
3. It is removed only as long as it is the one that we made: another server may have put its own there.
"""

from __future__ import annotations

import os
import stat

from openpy.engine.fileaccess import Access, remove_old, remove_own
from openpy.engine.module import ModuleError

CHUNK = 65536


def is_read(path: str) -> bool:
    """Whether somebody reads a FIFO at a path; one that a killed server left has no reader."""
    try:
        if not stat.S_ISFIFO(os.lstat(path).st_mode):
            return False
        os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC))
    except OSError:
        return False
    return True


class CommandFifo:
    """The FIFO at a path, open from `open` to `close`."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.descriptor = -1

    def open(self, access: Access) -> None:
        """Make it and open it; raises ModuleError."""
        remove_old(self.path)
        try:
            os.mkfifo(self.path, 0o600)
            self.descriptor = os.open(self.path, os.O_RDWR | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
            if (access.user, access.group) != (-1, -1):
                os.fchown(self.descriptor, access.user, access.group)
            os.fchmod(self.descriptor, access.mode)
        except OSError as error:
            self.close()
            raise ModuleError(f"mi_fifo: cannot make the FIFO {self.path}: {error.strerror}") from None

    def read(self) -> bytes:
        """What was written and not read yet, 64 KiB at most."""
        try:
            return os.read(self.descriptor, CHUNK)
        except BlockingIOError:
            return b""

    def close(self) -> None:
        """Close it and remove its file."""
        if self.descriptor >= 0:
            remove_own(self.path, os.fstat(self.descriptor))
            os.close(self.descriptor)
            self.descriptor = -1
