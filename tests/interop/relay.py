"""A way for datagrams that loses some of them, both ways, between one program and another."""

from __future__ import annotations

import contextlib
import random
import selectors
import socket
import threading
from typing import Self

Address = tuple[str, int]

BUFFER = 1 << 20
LARGEST = 65535


class LossyRelay:
    """What comes to `port` goes on to `target`, and what comes back goes to who has sent last. Runs in a thread.

    `loss` is the probability that a datagram is lost.
    """

    def __init__(self, loss: float, seed: int, target: Address | None = None) -> None:
        """Without a target everything is lost until `target` is set."""
        self.target = target
        self._loss = loss
        self._random = random.Random(seed)
        self._outer = self._opened()
        self._inner = self._opened()
        self._client: Address | None = None
        self._running = True
        self._thread = threading.Thread(target=self._work, daemon=True)
        self.port = int(self._outer.getsockname()[1])
        self.carried = self.lost = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._running = False
        self._thread.join()
        self._outer.close()
        self._inner.close()

    def _opened(self) -> socket.socket:
        opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        opened.bind(("127.0.0.1", 0))
        opened.setblocking(False)
        return opened

    def _work(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._outer, selectors.EVENT_READ, self._inwards)
            selector.register(self._inner, selectors.EVENT_READ, self._outwards)
            while self._running:
                for key, _ in selector.select(0.1):
                    key.data()

    def _inwards(self) -> None:
        with contextlib.suppress(BlockingIOError, ConnectionRefusedError):
            data, self._client = self._outer.recvfrom(LARGEST)
            self._pass(data, self._inner, self.target)

    def _outwards(self) -> None:
        with contextlib.suppress(BlockingIOError, ConnectionRefusedError):
            data, _ = self._inner.recvfrom(LARGEST)
            self._pass(data, self._outer, self._client)

    def _pass(self, data: bytes, way: socket.socket, to: Address | None) -> None:
        if to is None or self._random.random() < self._loss:
            self.lost += 1
        else:
            self.carried += 1
            way.sendto(data, to)
