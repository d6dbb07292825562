"""What a server is asked over its control socket: one JSON object a line, and the same back.

| request | answer |
|---|---|
| `{"command": "mi", "name": "uptime", "parameters": ["..."]}` | `{"type": "reply", "code", "reason", "nodes"}` |
| `{"command": "trace", "switch": "on", "filter": {...}, "seconds": 600}` | objects until `end` (docs/explain.md) |
| `{"command": "trace", "switch": "off"}` | `{"type": "stopped", "tracings"}` |
| anything else | `{"type": "error", "text"}` |

A node has `name`, `value` (null: none), `attributes` and `nodes`.

Rules:
1. Whatever a client writes, it is answered; nothing of it stops the server.
2. A client that does not read loses traces, and is told how many. Nothing waits for it.
3. A tracing ends with its client.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from openpy.engine.eventfields import Event
from openpy.engine.mi import Node, Reply
from openpy.engine.trace import SECONDS, Delivery, filter_of
from openpy.engine.waiting import Wait
from openpy.net.lines import Complaints, LineConnection, LineServer

if TYPE_CHECKING:
    from openpy.engine.server import Server

MOST_SECONDS = 86400.0
WAITING = 1
"""Traces that wait beside what the connection holds: what does not fit is dropped, and counted."""


class Malformed(Exception):
    """A request that cannot be understood; the text says why."""


class Control:
    """Serves clients at a path until it is closed."""

    def __init__(self, server: Server, path: str) -> None:
        complaints = Complaints(_error("there are too many clients already"), _error("the line is too long"))
        self._server = server
        self._lines = LineServer(path, self._heard, complaints)

    def bind(self) -> None:
        """Take the path; raises SocketInUse."""
        self._lines.bind()

    async def start(self) -> None:
        """Answer from now on."""
        await self._lines.start()

    def close(self) -> None:
        """End all that goes on, and remove the socket's file."""
        self._server.tracer.stop("the server stops")
        self._lines.close()

    def _heard(self, connection: LineConnection, line: str) -> None:
        try:
            request = _parsed(line)
            match request.get("command"):
                case "mi":
                    self._mi(connection, request)
                case "trace":
                    self._trace(connection, request)
                case other:
                    raise Malformed(f"{other!r} is no command: mi and trace are")
        except Malformed as problem:
            connection.send(_error(str(problem)))
            connection.ready()

    # --- management commands ----------------------------------------------------------------------------------

    def _mi(self, connection: LineConnection, request: Event) -> None:
        name, parameters = request.get("name"), request.get("parameters", [])
        if not isinstance(name, str) or not _are_texts(parameters):
            raise Malformed('a management command has a "name", and "parameters", a list of texts')
        command = self._server.commands.find(name)
        if command is None:
            raise Malformed(f"there is no command {name}; `which` lists them")
        reply = self._server.commands.run(command, [Node(value=text) for text in parameters])
        reply.on_done(partial(_answer, connection, name, reply))

    # --- traces -----------------------------------------------------------------------------------------------

    def _trace(self, connection: LineConnection, request: Event) -> None:
        if request.get("switch") == "off":
            connection.send(json.dumps({"type": "stopped", "tracings": self._server.tracer.stop()}))
            connection.ready()
            return
        wanted, seconds = request.get("filter", {}), request.get("seconds", SECONDS)
        if request.get("switch") != "on" or not isinstance(wanted, dict):
            raise Malformed('a trace has a "switch", "on" or "off", and a "filter", an object')
        if type(seconds) not in (int, float) or not 0 < seconds <= MOST_SECONDS:
            raise Malformed(f"a trace lasts up to {MOST_SECONDS:.0f} seconds, not {seconds!r}")
        try:
            found = filter_of(wanted)
        except ValueError as problem:
            raise Malformed(str(problem)) from None

        def take(event: Event) -> Delivery:
            if not connection.is_open:
                return Delivery.GONE
            line = json.dumps(event)
            if event["type"] == "end":
                connection.send(line)
                connection.close()
            elif not connection.offer(line):
                return Delivery.BUSY
            return Delivery.TAKEN

        tracing = self._server.tracer.start(found, take, seconds=seconds, buffered=WAITING)
        connection.on_writable = tracing.flush
        connection.on_end = partial(tracing.stop, "the client is gone")


def _answer(connection: LineConnection, name: str, reply: Wait[Reply | None]) -> None:
    answer = reply.value or Reply(500, f"command '{name}' failed")
    told = {"type": "reply", "code": answer.code, "reason": answer.reason, "nodes": _told(answer.nodes)}
    connection.send(json.dumps(told))
    connection.ready()


def _told(nodes: Iterable[Node]) -> list[Event]:
    return [
        {"name": node.name, "value": node.value, "attributes": node.attributes, "nodes": _told(node.children)}
        for node in nodes
    ]


def _parsed(line: str) -> Event:
    """The object that a line is; raises Malformed."""
    try:
        found: Any = json.loads(line)
    except (ValueError, RecursionError):
        raise Malformed("a request is one JSON object on a line") from None
    if not isinstance(found, dict):
        raise Malformed("a request is one JSON object on a line")
    return found


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _error(text: str) -> str:
    return json.dumps({"type": "error", "text": text})
