"""Lines of text over a Unix socket, for a few clients on the same machine.

Rules:
1. The socket's file is for the user who runs the server: it has mode 0600 from the moment that it exists.
2. The file that a dead server left is replaced. One where somebody answers, or that is no socket, is left alone.
3. A client is heard line by line: the next one when what the last one asked for is answered, and read.
4. Everything is bounded: the clients, their lines, and what is kept for one who does not read.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import stat
from collections.abc import Callable
from typing import NamedTuple

BACKLOG = 16
PATIENCE = 10.0
"""Seconds that a client has to read the rest, once the server has said its last word."""


class Limits(NamedTuple):
    """The most clients, octets of a line that comes, and octets that wait until a client reads them."""

    clients: int = 16
    line: int = 65536
    unread: int = 1 << 20


LIMITS = Limits()


class Complaints(NamedTuple):
    """What a client is told before its connection is closed."""

    too_many: str
    too_long: str


class SocketInUse(Exception):
    """The socket cannot be had; the text says why."""


Heard = Callable[["LineConnection", str], None]


class LineServer:
    """Listens at a path. `heard(connection, line)` is to end in `connection.ready()`, at once or later.

    Life: `bind` -> `start` in a running loop -> `close`.
    """

    def __init__(self, path: str, heard: Heard, complaints: Complaints, limits: Limits = LIMITS) -> None:
        self.path = path
        self.heard = heard
        self.complaints = complaints
        self.limits = limits
        self.connections: set[LineConnection] = set()
        self._socket: socket.socket | None = None
        self._file: os.stat_result | None = None
        self._server: asyncio.Server | None = None

    def bind(self) -> None:
        """Take the path; raises SocketInUse."""
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o177)  # no other thread makes files yet
        try:
            _make_way(self.path)
            listener.bind(self.path)
            listener.listen(BACKLOG)
            self._file = os.lstat(self.path)
        except OSError as error:
            listener.close()
            raise SocketInUse(f"cannot listen at {self.path}: {error.strerror or error}") from None
        except SocketInUse:
            listener.close()
            raise
        finally:
            os.umask(before)
        self._socket = listener

    async def start(self) -> None:
        """Begin to accept; who has connected since `bind` is heard now."""
        assert self._socket is not None
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(lambda: LineConnection(self), sock=self._socket)

    def close(self) -> None:
        """Close everything, and remove the file if it is still ours."""
        for connection in list(self.connections):
            connection.close()
        if self._server is not None:
            self._server.close()
        elif self._socket is not None:
            self._socket.close()
        with contextlib.suppress(OSError):
            if self._file is not None and os.path.samestat(self._file, os.lstat(self.path)):
                os.unlink(self.path)


class LineConnection(asyncio.Protocol):
    """One client. Who serves it may set what is called when things happen."""

    def __init__(self, server: LineServer) -> None:
        self.on_writable: Callable[[], None] = _nothing
        """There is room again for what `offer` refused."""
        self.on_end: Callable[[], None] = _nothing
        """The client sends no more: it waits for the rest of its answer, or it is gone."""
        self._server = server
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        self._is_serving = False
        self._is_reading = True
        self._is_full = False
        self._has_ended = False
        self._deadline: asyncio.TimerHandle | None = None

    @property
    def is_open(self) -> bool:
        """Whether what is sent may still arrive."""
        return self._transport is not None and not self._transport.is_closing()

    def send(self, line: str) -> None:
        """Send a line, which may wait until the client reads."""
        if self._transport is not None and self.is_open:
            self._transport.write(line.encode("utf-8", "surrogateescape") + b"\n")

    def offer(self, line: str) -> bool:
        """Send a line unless too much waits already; False: it was not sent, and `on_writable` will be called."""
        if self._is_full:
            return False
        self.send(line)
        return True

    def ready(self) -> None:
        """The line that was heard is answered."""
        self._is_serving = False
        self._go_on()

    def close(self) -> None:
        """Say no more; what was sent may still be read, for a while."""
        if self._transport is not None and self.is_open:
            self._transport.close()
            self._deadline = asyncio.get_running_loop().call_later(PATIENCE, self._transport.abort)

    # --- what asyncio tells ---------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client came."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.set_write_buffer_limits(high=self._server.limits.unread)
        if len(self._server.connections) >= self._server.limits.clients:
            self._dismiss(self._server.complaints.too_many)
        else:
            self._server.connections.add(self)

    def data_received(self, data: bytes) -> None:
        """A piece came."""
        self._buffer += data
        self._go_on()

    def eof_received(self) -> bool:
        """The client sends no more."""
        self._has_ended = True
        self.on_end()
        if not self._is_serving:
            self.close()
        return True

    def pause_writing(self) -> None:
        """The client does not read."""
        self._is_full = True

    def resume_writing(self) -> None:
        """The client reads again."""
        self._is_full = False
        self.on_writable()
        self._go_on()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._server.connections.discard(self)
        if self._deadline is not None:
            self._deadline.cancel()
        self.on_end()

    def _go_on(self) -> None:
        """Hear the next line, if it is time and there is one; read no more than that."""
        while self.is_open and not self._is_serving and not self._is_full:
            end = self._buffer.find(b"\n")
            if max(end, len(self._buffer) if end < 0 else 0) > self._server.limits.line:
                self._dismiss(self._server.complaints.too_long)
            elif end >= 0:
                line = self._buffer[:end].decode("utf-8", "surrogateescape")
                del self._buffer[: end + 1]
                self._is_serving = True
                self._server.heard(self, line)
            elif self._has_ended:
                self.close()
            else:
                break
        has_room = len(self._buffer) <= self._server.limits.line
        if self._transport is not None and self.is_open and has_room != self._is_reading:
            self._is_reading = has_room  # while a line is served too, to hear of the end
            (self._transport.resume_reading if has_room else self._transport.pause_reading)()

    def _dismiss(self, complaint: str) -> None:
        self.send(complaint)
        self.close()


def _make_way(path: str) -> None:
    """Remove a socket's file that nobody listens at; raises SocketInUse, OSError."""
    try:
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            raise SocketInUse(f"{path} is there already, and is no socket")
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)
        except OSError as error:  # a full backlog is a server that lives; of another user's one cannot tell
            raise SocketInUse(
                f"{path} is a server's already, and cannot be asked: {error.strerror or error}"
            ) from None
        else:
            raise SocketInUse(f"a server that runs listens at {path} already")


def _nothing() -> None:
    """What is called where nobody wants to know."""
