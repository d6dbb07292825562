"""The protocols that run over TCP, as the parameters say: TLS, WebSocket, and one over the other."""

from __future__ import annotations

from openpy.engine.config import CoreConfig
from openpy.engine.tlsdomains import TlsContexts
from openpy.net.layer import Bounds, PlainStack, Stack
from openpy.net.tls import TlsStack


def stacks_of(config: CoreConfig, tls: TlsContexts | None, bounds: Bounds) -> dict[str, Stack]:
    """What makes the layers of each transport; what is not among them is not spoken."""
    plain = PlainStack(bounds)
    stacks: dict[str, Stack] = {"tcp": plain}
    if tls is not None:
        stacks["tls"] = TlsStack(plain, tls.servers.get("tls"), tls.clients)
    if any(entry.protocol in ("ws", "wss") for entry in config.listen):
        from openpy.net.websocket import WebSocketRules, WebSocketStack  # its library is an extra

        origins = frozenset(config.text("ws_origins").lower().split())
        stacks["ws"] = WebSocketStack(bounds, WebSocketRules(config.text("ws_path"), origins))
        if tls is not None:
            stacks["wss"] = TlsStack(stacks["ws"], tls.servers.get("wss"), None)
    return stacks
