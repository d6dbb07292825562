"""A server with a FIFO in this process, and a client that asks it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

from tests.modules.echo import EchoServer, until

__all__ = ["Asker", "FifoServer", "until"]


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


class FifoServer(EchoServer):
    """A server whose modules are echo and mi_fifo."""

    def __init__(self, folder: Path, settings: str = "") -> None:
        places = (
            f'modparam("mi_fifo", "fifo_name", "{folder}/fifo")\n'
            f'modparam("mi_fifo", "reply_dir", "{folder}/")\n'
        )
        super().__init__(folder, "mi_fifo", places + settings)
        self.asker = Asker(folder)

    async def settled(self) -> None:
        """Wait until an answer that was read already is counted too."""
        for _ in range(3):
            await asyncio.sleep(0.05)

    async def ask(self, request: str, name: str = "answer") -> str:
        return await asyncio.to_thread(self.asker.ask, request, name)
