"""WebSocket as the one who calls (RFC 6455 section 4.1, RFC 7118 section 4): for the commands; a server calls nobody.

Rules:
1. The subprotocol `sip` is asked for; a server that does not grant it is left.
2. What the server answers instead of a WebSocket ends the connection: `over` has its status.
"""

from __future__ import annotations

from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, Event, RejectConnection, Request

from openpy.net.layer import Bounds, Callee, Layer
from openpy.net.websocket import SUBPROTOCOL, WebSocketLayer, WebSocketRules, WebSocketStack

ANYWHERE = WebSocketRules()


class WebSocketClientLayer(WebSocketLayer):
    """One connection to a server; `host` is its `host:port`, `path` that of its WebSocket."""

    __slots__ = ()

    def __init__(self, bounds: Bounds, host: str, path: str) -> None:
        super().__init__(bounds, ANYWHERE)
        self._ws = WSConnection(ConnectionType.CLIENT)
        self._answers += self._sent(Request(host=host, target=path, subprotocols=[SUBPROTOCOL]))

    @property
    def is_up(self) -> bool:
        """Whether the server speaks SIP by WebSocket."""
        return super().is_up and not self.over

    def _take(self, event: Event) -> None:
        match event:
            case AcceptConnection():
                if event.subprotocol != SUBPROTOCOL:
                    self.over = "the server does not speak SIP by WebSocket"
            case RejectConnection():
                self.over = f"the server has no WebSocket there: HTTP {event.status_code}"
            case _:
                super()._take(event)

    def _refuse(self, status: int, why: str, hint: RejectConnection | None = None) -> None:
        self.over = self.over or why


class WebSocketClientStack(WebSocketStack):
    """WebSocket to servers, at one path."""

    def __init__(self, bounds: Bounds, path: str = "/") -> None:
        super().__init__(bounds, ANYWHERE)
        self._path = path

    def opened(self, peer: tuple[str, int], callee: Callee) -> Layer | None:
        """That of a server, which is told the name that it is called by."""
        host, port = callee.name or peer[0], peer[1]
        return WebSocketClientLayer(
            self._bounds, f"[{host}]:{port}" if ":" in host else f"{host}:{port}", self._path
        )
