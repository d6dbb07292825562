"""Phones: SIP by hand over UDP and TCP, for tests over real sockets."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from tests.ports import family_of, same_port
from tests.scenarios.message import SipMessage, parse, pidf
from tests.scenarios.process import ServerProcess

__all__ = [
    "ALICE",
    "BothPhone",
    "Phone",
    "ServerProcess",
    "SipMessage",
    "Subscription",
    "TcpPhone",
    "parse",
    "pidf",
]

ALICE = "sip:alice@example.org"
PIDF_TYPE = "application/pidf+xml"


@dataclass
class Subscription:
    """What a test keeps of a dialog."""

    call_id: str
    from_tag: str
    to_tag: str = ""
    target: str = ""
    cseq: int = 1
    event: str = "presence"
    notifies: list[SipMessage] = field(default_factory=list)


RECEIVE_BUFFER = 1 << 20
"""Octets, of which Linux gives twice what `net.core.rmem_max` says: room for a hundred NOTIFYs at once."""


class Phone:
    """A UDP socket that speaks SIP as it is told to."""

    transport = "UDP"

    def __init__(self, server: tuple[str, int], user: str = "bob") -> None:
        self.server = server
        self.user = user
        self.socket = self._open()
        self.host, self.port = self.socket.getsockname()[:2]
        self.waiting: list[SipMessage] = []
        self._count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.socket.close()

    def _open(self) -> socket.socket:
        host = self.server[0]
        opened = socket.socket(family_of(host), socket.SOCK_DGRAM)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        opened.bind((host, 0))
        return opened

    @property
    def hostport(self) -> str:
        """Where it is, as it stands in a URI or Via."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def contact(self) -> str:
        return f"sip:{self.user}@{self.hostport}"

    def token(self, prefix: str) -> str:
        self._count += 1
        return f"{prefix}{self.port}x{self._count}x{time.monotonic_ns():x}"

    # --- sending --------------------------------------------------------------------------------------------

    def send(self, data: bytes) -> None:
        self._write(data, self.server)

    def _write(self, data: bytes, address: tuple[str, int]) -> None:
        self.socket.sendto(data, address)

    def build(
        self,
        method: str,
        uri: str,
        *,
        to: str = "",
        from_tag: str = "",
        call_id: str = "",
        cseq: int = 1,
        headers: Sequence[str] = (),
        body: bytes = b"",
        branch: str = "",
        from_uri: str = "",
    ) -> bytes:
        via = f"SIP/2.0/{self.transport} {self.hostport}"
        lines = [
            f"{method} {uri} SIP/2.0",
            f"Via: {via};branch={branch or self.token('z9hG4bKt')};rport",
            "Max-Forwards: 70",
            f"From: <{from_uri or f'sip:{self.user}@example.org'}>;tag={from_tag or self.token('f')}",
            f"To: {to or f'<{uri}>'}",
            f"Call-ID: {call_id or self.token('c')}",
            f"CSeq: {cseq} {method}",
            *headers,
            f"Content-Length: {len(body)}",
        ]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    def request(self, method: str, uri: str, timeout: float = 5.0, **parts: Any) -> SipMessage:
        """Send a request and return its final reply; what else comes is kept."""
        data = self.build(method, uri, **parts)
        self.send(data)
        return self.final_reply(parse(data), timeout)

    def final_reply(self, request: SipMessage, timeout: float = 5.0) -> SipMessage:
        wanted = (request.get("Call-ID"), request.get("CSeq"))
        return self.await_message(
            lambda m: m.status >= 200 and (m.get("Call-ID"), m.get("CSeq")) == wanted, timeout
        )

    def answer(
        self, request: SipMessage, status: int = 200, reason: str = "OK", headers: Sequence[str] = ()
    ) -> None:
        lines = [f"SIP/2.0 {status} {reason}"]
        lines += [
            f"{k}: {v}" for k, v in request.headers if k.lower() in ("via", "from", "to", "call-id", "cseq")
        ]
        lines += [*headers, "Content-Length: 0"]
        self._write("\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n\r\n", request.address)

    # --- receiving ------------------------------------------------------------------------------------------

    def receive(self, timeout: float = 5.0) -> SipMessage | None:
        """The next message from the wire, or None."""
        ready, _, _ = select.select([self.socket], [], [], timeout)
        if not ready:
            return None
        data, address = self.socket.recvfrom(65535)
        return parse(data, address)

    def await_message(self, wanted: Callable[[SipMessage], bool], timeout: float = 5.0) -> SipMessage:
        """The first message that `wanted(message)` accepts; others wait."""
        for index, message in enumerate(self.waiting):
            if wanted(message):
                return self.waiting.pop(index)
        deadline = time.monotonic() + timeout
        while (left := deadline - time.monotonic()) > 0:
            received = self.receive(left)
            if received is not None:
                if wanted(received):
                    return received
                self.waiting.append(received)
        raise AssertionError(
            f"nothing came that was waited for; there were {[m.start for m in self.waiting]}"
        )

    def nothing_more(self, seconds: float = 0.3) -> bool:
        """Whether nothing comes for a while."""
        return not self.waiting and self.receive(seconds) is None

    # --- presence -------------------------------------------------------------------------------------------

    def options(self, timeout: float = 1.0) -> SipMessage:
        """Ask whether the server lives."""
        return self.request("OPTIONS", "sip:example.org", timeout)

    def publish(
        self,
        uri: str = ALICE,
        body: bytes = b"",
        *,
        etag: str = "",
        expires: int | None = 600,
        timeout: float = 5.0,
        headers: Sequence[str] = (),
        event: str = "presence",
        content_type: str = PIDF_TYPE,
    ) -> SipMessage:
        data = self.publication(
            uri, body, etag=etag, expires=expires, headers=headers, event=event, content_type=content_type
        )
        self.send(data)
        return self.final_reply(parse(data), timeout)

    def publication(
        self,
        uri: str = ALICE,
        body: bytes = b"",
        *,
        etag: str = "",
        expires: int | None = 600,
        headers: Sequence[str] = (),
        event: str = "presence",
        content_type: str = PIDF_TYPE,
    ) -> bytes:
        """The bytes of a PUBLISH."""
        lines = [f"Event: {event}", *headers]
        if expires is not None:
            lines.append(f"Expires: {expires}")
        if etag:
            lines.append(f"SIP-If-Match: {etag}")
        if body:
            lines.append(f"Content-Type: {content_type}")
        return self.build("PUBLISH", uri, headers=lines, body=body, from_uri=uri)

    def subscribe(
        self,
        uri: str = ALICE,
        *,
        expires: int = 600,
        event: str = "presence",
        headers: Sequence[str] = (),
        dialog: Subscription | None = None,
        contact: str = "",
    ) -> tuple[Subscription, SipMessage]:
        """SUBSCRIBE (again within `dialog`); returns the dialog and the final reply."""
        fresh = dialog or Subscription(self.token("s"), self.token("w"), event=event)
        if dialog is not None:
            dialog.cseq += 1
        reply = self.request(
            "SUBSCRIBE",
            fresh.target or uri,
            to=f"<{uri}>" + (f";tag={fresh.to_tag}" if fresh.to_tag else ""),
            from_tag=fresh.from_tag,
            call_id=fresh.call_id,
            cseq=fresh.cseq,
            headers=[
                f"Contact: <{contact or self.contact}>",
                f"Event: {event}",
                f"Expires: {expires}",
                *headers,
            ],
        )
        if reply.status < 300:
            fresh.to_tag = reply.to_tag
            fresh.target = reply.get("Contact").partition("<")[2].partition(">")[0]
        return fresh, reply

    def watch(self, uri: str = ALICE, **parts: Any) -> tuple[Subscription, SipMessage]:
        """Subscribe, and return the dialog and its first NOTIFY, answered."""
        dialog, reply = self.subscribe(uri, **parts)
        assert reply.status == 200, reply.start
        return dialog, self.notify(dialog)

    def notify(self, dialog: Subscription, timeout: float = 5.0, *, answer: int = 200) -> SipMessage:
        """The next NOTIFY of a dialog, answered (0: not)."""
        message = self.await_message(
            lambda m: m.method == "NOTIFY" and m.get("Call-ID") == dialog.call_id, timeout
        )
        if answer:
            self.answer(message, answer, "OK" if answer == 200 else "No")
        dialog.notifies.append(message)
        return message

    def told(self, dialog: Subscription, text: bytes, timeout: float = 5.0) -> SipMessage:
        """The first NOTIFY of a dialog that has this in its body; those before it are answered."""
        deadline = time.monotonic() + timeout
        while text not in (message := self.notify(dialog, timeout)).body:
            assert time.monotonic() < deadline, f"{text!r} was not told"
        return message


class BothPhone(Phone):
    """A phone whose port for TCP is its own too: nobody listens on `tcp` until the test does."""

    def _open(self) -> socket.socket:
        udp, self.tcp = same_port(self.server[0])
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        return udp

    def close(self) -> None:
        super().close()
        self.tcp.close()


class TcpPhone(Phone):
    """A phone behind a TCP connection: its own, or one that the server opened to it (`accepted`)."""

    transport = "TCP"

    def __init__(
        self, server: tuple[str, int], user: str = "bob", *, accepted: socket.socket | None = None
    ) -> None:
        self._accepted = accepted
        self._buffer = b""
        super().__init__(server, user)

    def _open(self) -> socket.socket:
        return self._accepted or socket.create_connection(self.server, 5)

    @property
    def contact(self) -> str:
        return f"{super().contact};transport=tcp"

    def _write(self, data: bytes, address: tuple[str, int]) -> None:
        self.socket.sendall(data)

    def reconnect(self) -> None:
        """Lose the connection and make a new one, from another port."""
        self.socket.close()
        self._buffer = b""
        self.socket = socket.create_connection(self.server, 5)
        self.host, self.port = self.socket.getsockname()[:2]

    def receive(self, timeout: float = 5.0) -> SipMessage | None:
        deadline = time.monotonic() + timeout
        while (message := self._framed()) is None:
            ready, _, _ = select.select([self.socket], [], [], max(0.0, deadline - time.monotonic()))
            data = self.socket.recv(65535) if ready else b""
            if not data:
                return None
            self._buffer += data
        return message

    def closed(self, timeout: float = 5.0) -> bool:
        """Whether the server closes the connection; what it still sends is dropped."""
        self.socket.settimeout(timeout)
        try:
            while self.socket.recv(65535):
                pass
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False
        return True

    def _framed(self) -> SipMessage | None:
        self._buffer = self._buffer.lstrip(b"\r\n")
        head, end, rest = self._buffer.partition(b"\r\n\r\n")
        if not end:
            return None
        message = parse(head + end)
        length = int(message.get("Content-Length") or 0)
        if len(rest) < length:
            return None
        self._buffer = rest[length:]
        return parse(head + end + rest[:length], self.server)
