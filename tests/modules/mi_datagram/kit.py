"""A server with a socket in the file system, in this process, and a client that asks it."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.modules.echo import EchoServer

SETTING = 'modparam("mi_datagram", "socket_name", "{}")\n'


class Asker:
    """Sends requests and waits for the answers, without holding the server up."""

    def __init__(self, folder: Path, name: str = "asker") -> None:
        self.server = str(folder / "socket")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        if name:
            self.socket.bind(str(folder / name))

    def send(self, request: str | bytes) -> None:
        self.socket.sendto(request if isinstance(request, bytes) else request.encode(), self.server)

    async def answer(self) -> str:
        return (await asyncio.get_running_loop().sock_recv(self.socket, 1 << 20)).decode()

    async def ask(self, request: str | bytes) -> str:
        self.send(request)
        return await self.answer()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()


class DatagramServer(EchoServer):
    """A server whose modules are echo and mi_datagram."""

    def __init__(self, folder: Path, settings: str = "") -> None:
        super().__init__(folder, "mi_datagram", SETTING.format(folder / "socket") + settings)

    @property
    def counts(self) -> tuple[int, int]:
        """Answered and unanswered."""
        return self.mi.answered.value, self.mi.unanswered.value
