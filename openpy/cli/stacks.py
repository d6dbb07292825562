"""What a command's connection to a server carries: SIP as it is, or by TLS, WebSocket, or both (docs/tls.md)."""

from __future__ import annotations

from importlib.util import find_spec
from typing import NamedTuple

from openpy.net.layer import Bounds, PlainStack, Stack
from openpy.net.tls import ClientContexts, TlsStack
from openpy.net.tlscontexts import TlsError, TlsSettings, client_context

SECURE = ("tls", "wss")
CONNECTED = ("tcp", "tls", "ws", "wss")

OPTIONS = {"ca_list": "--ca", "certificate": "--certificate", "private_key": "--key"}
"""What the settings of TLS are called on the command line."""


class Credentials(NamedTuple):
    """Files in PEM: whom we trust ("": those whom the system trusts), and who we are."""

    ca: str = ""
    certificate: str = ""
    key: str = ""


def stack_of(transport: str, credentials: Credentials, path: str) -> Stack:
    """What makes the layers of a transport; raises ValueError for files that cannot be used."""
    bounds = Bounds()
    stack: Stack = PlainStack(bounds)
    if transport in ("ws", "wss"):
        if find_spec("wsproto") is None:
            raise ValueError('the library for WebSocket is not installed: pip install "openpy[ws]"')
        from openpy.net.websocketclient import WebSocketClientStack  # its library is an extra

        stack = WebSocketClientStack(bounds, path)
    if transport in SECURE:
        settings = TlsSettings(credentials.certificate, credentials.key, credentials.ca)
        try:
            stack = TlsStack(stack, None, ClientContexts(client_context(settings)))
        except TlsError as error:
            raise ValueError(f"{OPTIONS[error.setting]}: {error}") from None
    return stack
