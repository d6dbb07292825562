"""From a request in a datagram to the reply in another.

Rules:
1. A command runs when its datagram is read. One that waits for something does not hold up the next; the number of
   these is bounded, and nothing is read while it is reached.
2. A command runs also for who cannot be answered, as in 1.3.
3. A reply is one datagram; one that has no room in it is answered by a line that says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from openpy.engine.mi import Reply
from openpy.engine.mitext import reply_text
from openpy.engine.module import Count
from openpy.engine.services import Services
from openpy.engine.waiting import Wait
from openpy.modules.mi_datagram.requests import Unreadable, is_reply, read_request
from openpy.modules.mi_datagram.sockets import LONGEST, DatagramSocket, Peer

__all__ = ["Counts", "DatagramServing"]

FAILED = "500 command failed\n"
TOO_LONG = "500 reply too long\n"

BURST = 16
"""Requests that are read in one go; then messages have their turn."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What is counted."""

    answered: Count
    unanswered: Count


class DatagramServing:
    """Reads requests from an open socket and answers them, from `start` until `halt`."""

    def __init__(
        self, services: Services, socket: DatagramSocket, indent: str, counts: Counts, most_waiting: int
    ) -> None:
        self._services = services
        self._socket = socket
        self._indent = indent
        self._counts = counts
        self._waiting = 0
        self._most_waiting = most_waiting
        self._stop_reading: Callable[[], None] | None = None
        self._halted = False
        self._closed = False

    def start(self) -> None:
        """Begin to read."""
        self._go_on()

    def halt(self) -> None:
        """Read nothing more; what was begun is still answered."""
        self._halted = True
        self._go_on()

    def close(self) -> None:
        """Send nothing more: what is not answered by now stays so."""
        self._closed = True

    def _go_on(self) -> None:
        """Read, or read not, as things are."""
        reads = not self._halted and self._waiting < self._most_waiting
        if reads and self._stop_reading is None:
            self._stop_reading = self._services.watch(self._socket.descriptor, self._readable)
        elif not reads and self._stop_reading is not None:
            self._stop_reading()
            self._stop_reading = None

    def _readable(self) -> None:
        for _ in range(BURST):
            received = self._socket.receive() if self._stop_reading is not None else None
            if received is None:
                break
            self._serve(*received)

    def _serve(self, data: bytes, peer: Peer) -> None:
        if not data or is_reply(data):
            self._counts.unanswered.value += 1
            return
        try:
            command, nodes = read_request(data, self._services.commands.find)
        except Unreadable as problem:
            self._send(str(problem), peer)
            return
        reply = self._services.commands.run(command, nodes)
        if reply.done:
            self._answer(reply, peer)
        else:
            self._waiting += 1
            self._go_on()
            reply.on_done(partial(self._waited, reply, peer))

    def _waited(self, reply: Wait[Reply | None], peer: Peer) -> None:
        self._waiting -= 1
        self._answer(reply, peer)
        if not self._closed:
            self._go_on()

    def _answer(self, reply: Wait[Reply | None], peer: Peer) -> None:
        self._send(FAILED if reply.value is None else reply_text(reply.value, self._indent), peer)

    def _send(self, text: str, peer: Peer) -> None:
        data = text.encode("utf-8", "surrogateescape")
        if len(data) > LONGEST:
            data = TOO_LONG.encode()
        if not self._closed and peer and self._socket.send(data, peer):
            self._counts.answered.value += 1
        else:
            self._counts.unanswered.value += 1
