"""A server with a FIFO in this process, and a client that asks it."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

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


class Asker:
    """Writes requests and reads the answers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.fifo = folder / "fifo"

    def write(self, text: str) -> None:
        descriptor = os.open(self.fifo, os.O_WRONLY | os.O_NONBLOCK)
        os.set_blocking(descriptor, True)
        os.write(descriptor, text.encode())
        os.close(descriptor)

    @contextmanager
    def reading(self, *names: str) -> Iterator[dict[str, str]]:
        """Read the answers in these FIFOs, until the end of the block."""
        answers: dict[str, str] = {}

        def read(path: Path) -> None:
            answers[path.name] = path.read_text()

        readers = []
        for name in names:
            os.mkfifo(self.folder / name)
            readers.append(Thread(target=read, args=(self.folder / name,), daemon=True))
            readers[-1].start()
        yield answers
        for reader in readers:
            reader.join(10)
            assert not reader.is_alive()
        for name in names:
            (self.folder / name).unlink()

    def ask(self, request: str, name: str = "answer") -> str:
        with self.reading(name) as answers:
            self.write(request)
        return answers[name]


class FifoServer:
    """A server whose modules are echo and mi_fifo."""

    def __init__(self, folder: Path, settings: str = "") -> None:
        (folder / "echo.py").write_text(OWN_MODULE)
        self.lines: list[str] = []
        log = Log(2, lambda _, line: self.lines.append(line.split("] ", 1)[1]))
        self.server = Server(CoreConfig(listen=[SocketId("udp", "127.0.0.1", 0)]), log=log)
        (folder / "test.cfg").write_text(
            f'mpath="{folder}"\nloadmodule "echo.so"\nloadmodule "mi_fifo.so"\n'
            f'modparam("mi_fifo", "fifo_name", "{folder}/fifo")\n'
            f'modparam("mi_fifo", "reply_dir", "{folder}/")\n{settings}\nroute {{ exit; }}'
        )
        self.server.load(folder / "test.cfg")
        self.server.bind()
        self.echo: Any = self.server.modules["echo"]
        self.mi: Any = self.server.modules["mi_fifo"]
        self.asker = Asker(folder)

    def play(self, scene: Callable[[FifoServer], Awaitable[None]]) -> None:
        """Start, play, stop."""
        thresholds = gc.get_threshold()

        async def live() -> None:
            await self.server.start()
            try:
                await scene(self)
            finally:
                await self.server.stop()

        try:
            asyncio.run(live())
        finally:
            gc.set_threshold(*thresholds)

    async def settled(self) -> None:
        """Wait until an answer that was read already is counted too."""
        for _ in range(3):
            await asyncio.sleep(0.05)

    async def ask(self, request: str, name: str = "answer") -> str:
        return await asyncio.to_thread(self.asker.ask, request, name)


async def until(condition: Callable[[], object]) -> None:
    while not condition():
        await asyncio.sleep(0.005)
