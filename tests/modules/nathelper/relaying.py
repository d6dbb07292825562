"""rtpproxies, and who asks them: real sockets, which are looked at when the test says so, and virtual time."""

from __future__ import annotations

import select
import socket
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Self, cast

from openpy.engine.services import Services
from openpy.engine.waiting import Wait
from openpy.transaction.wheel import Wheel


class Asker:
    """The services that a wire needs."""

    def __init__(self) -> None:
        self.now = 100.0
        self.wheel = Wheel(self.now)
        self.watched: dict[int, Callable[[], None]] = {}
        self.logged: list[str] = []
        self.hosts = {"relay.example": ("127.0.0.1",), "nowhere.example": ()}
        self._count = 0
        log = SimpleNamespace(
            warning=lambda origin, text: self.logged.append(text),
            error=lambda origin, text: self.logged.append(text),
        )
        self.services = cast(
            Services,
            SimpleNamespace(
                wheel=self.wheel,
                clock=SimpleNamespace(monotonic=lambda: self.now),
                log=log,
                token=self._token,
                resolve=self._resolve,
                watch=self.watch,
            ),
        )

    def watch(self, descriptor: int, readable: Callable[[], None]) -> Callable[[], None]:
        self.watched[descriptor] = readable

        def end() -> None:
            del self.watched[descriptor]

        return end

    def read(self) -> None:
        """Read all that has come."""
        while self.watched:
            ready, _, _ = select.select(list(self.watched), [], [], 0.2)
            if not ready:
                return
            for descriptor in ready:
                if descriptor in self.watched:
                    self.watched[descriptor]()

    def run_for(self, seconds: float) -> None:
        self.now += seconds
        self.wheel.advance(self.now)

    def _token(self) -> str:
        self._count += 1
        return f"cookie{self._count}"

    def _resolve(self, host: str) -> Wait[tuple[str, ...]]:
        wait: Wait[tuple[str, ...]] = Wait()
        if host == "silent.example":
            wait.fail(OSError("nobody can tell"))
        else:
            wait.resolve(self.hosts.get(host, (host,)))
        return wait


class Proxy:
    """An rtpproxy on UDP that gives ports from 7000 on."""

    def __init__(self, reply: str = "") -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(5)
        self.reply = reply
        self.heard: list[str] = []
        self._port = 7000

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    @property
    def port(self) -> int:
        return int(self.socket.getsockname()[1])

    @property
    def url(self) -> str:
        return f"udp:127.0.0.1:{self.port}"

    def serve(self, *, answers: bool = True) -> str:
        """Take one command; it without its cookie."""
        data, peer = self.socket.recvfrom(4096)
        cookie, _, command = data.decode().partition(" ")
        self.heard.append(command)
        if answers:
            self.socket.sendto(f"{cookie} {self.reply or self._answer(command)}\n".encode(), peer)
        return command

    def _answer(self, command: str) -> str:
        if command[0] in "DR":
            return "0"
        self._port += 2
        return f"{self._port} 198.51.100.88"


def unix_proxy(path: Path) -> socket.socket:
    """The listening socket of an rtpproxy in the file system."""
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(str(path))
    listening.listen(4)
    listening.settimeout(5)
    return listening
