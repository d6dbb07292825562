"""Phones over TLS, WebSocket and secure WebSocket, beside those of UDP and TCP."""

from __future__ import annotations

import socket
import ssl
import time
from collections import deque

from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, Ping, Pong, Request, TextMessage

from tests.scenarios.message import SipMessage, parse
from tests.scenarios.wire import TcpPhone


class TlsPhone(TcpPhone):
    """A phone behind a connection by TLS: its own, or one that the server opened to it (`accepted`)."""

    transport = "TLS"

    def __init__(
        self,
        server: tuple[str, int],
        ca: str,
        *,
        name: str | None = None,
        own: tuple[str, str] | None = None,
        accepted: ssl.SSLSocket | None = None,
    ) -> None:
        """`ca` is whom it trusts; `own` are the files of a certificate and its key."""
        self._context = ssl.create_default_context(cafile=ca or None)
        if own is not None:
            self._context.load_cert_chain(*own)
        self._name = name
        super().__init__(server, accepted=accepted)

    @property
    def contact(self) -> str:
        return super().contact.replace("transport=tcp", "transport=tls")

    def _open(self) -> socket.socket:
        return self._accepted or self._secured(socket.create_connection(self.server, 5))

    def _secured(self, plain: socket.socket) -> ssl.SSLSocket:
        return self._context.wrap_socket(plain, server_hostname=self._name or self.server[0])

    def receive(self, timeout: float = 5.0) -> SipMessage | None:
        deadline = time.monotonic() + timeout
        while (message := self._framed()) is None:
            data = receive(self.socket, deadline)
            if not data:
                return None
            self._buffer += data
        return message


class WebSocketPhone(TlsPhone):
    """A client of WebSocket, or of secure WebSocket where it has somebody to trust. Nobody can connect to it."""

    def __init__(
        self, server: tuple[str, int], ca: str = "", *, path: str = "/", name: str | None = None
    ) -> None:
        self.transport = "WSS" if ca else "WS"
        self._path = path
        self.client = WSConnection(ConnectionType.CLIENT)
        self.messages: deque[SipMessage] = deque()
        self.pongs: list[bytes] = []
        self.keep_alives = 0
        self.code = 0
        self._text = b""
        super().__init__(server, ca, name=name)

    @property
    def hostport(self) -> str:
        return f"client{self.port}.invalid"

    @property
    def contact(self) -> str:
        return f"sip:{self.user}@{self.hostport};transport=ws"

    def _open(self) -> socket.socket:
        plain = socket.create_connection(self.server, 5)
        opened = self._secured(plain) if self.transport == "WSS" else plain
        host = f"{self.server[0]}:{self.server[1]}"
        opened.sendall(self.client.send(Request(host=host, target=self._path, subprotocols=["sip"])))
        deadline = time.monotonic() + 5
        while True:
            self.client.receive_data(receive(opened, deadline))
            for event in self.client.events():
                assert isinstance(event, AcceptConnection), event
                assert event.subprotocol == "sip"
                return opened

    def _write(self, data: bytes, address: tuple[str, int]) -> None:
        self.socket.sendall(self.client.send(TextMessage(data.decode())))

    def ping(self, payload: bytes) -> None:
        self.socket.sendall(self.client.send(Ping(payload)))

    def receive(self, timeout: float = 5.0) -> SipMessage | None:
        deadline = time.monotonic() + timeout
        while not self.messages:
            if not self.read(deadline):
                return None
        return self.messages.popleft()

    def read(self, deadline: float) -> bool:
        """Read once; False where nothing came in time, or the end."""
        data = receive(self.socket, deadline)
        if not data:
            return False
        self.client.receive_data(data)
        for event in self.client.events():
            match event:
                case TextMessage() | BytesMessage():
                    self._text += event.data.encode() if isinstance(event.data, str) else event.data
                    if event.message_finished:
                        self._take(self._text)
                        self._text = b""
                case Pong():
                    self.pongs.append(bytes(event.payload))
                case CloseConnection():
                    self.code = int(event.code)
        return True

    def _take(self, data: bytes) -> None:
        if data.strip():
            self.messages.append(parse(data, self.server))
        else:
            self.keep_alives += 1


def receive(sock: socket.socket, deadline: float) -> bytes:
    """What comes until then; b"" for nothing, and for the end."""
    sock.settimeout(max(0.001, deadline - time.monotonic()))
    try:
        return sock.recv(65535)
    except (TimeoutError, ConnectionResetError):
        return b""
    finally:
        sock.settimeout(5)


def serve_tls(listener: socket.socket, certificate: str, key: str) -> ssl.SSLSocket:
    """The next connection to a listener, once its handshake is over. Raises ssl.SSLError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    connection, _ = listener.accept()
    connection.settimeout(5)
    return context.wrap_socket(connection, server_side=True)
