"""Connections that serve for requests too: `;alias` in a Via (RFC 5923, openser 1.3 `tcp_accept_aliases`)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from openpy.engine.destinations import DEFAULT_PORT
from openpy.sip.errors import RemoteError
from openpy.sip.message import Request, parse_message
from openpy.transaction.flow import Flow

Receive = Callable[[bytes, Flow], None]


def accepting_aliases(receive: Receive, add_alias: Callable[[Flow, int], bool]) -> Receive:
    """What hears messages before `receive` does: a connection whose peer asks for it serves for the port of its Via."""

    def accept(data: bytes, flow: Flow) -> None:
        if flow.transport == "tcp" and b";alias" in data:
            with contextlib.suppress(RemoteError):  # whoever serves the message tells what is wrong with it
                message = parse_message(data)
                if isinstance(message, Request) and message.via.param("alias") is not None:
                    add_alias(flow, message.via.port or DEFAULT_PORT)
        receive(data, flow)

    return accept
