"""How a command gets to an rtpproxy and its reply back, without holding anybody up.

Rules:
1. By UDP a command has a cookie, by which its reply is known, and is repeated until that comes.
2. By a socket in the file system each command has a connection of its own.
3. `done(reply)` is called once: with the reply, or None where none came in time.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import NamedTuple, Protocol

from openpy.engine.services import Services
from openpy.engine.waiting import Stepper

Done = Callable[[str | None], None]

LONGEST = 4096
"""Octets of a reply."""

AGAIN = 0.1
"""Seconds until somebody is asked again who had no time to listen."""


class Patience(NamedTuple):
    """Seconds until a command is repeated, and how often it is."""

    seconds: int
    repetitions: int


class Wire(Protocol):
    """The way to one rtpproxy."""

    def ask(self, command: str, patience: Patience, done: Done) -> None:
        """Send a command."""
        ...

    def close(self) -> None:
        """Nobody asks any more."""
        ...


class UdpWire:
    """By UDP to `host:port`; the host may be a name."""

    def __init__(self, services: Services, host: str, port: int) -> None:
        self._services = services
        self._host = host
        self._port = port
        self._socket: socket.socket | None = None
        self._end: Callable[[], None] = lambda: None
        self._asked: dict[str, Done] = {}

    def ask(self, command: str, patience: Patience, done: Done) -> None:
        """Send a command until there is a reply."""
        cookie = self._services.token()
        self._asked[cookie] = done
        self._send(cookie, command, patience.seconds, patience.repetitions)

    def close(self) -> None:
        """Close the socket, and tell who waits."""
        self._shut()
        for cookie in list(self._asked):
            self._answer(cookie, None)

    def _send(self, cookie: str, command: str, seconds: int, left: int) -> None:
        if cookie not in self._asked:
            return
        if left < 0:
            self._shut()  # the name may have another address by now
            self._answer(cookie, None)
            return
        self._services.wheel.add(seconds, partial(self._send, cookie, command, seconds, left - 1))
        if self._socket is None:
            Stepper(self._open(f"{cookie} {command}"), self._opened).step()
        else:
            self._put(f"{cookie} {command}")

    def _shut(self) -> None:
        if self._socket is not None:
            self._end()
            self._socket.close()
            self._socket = None

    def _put(self, text: str) -> None:
        if self._socket is not None:
            with suppress(OSError):  # nobody is there: it is repeated
                self._socket.send(text.encode("utf-8", "surrogateescape"))

    async def _open(self, first: str) -> None:
        """Find the address, and send the first command."""
        with suppress(OSError):
            addresses = await self._services.resolve(self._host)
            if addresses and self._socket is None:
                family = (
                    socket.AF_INET6 if ipaddress.ip_address(addresses[0]).version == 6 else socket.AF_INET
                )
                self._socket = socket.socket(family, socket.SOCK_DGRAM)
                self._socket.setblocking(False)
                self._end = self._services.watch(self._socket.fileno(), self._readable)
                self._socket.connect((addresses[0], self._port))
        self._put(first)

    def _opened(self, _: None, error: BaseException | None) -> None:
        if error is not None:
            self._services.log.error("nathelper", f"no way to the rtpproxy at {self._host}: {error}")

    def _readable(self) -> None:
        while self._socket is not None:
            try:
                data = self._socket.recv(LONGEST)
            except OSError:  # all is read, or nobody is there
                return
            cookie, _, reply = data.decode("utf-8", "replace").strip().partition(" ")
            self._answer(cookie, reply)

    def _answer(self, cookie: str, reply: str | None) -> None:
        done = self._asked.pop(cookie, None)
        if done is not None:
            done(reply)


class UnixWire:
    """By a stream socket in the file system."""

    def __init__(self, services: Services, path: str) -> None:
        self._services = services
        self._path = path

    def ask(self, command: str, patience: Patience, done: Done) -> None:
        """Connect, send the command and wait for the reply."""
        now = self._services.clock.monotonic()
        self._ask(command, now + patience.seconds * (1 + patience.repetitions), done)

    def _ask(self, command: str, until: float, done: Done) -> None:
        left = until - self._services.clock.monotonic()
        stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        stream.setblocking(False)
        try:
            stream.connect(self._path)
            stream.sendall(f"{command}\n".encode("utf-8", "surrogateescape"))
        except OSError as error:
            stream.close()
            if isinstance(error, BlockingIOError) and left > 0:  # too many wait there to be let in
                self._services.wheel.add(AGAIN, partial(self._ask, command, until, done))
            else:
                done(None)
            return
        end = self._services.watch(stream.fileno(), lambda: finish(_read(stream)))
        timer = self._services.wheel.add(max(left, 0.0), lambda: finish(None))

        def finish(reply: str | None) -> None:
            end()
            timer.cancel()
            stream.close()
            done(reply)

    def close(self) -> None:
        """Nothing is open."""


def _read(stream: socket.socket) -> str | None:
    """The reply that has come; None where the connection was closed instead."""
    try:
        return stream.recv(LONGEST).decode("utf-8", "replace").strip() or None
    except OSError:
        return None
