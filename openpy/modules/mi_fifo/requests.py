"""From the bytes of a FIFO to requests, however they are cut (openser 1.3 mi_fifo).

Rules:
1. A request ends with an empty line, that is a line end alone. One that cannot be read is skipped up to there, and
   counted; the next is read as if nothing had been.
2. Whether a command takes parameters decides how its lines are read: an empty line within quotes ends nothing.
3. No input is kept beyond `Limits`.
4. A request that stays unfinished is forgotten: else its writer's death would spoil the next one's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from openpy.engine.mi import Node
from openpy.engine.mitext import MalformedRequest, ParameterReader, parse_command_line

PATIENCE = 10.0  # seconds for the rest of a request


class Limits(NamedTuple):
    """Bytes of a first line, and of the parameters of one request; 1.3 had the same."""

    line: int = 1024
    parameters: int = 8192


LIMITS = Limits()


@dataclass(slots=True)
class FifoRequest:
    """One request; `readable` says whether its parameters could be read."""

    command: str
    place: str
    nodes: list[Node] = field(default_factory=list)
    readable: bool = True


class RequestReader:
    """Puts requests together. `takes_input(command)` says whether a command reads parameters."""

    def __init__(self, takes_input: Callable[[str], bool], limits: Limits = LIMITS) -> None:
        self.skipped = 0
        """How many requests could not be read, or did not come to their end."""
        self._takes_input = takes_input
        self._limits = limits
        self._buffer = bytearray()
        self._request: FifoRequest | None = None
        self._parameters: ParameterReader | None = None
        self._size = 0
        self._skipping = False
        self._line_cut = False
        self._last = 0.0

    def feed(self, data: bytes, now: float) -> list[FifoRequest]:
        """Read what came at a time (seconds, monotonic); returns the requests that are complete."""
        if now - self._last > PATIENCE and self._in_request:
            self._forget()
        self._last = now
        self._buffer += data
        found: list[FifoRequest] = []
        while (end := self._buffer.find(b"\n")) >= 0:
            line = bytes(self._buffer[: end + 1])
            del self._buffer[: end + 1]
            found.extend(self._take(line))
        if len(self._buffer) > self._room:
            found.extend(self._give_up())
            self._line_cut = True
            self._buffer.clear()
        return found

    @property
    def _in_request(self) -> bool:
        return bool(self._buffer or self._request or self._skipping)

    @property
    def _room(self) -> int:
        """How many bytes the next line may have."""
        return self._limits.line if self._parameters is None else self._limits.parameters - self._size

    def _take(self, line: bytes) -> Iterator[FifoRequest]:
        if self._line_cut:  # the rest of a line that was too long
            self._line_cut = False
        elif self._skipping:
            self._skipping = line != b"\n"
        elif self._request is None:
            self._first_line(line)
        elif line == b"\n" and not (self._parameters is not None and self._parameters.in_quotes):
            yield self._finish(self._request)
        elif self._parameters is not None:
            yield from self._parameter_line(line, self._parameters)

    def _first_line(self, line: bytes) -> None:
        if not line.strip():
            return
        try:
            if len(line) > self._limits.line:
                raise MalformedRequest("the first line is too long")
            command, place = parse_command_line(_text(line))
        except MalformedRequest:
            self.skipped += 1
            self._skipping = True
            return
        self._request = FifoRequest(command, place)
        self._parameters = ParameterReader() if self._takes_input(command) else None
        self._size = 0

    def _parameter_line(self, line: bytes, parameters: ParameterReader) -> Iterator[FifoRequest]:
        self._size += len(line)
        try:
            if self._size > self._limits.parameters:
                raise MalformedRequest("the parameters are too long")
            parameters.add(_text(line))
        except MalformedRequest:
            yield from self._give_up()

    def _give_up(self) -> Iterator[FifoRequest]:
        """Give up the request under way and skip the rest of it; one without input is not harmed by long lines."""
        request = self._request
        if request is None:
            self.skipped += not self._skipping
            self._skipping = True
        elif self._parameters is not None:
            yield self._finish(request, readable=False)
            self._skipping = True

    def _finish(self, request: FifoRequest, *, readable: bool = True) -> FifoRequest:
        if self._parameters is not None:
            request.nodes = self._parameters.nodes
        request.readable = readable
        self._request = self._parameters = None
        return request

    def _forget(self) -> None:
        self.skipped += not self._skipping
        self._buffer.clear()
        self._request = self._parameters = None
        self._skipping = self._line_cut = False


def _text(line: bytes) -> str:
    return line.decode("utf-8", "surrogateescape")
