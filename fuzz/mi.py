"""Management requests are the same however they are cut; every command gives a reply or fails, and the reply is lines.

The first octet of an input says how long the pieces of the rest are.
"""

from __future__ import annotations

from openpy.engine.config import CoreConfig
from openpy.engine.log import Log
from openpy.engine.mi import Reply
from openpy.engine.mitext import MalformedRequest, parse_command_line, reply_text, request_text
from openpy.engine.server import Server
from openpy.modules.mi_fifo.requests import FifoRequest, Limits, RequestReader

LIMITS = Limits(64, 256)
NOT_RUN = ("kill", "ps")
"""What ends the process, and what needs its sockets."""


class Desk:
    """A server that only answers commands."""

    def __init__(self) -> None:
        server = Server(CoreConfig(), log=Log(-9, lambda level, line: None))
        server.commands._report = _never
        self.commands = server.commands

    def takes_input(self, name: str) -> bool:
        """Whether a command reads parameters."""
        command = self.commands.find(name)
        return command is not None and command.takes_input

    def answer(self, request: FifoRequest) -> None:
        """Run a command, and write its reply."""
        command = self.commands.find(request.command)
        if command is None or command.name in NOT_RUN or not request.readable:
            return
        reply = self.commands.run(command, request.nodes)
        assert reply.done
        if reply.value is not None:
            _check_reply(reply.value)


def check(data: bytes) -> None:
    """Read requests from a FIFO, whole and in pieces, and answer them."""
    desk = Desk()
    size, stream = 1 + (data[0] if data else 0), data[1:]
    whole = _read(desk, [stream])
    pieces = _read(desk, [stream[at : at + size] for at in range(0, len(stream), size)])
    if len(stream) <= LIMITS.line:  # a line that is too long may be seen as such before its end
        assert pieces == whole
    for request in whole:
        desk.answer(request)
        _check_written_again(desk, request)
    _check_command_line(stream)


def _read(desk: Desk, pieces: list[bytes]) -> list[FifoRequest]:
    reader = RequestReader(desk.takes_input, LIMITS)
    return [request for piece in pieces for request in reader.feed(piece, 0.0)]


def _check_written_again(desk: Desk, request: FifoRequest) -> None:
    """What was read is read again from what a client would write."""
    values = [node.value or "" for node in request.nodes]
    if not request.readable or any(value.endswith("\\") for value in values):
        return
    text = request_text(request.command, request.place, values).encode("utf-8", "surrogateescape")
    reader = RequestReader(desk.takes_input)
    again = reader.feed(text, 0.0)
    assert [node.value for node in again[0].nodes] == (values if desk.takes_input(request.command) else [])


def _check_command_line(stream: bytes) -> None:
    try:
        command, place = parse_command_line(stream.partition(b"\n")[0].decode("utf-8", "surrogateescape"))
    except MalformedRequest:
        return
    assert command
    assert parse_command_line(f":{command}:{place}") == (command, place)


def _check_reply(reply: Reply) -> None:
    text = reply_text(reply)
    code, _, _ = text.partition(" ")
    assert code.isdigit()
    assert text.endswith("\n")


def _never(error: BaseException) -> None:
    raise error
