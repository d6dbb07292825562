"""A way to a server that a test can shut, freeze and cut: a relay between its own port and the server's."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from collections.abc import Iterator

import pytest

from openpy.db.url import DatabaseUrl
from tests.ports import free_port


class Gate:
    """Relays TCP connections to `target`; begins open. Everything may be called in any thread."""

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._selector = selectors.DefaultSelector()
        self._lock = threading.Lock()
        self._peers: dict[socket.socket, socket.socket] = {}
        self._frozen = False
        self._cut_at = b""
        self._delay = 0.0
        self._answering: set[socket.socket] = set()
        self._listener: socket.socket | None = None
        self._running = True
        self.port = free_port()
        self.open()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def open(self) -> None:
        """Let connections through."""
        with self._lock:
            self._frozen = False
            if self._listener is None:
                self._listener = socket.create_server(("127.0.0.1", self.port))
                self._selector.register(self._listener, selectors.EVENT_READ)

    def shut(self) -> None:
        """Cut all connections and refuse new ones, as a server that was stopped."""
        with self._lock:
            if self._listener is not None:
                self._selector.unregister(self._listener)
                self._listener.close()
                self._listener = None
            for one in list(self._peers):
                self._drop(one)

    def freeze(self) -> None:
        """Take connections and bytes, and pass nothing on, as a server that hangs."""
        self._frozen = True

    def cut_at(self, word: bytes) -> None:
        """Cut the connection once, when the server has been sent this and before its answer comes back."""
        self._cut_at = word

    def slow_down(self, seconds: float) -> None:
        """Let each answer of the server come so much later."""
        self._delay = seconds

    def close(self) -> None:
        """End."""
        self.shut()
        self._running = False
        self._thread.join()
        self._selector.close()

    def _work(self) -> None:
        while self._running:
            events = self._selector.select(0.02)
            with self._lock:
                for key, _ in [] if self._frozen else events:
                    if key.fileobj is self._listener:
                        self._accept(self._listener)
                    elif isinstance(key.fileobj, socket.socket) and key.fileobj in self._peers:
                        self._pass_on(key.fileobj)
            if self._frozen:
                threading.Event().wait(0.02)

    def _accept(self, listener: socket.socket) -> None:
        near, _ = listener.accept()
        far = socket.create_connection(self._target)
        self._answering.add(far)
        for one, other in ((near, far), (far, near)):
            self._peers[one] = other
            self._selector.register(one, selectors.EVENT_READ)

    def _pass_on(self, one: socket.socket) -> None:
        try:
            data = one.recv(65536)
            if self._delay and one in self._answering:
                threading.Event().wait(self._delay)
            if data:
                self._peers[one].sendall(data)
        except OSError:
            data = b""
        if not data:
            self._drop(one)
        elif self._cut_at and self._cut_at in data:
            self._cut_at = b""
            self._drop(one)

    def _drop(self, one: socket.socket) -> None:
        other = self._peers.pop(one, None)
        if other is None:
            return
        del self._peers[other]
        self._answering -= {one, other}
        for each in (one, other):
            self._selector.unregister(each)
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()


@pytest.fixture
def gate(url: DatabaseUrl) -> Iterator[Gate]:
    """A way to the server of a database that can be shut; there is none to a file."""
    assert url.port is not None
    gate = Gate((url.host, url.port))
    yield gate
    gate.close()
