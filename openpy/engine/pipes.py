"""Writing into a FIFO or pipe that somebody reads: blocks, within bounds, and so belongs into a thread."""

from __future__ import annotations

import os
import select
import time


def write_within(descriptor: int, text: str, seconds: float) -> None:
    """Write all of a text and close the descriptor, which does not block.

    Raises TimeoutError if the reader does not read on, or another OSError where it is gone.
    """
    rest = memoryview(text.encode("utf-8", "surrogateescape"))
    deadline = time.monotonic() + seconds
    writable = select.poll()
    writable.register(descriptor, select.POLLOUT)
    try:
        while rest:
            if not writable.poll(max(0.0, deadline - time.monotonic()) * 1000):
                raise TimeoutError("the reader does not read on")
            rest = rest[os.write(descriptor, rest) :]
    finally:
        os.close(descriptor)
