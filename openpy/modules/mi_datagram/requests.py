"""From a datagram to a request (openser 1.3 mi_datagram).

    :command:
    [name::] value          (a line each)

Rules:
1. A datagram is a request; its end, or an empty line, ends the parameters. Nothing may stand behind the second colon.
2. What looks like a reply is no request and is never answered: else a forged source address could set two servers, or
   one and itself, talking for ever.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from openpy.engine.mi import Command, Node
from openpy.engine.mitext import MalformedRequest, ParameterReader, parse_command_line
from openpy.modules.mi_datagram.sockets import LONGEST

__all__ = ["NOT_AVAILABLE", "PARSE_ERROR", "Unreadable", "is_reply", "read_request"]

NOT_AVAILABLE = "500 command not available\n"
PARSE_ERROR = "400 parse error in command\n"

_REPLY = re.compile(rb"[1-6][0-9][0-9] ")


class Unreadable(Exception):
    """What is no request; the text is the answer to it."""


def is_reply(data: bytes) -> bool:
    """Whether it begins as our own answers do."""
    return _REPLY.match(data) is not None


def read_request(data: bytes, find: Callable[[str], Command | None]) -> tuple[Command, list[Node]]:
    """The command of a request, and its parameters if it takes any; raises Unreadable."""
    if len(data) > LONGEST:
        raise Unreadable(PARSE_ERROR)
    first, *lines = data.decode("utf-8", "surrogateescape").split("\n")
    try:
        name, place = parse_command_line(first)
    except MalformedRequest:
        raise Unreadable(NOT_AVAILABLE) from None
    command = find(name)
    if command is None or place:
        raise Unreadable(NOT_AVAILABLE)
    try:
        return command, _parameters(lines) if command.takes_input else []
    except MalformedRequest:
        raise Unreadable(PARSE_ERROR) from None


def _parameters(lines: Iterable[str]) -> list[Node]:
    """Raises MalformedRequest."""
    reader = ParameterReader()
    for line in lines:
        if not line.rstrip("\r") and not reader.in_quotes:
            break
        reader.add(line + "\n")
    if reader.in_quotes:
        raise MalformedRequest("a quote is never closed")
    return reader.nodes
