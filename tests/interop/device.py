"""A foreign phone as tests see it: what it is told to do, and what it then says has happened."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Self

from tests.scenarios.process import ROOT

PATIENCE = 15.0
"""Seconds for each thing that is waited for."""

LIFETIME = 50
"""Seconds after which a phone is killed, whatever becomes of its test."""


class Happening(StrEnum):
    """What a phone says."""

    REGISTERED = "registered"
    REFUSED = "refused"  # its registration
    INCOMING = "incoming"
    RINGING = "ringing"  # elsewhere, where it calls
    ESTABLISHED = "established"
    CLOSED = "closed"


def password_of(name: str) -> str:
    """The password of somebody who has an account."""
    return f"of-{name}"


@dataclass(frozen=True)
class Account:
    """Who a phone is, and the server's port that it registers at."""

    name: str
    password: str
    port: int
    transport: str = "udp"

    @property
    def uri(self) -> str:
        return f"sip:{self.name}@127.0.0.1:{self.port}"

    def uri_of(self, name: str) -> str:
        """Somebody else, by the same way."""
        by = "" if self.transport == "udp" else f";transport={self.transport}"
        return f"sip:{name}@127.0.0.1:{self.port}{by}"


class Device(ABC):
    """One phone with one account and one call at a time, in a process of its own."""

    def __init__(self, account: Account, program: Sequence[str], folder: Path) -> None:
        self.account = account
        self.log = folder / f"{type(self).__name__}-{account.name}.log"
        self._program = program
        self._folder = folder
        self._said: queue.Queue[tuple[Happening, str]] = queue.Queue()
        self._before: list[tuple[Happening, str]] = []
        self._listener = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> Self:
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                ["timeout", "-s", "KILL", str(LIFETIME), *self._program],
                stdin=subprocess.PIPE,
                stdout=self._output(log.fileno()),
                stderr=log,
                cwd=self._folder,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                text=True,
                start_new_session=True,
            )
        try:
            self._reach()
        except BaseException:
            self._end(0)
            raise
        self._listener.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.quit()
        self._end(PATIENCE)

    def _end(self, patience: float) -> None:
        """Wait for the end of the process, or kill it."""
        try:
            self.process.wait(patience)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            raise AssertionError(f"{self} had to be killed\n{self._told()}") from None
        finally:
            if self._listener.ident is not None:
                self._listener.join(PATIENCE)
            for stream in (self.process.stdin, self.process.stdout):
                if stream is not None:
                    stream.close()

    # --- what each kind of phone does in its own way ------------------------------------------------------------

    @abstractmethod
    def register(self) -> None:
        """Begin to register."""

    @abstractmethod
    def dial(self, name: str) -> None:
        """Begin to call somebody at the same server."""

    @abstractmethod
    def answer(self) -> None:
        """Take the call that comes in."""

    @abstractmethod
    def hang_up(self) -> None:
        """End the call, give up calling, or refuse the call that comes in: 486."""

    @abstractmethod
    def quit(self) -> None:
        """Let the process end."""

    @abstractmethod
    def _reach(self) -> None:
        """Wait until it can be told something; raises AssertionError where it has ended."""

    @abstractmethod
    def _happenings(self) -> Iterable[tuple[Happening, str]]:
        """What happens, with a detail, until the process ends."""

    def _output(self, log: int) -> int:
        """Where the standard output goes."""
        return log

    # --- what happened ------------------------------------------------------------------------------------------

    def expect(self, what: Happening, patience: float = PATIENCE) -> str:
        """Wait for this, whatever else is said before; returns the detail."""
        deadline = time.monotonic() + patience
        while True:
            try:
                said = self._said.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"{self}: not {what}, but {self._before}\n{self._told()}") from None
            self._before.append(said)
            if said[0] == what:
                return said[1]

    def has_said(self, what: Happening) -> bool:
        """Whether this has happened until now."""
        return what in [said for said, _ in (*self._before, *list(self._said.queue))]

    def __str__(self) -> str:
        return f"{self.account.name}'s {type(self).__name__}"

    def _listen(self) -> None:
        for happening in self._happenings():
            self._said.put(happening)

    def _told(self) -> str:
        return self.log.read_text(errors="replace")[-3000:]
