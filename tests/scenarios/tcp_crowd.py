"""Peers that no server wants, many at once: `python -m tests.scenarios.tcp_crowd HOST PORT KIND SIZE`.

They come from many addresses of 127.0.0.0/8. Kinds: `silent` says nothing, `half` sends half a message, `slow` an
octet a second, `deaf` asks and never reads, `noisy` sends what is no SIP. One that is closed is not opened again.
"""

from __future__ import annotations

import errno
import selectors
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

ROOT = Path(__file__).parent.parent.parent

HALF = (
    b"OPTIONS sip:example.org SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bKh\r\nCall-ID: " + b"x" * 200
)
QUESTION = (
    b"OPTIONS sip:example.org SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bKd\r\nFrom: <sip:a@b>;tag=1\r\n"
    b"To: <sip:b@b>\r\nCall-ID: "
    + b"d" * 400
    + b"\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
)
NOISE = b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n"
FIRST_WORDS = {"silent": b"", "half": HALF, "slow": HALF[:1], "deaf": QUESTION * 40, "noisy": NOISE}

IP_BIND_ADDRESS_NO_PORT = 24  # each address has all ports for itself; Python has no name for it
TOGETHER = 500  # connections on their way at one time


class Crowd:
    """A crowd in a process of its own."""

    def __init__(self, server: tuple[str, int], kind: str, size: int) -> None:
        arguments = [sys.executable, "-m", __name__, *map(str, server), kind, str(size)]
        self._process = subprocess.Popen(arguments, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __enter__(self) -> Self:
        return self

    def is_here(self, patience: float = 0.0) -> bool:
        """Whether all have connected, or it ended; waits so many seconds for it."""
        assert self._process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            return bool(selector.select(patience))

    def gathered(self, patience: float) -> None:
        """Wait until all have connected."""
        assert self.is_here(patience), "the crowd does not come together"
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"all are here\n"

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait(10)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()


def source(number: int) -> tuple[str, int]:
    """Hundred connections an address."""
    address = 2 + number // 100
    return f"127.0.{address // 250}.{address % 250 + 1}", 0


def connect(server: tuple[str, int], kind: str, size: int) -> list[socket.socket]:
    """Open all connections, TOGETHER at a time, and say the first words on each."""
    crowd: list[socket.socket] = []
    opening = selectors.DefaultSelector()
    number = 0
    while number < size or opening.get_map():
        while number < size and len(opening.get_map()) < TOGETHER:
            peer = socket.socket()
            peer.setblocking(False)
            if kind == "deaf":
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            peer.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
            peer.bind(source(number))
            if peer.connect_ex(server) not in (0, errno.EINPROGRESS):
                raise OSError(f"connection {number} failed")
            opening.register(peer, selectors.EVENT_WRITE)
            number += 1
        for key, _ in opening.select(1):
            peer = key.fileobj  # type: ignore[assignment]
            opening.unregister(peer)
            crowd.append(peer)
            say(peer, FIRST_WORDS[kind])
    return crowd


def say(peer: socket.socket, words: bytes) -> bool:
    """Send what goes; False if the connection is gone."""
    try:
        peer.send(words)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return True


def behave(crowd: list[socket.socket], kind: str) -> None:
    """Go on, until this process is killed."""
    step = 0
    while True:
        time.sleep(1)
        step += 1
        words = {"slow": HALF[step : step + 1], "deaf": QUESTION * 40}.get(kind, b"")
        if words:
            crowd = [peer for peer in crowd if say(peer, words)]


if __name__ == "__main__":
    host, port, kind, size = sys.argv[1:]
    crowd = connect((host, int(port)), kind, int(size))
    print("all are here", flush=True)
    behave(crowd, kind)
