"""Replies whose connection is gone (RFC 3261 18.2.2).

Rules:
1. They go to the address that the request came from, at the port that its Via names: by the connection that is open
   to there by now, or by a new one. By TLS whoever answers there has to prove the name that the Via has.
2. Where there is none they go where the Via says, as the DNS tells (RFC 3263 5): with `reply_to_via`, else anybody
   could let us connect to others.
3. At most MOST wait for a connection. What cannot be sent is counted among the replies that were dropped.
4. To a client of WebSocket nobody can connect.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

from openpy.engine.destinations import Destination, DestinationError, Ways
from openpy.engine.services import Callee
from openpy.engine.state import State
from openpy.engine.waiting import Stepper
from openpy.sip.errors import RemoteError
from openpy.sip.headers import Via
from openpy.sip.message import Response, parse_message
from openpy.sip.transports import default_port
from openpy.transaction.flow import Flow

if TYPE_CHECKING:
    from openpy.engine.server import Server

MOST = 1000


class LateReplies:
    """Sends them."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._waiting = 0

    def take(self, data: bytes, lost: Flow) -> bool:
        """Take what was to be sent by a connection that is gone; False for what is no reply, or one too many."""
        if lost.transport not in ("tcp", "tls") or not data.startswith(b"SIP/2.0 ") or self._waiting >= MOST:
            return False
        try:
            reply = parse_message(data)
            via = reply.via
        except RemoteError:  # that of a request which lacked as much
            return False
        assert isinstance(reply, Response)
        self._waiting += 1
        Stepper(self._send(data, via, lost), self._ended).step()
        return True

    async def _send(self, data: bytes, via: Via, lost: Flow) -> None:
        server, host = self._server, via.host.strip("[]")
        callee = Callee(host.lower() if _is_name(host) else "")
        port = via.port or default_port(lost.transport)
        flow = await server.connect(lost.transport, lost.host, port, callee)
        if flow is None and server.config.number("reply_to_via") and not server.dispatcher.draining:
            flow = await self._as_the_via_says(data, via, lost.transport)
        if flow is None:
            server.dispatcher.dropped_replies.value += 1
        else:
            flow.send(data)

    async def _as_the_via_says(self, data: bytes, via: Via, transport: str) -> Flow | None:
        host = via.host.strip("[]")
        is_name = _is_name(host)
        port = via.port or (0 if is_name else default_port(transport))
        ways = Ways(
            self._server, State(), Destination(transport, host, port, is_name=is_name), lambda _: data
        )
        try:
            flow, _ = await ways.next()
        except DestinationError:
            return None
        return flow

    def _ended(self, _: Any, error: BaseException | None) -> None:
        self._waiting -= 1
        if error is not None:
            self._server.report(error)


def _is_name(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return True
    return False
