"""pjsua2 as a phone that is told what to do: deskphone.py in a process of its own."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.interop.device import Account, Device, Happening

HAS_PJSUA = importlib.util.find_spec("pjsua2") is not None


class Pjsua(Device):
    """By UDP only."""

    def __init__(self, account: Account, folder: Path) -> None:
        program = [sys.executable, "-m", "tests.interop.deskphone"]
        super().__init__(account, [*program, account.name, account.password, str(account.port)], folder)

    def register(self) -> None:
        self._command("register")

    def dial(self, name: str) -> None:
        self._command(f"dial {self.account.uri_of(name)}")

    def answer(self) -> None:
        self._command("answer")

    def hang_up(self) -> None:
        self._command("hangup")

    def quit(self) -> None:
        if self.process.poll() is None:
            self._command("quit")

    def _command(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def _reach(self) -> None:
        """What it is told waits in the pipe."""

    def _happenings(self) -> Iterator[tuple[Happening, str]]:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("["):
                what, detail = json.loads(line)
                yield Happening(what), detail

    def _output(self, log: int) -> int:
        return subprocess.PIPE
