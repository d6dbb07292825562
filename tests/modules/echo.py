"""A server in this process, with a module of its own whose management commands say what they heard."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Self

from openpy.engine.config import CoreConfig
from openpy.engine.log import Log
from openpy.engine.server import Server
from openpy.script.syntax import SocketId

OWN_MODULE = '''
from openpy.engine.mi import CommandFailed, Reply
from openpy.engine.module import Module, mi_command
from openpy.engine.waiting import Wait

class Echo(Module):
    """Says what it heard."""

    name = "echo"
    waits = None
    heard = ()

    @mi_command("echo")
    def echo(self, *words: str) -> Reply:
        """Give the words back."""
        self.heard = (*self.heard, words)
        reply = Reply()
        for word in words:
            reply.add("Word", word).add("Length", str(len(word)))
        return reply

    @mi_command("fail")
    def fail(self) -> None:
        """Fail."""
        raise CommandFailed("as it was told")

    @mi_command("wait")
    async def wait(self, which: str) -> Reply:
        """Answer when it is let go."""
        self.waits = self.waits or {}
        self.waits[which] = Wait()
        reply = Reply()
        reply.add(value=which + await self.waits[which])
        return reply
'''


class EchoServer:
    """A server whose modules are echo and one that takes commands, `mi`."""

    def __init__(self, folder: Path, module: str, settings: str) -> None:
        (folder / "echo.py").write_text(OWN_MODULE)
        self.folder = folder
        self.lines: list[str] = []
        log = Log(2, lambda _, line: self.lines.append(line.split("] ", 1)[1]))
        self.server = Server(CoreConfig(listen=[SocketId("udp", "127.0.0.1", 0)]), log=log)
        (folder / "test.cfg").write_text(
            f'mpath="{folder}"\nloadmodule "echo.so"\nloadmodule "{module}.so"\n{settings}\nroute {{ exit; }}'
        )
        self.server.load(folder / "test.cfg")
        self.server.bind()
        self.echo: Any = self.server.modules["echo"]
        self.mi: Any = self.server.modules[module]

    def play(self, scene: Callable[[Self], Awaitable[None]]) -> None:
        """Start, play, stop."""

        async def live() -> None:
            await self.server.start()
            try:
                await scene(self)
            finally:
                await self.server.stop()

        asyncio.run(live())


async def until(condition: Callable[[], object]) -> None:
    while not condition():
        await asyncio.sleep(0.005)
