"""A stand-in for a server: a thread that answers every request by a rule."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

Rule = Callable[[bytes], list[bytes]]  # what to send back for one datagram
StandIn = Callable[[Rule], tuple[str, int]]


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    """Starts a stand-in with a rule; gives its address."""
    sockets: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def start(rule: Rule) -> tuple[str, int]:
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=_answer, args=(udp, rule))
        thread.start()
        sockets.append(udp)
        threads.append(thread)
        host, port = udp.getsockname()
        return host, port

    yield start
    for udp, thread in zip(sockets, threads, strict=True):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.sendto(b"stop", udp.getsockname())
        thread.join()
        udp.close()


def _answer(udp: socket.socket, rule: Rule) -> None:
    while True:
        request, client = udp.recvfrom(65535)
        if request == b"stop":
            return
        for answer in rule(request):
            udp.sendto(answer, client)
