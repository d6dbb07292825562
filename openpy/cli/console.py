"""What the client commands share as programs: exit statuses, lines out, signals."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from enum import IntEnum


class ExitStatus(IntEnum):
    """What the shell is told."""

    DONE = 0
    REFUSED = 1
    USAGE = 2
    NO_ANSWER = 3


def show(line: str) -> bool:
    """Print a line of output; False once nobody reads any more."""
    return write(printable(line))


def write(text: str) -> bool:
    """Print text of our own, with its lines and colours; False once nobody reads any more."""
    encoding = sys.stdout.encoding
    try:
        print(text.encode(encoding, "backslashreplace").decode(encoding), flush=True)
    except BrokenPipeError:
        # What is buffered must go somewhere, or Python complains when it exits.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
        return False
    return True


def complain(line: str) -> None:
    """Print a line about what went wrong."""
    print(f"openpyctl: {printable(line)}", file=sys.stderr, flush=True)


def printable(text: str) -> str:
    """What others wrote, on one line and without what would move the cursor of our terminal."""
    return "".join(character if character.isprintable() else " " for character in text)


def set_on_signal(stopped: asyncio.Event) -> None:
    """Set `stopped` on Ctrl-C and on SIGTERM, from now on."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)


async def first_set(*events: asyncio.Event, timeout: float | None = None) -> bool:
    """Wait until one of `events` is set; False if none is within `timeout` seconds."""
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        done, _ = await asyncio.wait(waits, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        return bool(done)
    finally:
        for wait in waits:
            wait.cancel()
