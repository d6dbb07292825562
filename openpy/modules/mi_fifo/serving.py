"""From a request on the FIFO to the reply in another.

Rules:
1. Requests are answered in the order of their coming, one at a time, as in 1.3: the reply's FIFO is opened, the
   command runs, the reply is written. Nothing is read meanwhile: who writes too much waits, and memory is bounded.
2. A command that waits for something steps aside: the next request does not wait for it. The number of these is
   bounded.
3. A command whose reply nobody reads is not run.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from openpy.engine.mi import Reply
from openpy.engine.mitext import FAILED, NOT_AVAILABLE, PARSE_ERROR, reply_text
from openpy.engine.module import Count
from openpy.engine.services import Services
from openpy.engine.waiting import Stepper, Wait
from openpy.modules.mi_fifo.fifo import CommandFifo
from openpy.modules.mi_fifo.replies import NoReply, open_reply, reply_path, write_reply
from openpy.modules.mi_fifo.requests import FifoRequest, Limits, RequestReader


@dataclass(frozen=True, slots=True)
class ReplyForm:
    """Where replies go, and how they look."""

    folder: str
    indent: str


@dataclass(frozen=True, slots=True)
class Counts:
    """What is counted."""

    answered: Count
    skipped: Count


class FifoServing:
    """Reads requests from an open FIFO and answers them, from `start` until `halt`."""

    def __init__(
        self,
        services: Services,
        fifo: CommandFifo,
        form: ReplyForm,
        counts: Counts,
        limits: Limits,
        most_waiting: int,
    ) -> None:
        self._services = services
        self._fifo = fifo
        self._form = form
        self._counts = counts
        self._reader = RequestReader(self._takes_input, limits)
        self._requests: deque[FifoRequest] = deque()
        self._stop_reading: Callable[[], None] | None = None
        self._serving = False
        self._waiting = 0
        self._most_waiting = most_waiting
        self._halted = False
        self._closed = False

    def start(self) -> None:
        """Begin to read."""
        self._go_on()

    def halt(self) -> None:
        """Read nothing more; what was begun is still answered."""
        self._halted = True
        self._requests.clear()
        self._go_on()

    def close(self) -> None:
        """Write nothing more: what is not answered by now stays so."""
        self._closed = True

    # --- reading ----------------------------------------------------------------------------------------------

    def _takes_input(self, name: str) -> bool:
        command = self._services.commands.find(name)
        return command is not None and command.takes_input

    def _readable(self) -> None:
        before = self._reader.skipped
        self._requests.extend(self._reader.feed(self._fifo.read(), self._services.clock.monotonic()))
        self._counts.skipped.value += self._reader.skipped - before
        self._go_on()

    def _go_on(self) -> None:
        """Take up the next request; read on where there is none."""
        busy = self._serving or self._waiting >= self._most_waiting
        if self._requests and not busy:
            busy = self._serving = True
            self._begin(self._serve(self._requests.popleft()), self._served)
        if busy or self._halted:
            if self._stop_reading is not None:
                self._stop_reading()
                self._stop_reading = None
        elif self._stop_reading is None:
            self._stop_reading = self._services.watch(self._fifo.descriptor, self._readable)

    # --- answering ----------------------------------------------------------------------------------------------

    async def _serve(self, request: FifoRequest) -> None:
        try:
            path = reply_path(self._form.folder, request.place)
            descriptor: int = await self._services.run_blocking(open_reply, path)
        except NoReply as problem:
            self._skip(request, problem)
            return
        command = self._services.commands.find(request.command)
        if command is None:
            await self._write(request, descriptor, NOT_AVAILABLE.format(request.command))
        elif not request.readable:
            await self._write(request, descriptor, PARSE_ERROR.format(request.command))
        else:
            reply = self._services.commands.run(command, request.nodes)
            if reply.done:
                await self._answer(request, descriptor, reply)
            else:
                self._waiting += 1
                self._begin(self._answer(request, descriptor, reply), self._waited)

    async def _answer(self, request: FifoRequest, descriptor: int, reply: Wait[Reply | None]) -> None:
        answer = await reply
        if answer is None:
            text = FAILED.format(request.command)
        else:
            text = reply_text(answer, self._form.indent) + "\n"
        await self._write(request, descriptor, text)

    async def _write(self, request: FifoRequest, descriptor: int, text: str) -> None:
        if self._closed:
            os.close(descriptor)
            return
        try:
            await self._services.run_blocking(write_reply, descriptor, text)
        except NoReply as problem:
            self._skip(request, problem)
        else:
            self._counts.answered.value += 1

    def _skip(self, request: FifoRequest, problem: NoReply) -> None:
        self._counts.skipped.value += 1
        self._services.log.warning("mi_fifo", f"no answer to {request.command!r}: {problem}")

    # --- the steps of a request -----------------------------------------------------------------------------------

    def _begin(self, steps: Coroutine[Any, None, None], ended: Callable[[], None]) -> None:
        def finished(value: object, error: BaseException | None) -> None:
            if error is not None:
                self._services.log.error("mi_fifo", f"{type(error).__name__}: {error}")
            ended()

        Stepper(steps, finished).step()

    def _served(self) -> None:
        self._serving = False
        self._services.soon(self._go_on)

    def _waited(self) -> None:
        self._waiting -= 1
        self._services.soon(self._go_on)
