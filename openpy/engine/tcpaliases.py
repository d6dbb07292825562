"""Connections that serve for requests too: by `;alias` in a Via (RFC 5923, openser 1.3 `tcp_accept_aliases`), and those
of clients of WebSocket, who have no address that one could connect to (RFC 7118 section 5).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from openpy.sip.errors import RemoteError
from openpy.sip.message import Request, parse_message
from openpy.sip.transports import default_port
from openpy.transaction.flow import Flow

Receive = Callable[[bytes, Flow], None]


def accepting_aliases(receive: Receive, add_alias: Callable[[Flow, int], bool]) -> Receive:
    """What hears messages before `receive` does: a connection whose peer asks for it serves for the port of its Via."""

    def accept(data: bytes, flow: Flow) -> None:
        if flow.reliable and b";alias" in data:
            with contextlib.suppress(RemoteError):  # whoever serves the message tells what is wrong with it
                message = parse_message(data)
                if isinstance(message, Request) and message.via.param("alias") is not None:
                    add_alias(flow, message.via.port or default_port(flow.transport))
        receive(data, flow)

    return accept


def accepting_names(receive: Receive, add_name: Callable[[Flow, str], bool]) -> Receive:
    """What hears messages before `receive` does: a client of WebSocket is found by the host that it made up.

    RFC 7118 tells it to put a random name that ends with `.invalid` (RFC 2606) into Via and Contact. While it is
    connected nobody else is found by that name.
    """

    def accept(data: bytes, flow: Flow) -> None:
        if flow.transport in ("ws", "wss") and b".invalid" in data:
            with contextlib.suppress(RemoteError):
                message = parse_message(data)
                if isinstance(message, Request) and message.via.host.lower().endswith(".invalid"):
                    add_name(flow, message.via.host)
        receive(data, flow)

    return accept
