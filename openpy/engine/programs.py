"""Programs of others, run beside the loop: what they get, what bounds them, and how they end.

Rules:
1. A program is a command for /bin/sh in a session of its own. What does not stand in the script comes to it by
   environment and standard input only, which a shell never reads as a command.
2. It is bounded in time and in output. One that exceeds a bound is killed, with all that it started.
3. Who waits is told once: when the program has exited and its output has come to an end, or when it is killed. What it
   leaves running in the background is its own business, unless that holds its output open: then it counts.
4. At a stop of the server all of them are killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from openpy.engine.waiting import Wait

SHELL = "/bin/sh"
INPUT, OUTPUT, COMPLAINT = 0, 1, 2

ROOM_FOR_COMPLAINT = 1024
"""Octets of standard error that are kept: enough to say what went wrong."""


PATIENCE = 1.0
"""Seconds that a stop waits for what it has killed."""

GRACE = 0.05
"""Seconds that standard error is read after the exit: what goes on in the background may hold it open for ever."""


@dataclass(frozen=True, slots=True)
class Program:
    """What to run. `environment` comes on top of the server's own."""

    command: str
    environment: Mapping[str, str]
    input: bytes | None = None
    room: int = 0  # octets of output that are read; 0: the output goes nowhere
    seconds: float = 0.0  # that it may take; 0: any time


class Fate(Enum):
    """How a program ended; the value is the sentence's rest."""

    EXITED = "exited"
    TOO_SLOW = "took too long and was killed"
    TOO_MUCH = "wrote too much and was killed"


@dataclass(frozen=True, slots=True)
class Ended:
    """What is left of a program: `status` is its exit status, or -n where signal n killed it."""

    fate: Fate
    status: int
    output: bytes
    complaint: bytes

    @property
    def succeeded(self) -> bool:
        """Whether it came to its own end with status 0."""
        return self.fate is Fate.EXITED and self.status == 0


class Programs:
    """Those that run now."""

    def __init__(self, burst_ended: Callable[[], None] = lambda: None) -> None:
        """`burst_ended` is called after somebody was told of an end."""
        self._burst_ended = burst_ended
        self._running: set[_Running] = set()
        self._starting: set[asyncio.Task[None]] = set()

    def run(self, loop: asyncio.AbstractEventLoop, program: Program) -> Wait[Ended]:
        """Start a program; the wait fails with OSError where that is not possible."""
        running = _Running(program, self._burst_ended)
        self._running.add(running)
        running.ended.on_done(lambda: self._running.discard(running))
        starting = loop.create_task(running.start(loop))
        self._starting.add(starting)
        starting.add_done_callback(self._starting.discard)
        return running.told

    async def stop(self) -> None:
        """Kill all of them, and wait until they are gone; nobody is told."""
        for running in self._running:
            running.abandon()
        loop = asyncio.get_running_loop()
        end = loop.time() + PATIENCE
        while self._running and loop.time() < end:
            await asyncio.sleep(GRACE / 10)
        for running in list(self._running):
            running.close()


class _Running(asyncio.SubprocessProtocol):
    """One program that runs."""

    def __init__(self, program: Program, burst_ended: Callable[[], None]) -> None:
        self._burst_ended = burst_ended
        self.ended: Wait[None] = Wait()
        self.told: Wait[Ended] = Wait()
        self._program = program
        self._fate = Fate.EXITED
        self._output = bytearray()
        self._complaint = bytearray()
        self._open = {OUTPUT, COMPLAINT} if program.room else {COMPLAINT}
        self._has_exited = False
        self._is_abandoned = False
        self._transport: asyncio.SubprocessTransport | None = None
        self._limit: asyncio.TimerHandle | None = None

    async def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start the process and hand over its input."""
        program = self._program
        if self._is_abandoned:
            self.close()
            return
        if program.seconds > 0:
            self._limit = loop.call_later(program.seconds, self._exceed, Fate.TOO_SLOW)
        try:
            await loop.subprocess_exec(
                lambda: self,
                *(SHELL, "-c", program.command),
                stdin=asyncio.subprocess.DEVNULL if program.input is None else asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE if program.room else asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                env={**os.environ, **program.environment},
                start_new_session=True,
            )
        except (OSError, ValueError) as error:  # no shell, no room; a NUL in the environment
            self.close()
            self.told.fail(error)
            self._burst_ended()

    # --- what asyncio tells ---------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The process runs."""
        assert isinstance(transport, asyncio.SubprocessTransport)
        self._transport = transport
        if self._fate is not Fate.EXITED or self._is_abandoned:
            self.kill()
        if self._program.input is not None:
            pipe: Any = transport.get_pipe_transport(INPUT)
            pipe.write(self._program.input)
            pipe.close()

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Keep what there is room for."""
        if fd == COMPLAINT:
            self._complaint += data[: ROOM_FOR_COMPLAINT - len(self._complaint)]
            return
        self._output += data[: self._program.room - len(self._output) + 1]
        if len(self._output) > self._program.room:
            self._exceed(Fate.TOO_MUCH)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        """A pipe is at its end."""
        self._open.discard(fd)
        self._look()

    def process_exited(self) -> None:
        """The shell has exited; what it started may go on."""
        self._has_exited = True
        asyncio.get_running_loop().call_later(GRACE, self.pipe_connection_lost, COMPLAINT, None)
        self._look()

    # --- the end --------------------------------------------------------------------------------------------

    def _exceed(self, fate: Fate) -> None:
        if self._fate is Fate.EXITED:
            self._fate = fate
            self.kill()
            self._look()

    def _look(self) -> None:
        """Tell how it ended, if it has: what was killed is not waited for beyond its own exit."""
        transport = self._transport
        if transport is None or not self._has_exited or self.ended.done:
            return
        if self._is_abandoned:
            self.close()
            return
        if self._open and self._fate is Fate.EXITED:
            return
        status = transport.get_returncode() or 0
        output = bytes(self._output[: self._program.room])
        self.close()
        self.told.resolve(Ended(self._fate, status, output, bytes(self._complaint)))
        self._burst_ended()

    def abandon(self) -> None:
        """Kill it, and tell nobody."""
        self._is_abandoned = True
        self.kill()

    def kill(self) -> None:
        """Kill the process and all of its group, if there is one left."""
        if self._transport is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._transport.get_pid(), signal.SIGKILL)

    def close(self) -> None:
        """Let go of timer and pipes."""
        if self._limit is not None:
            self._limit.cancel()
        if self._transport is not None:
            self._transport.close()
        self.ended.resolve(None)
