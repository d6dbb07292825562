"""openpy as a user starts it: a process of its own, on ports that it gets back when it is started again."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from tests.ports import free_port

ROOT = Path(__file__).parent.parent.parent

OPENPY = ("-m", "openpy")


class ServerProcess:
    """One server. `program` says what Python is to run: a wrapper of a test, or openpy itself."""

    def __init__(
        self,
        script: Path,
        *options: str,
        listen: Sequence[str] = ("udp", "tcp"),
        host: str = "127.0.0.1",
        program: Sequence[str] = OPENPY,
    ) -> None:
        self.script = script
        self.options = options
        self.listen = listen
        self.host = host
        self.program = program
        self.ports = {kind: free_port(host) for kind in listen}
        self.process: subprocess.Popen[bytes] | None = None
        self.log = script.with_suffix(".log")

    def start(self, patience: float = 20.0) -> ServerProcess:
        """Start and wait until it listens; the same ports again after a restart."""
        self.begin()
        self._await_banner(time.monotonic() + patience)
        return self

    def begin(self) -> None:
        """Start, and wait for nothing."""
        arguments = [sys.executable, *self.program, "-f", str(self.script)]
        for kind in self.listen:
            arguments += ["-l", f"{kind}:{self._bracketed}:{self.ports[kind]}"]
        path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
        environment = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONPATH": path}
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [*arguments, *self.options],
                cwd=self.script.parent,
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment,
            )

    def _await_banner(self, deadline: float) -> None:
        """Read the ports from the lines that it prints once it listens."""
        assert self.process is not None
        assert self.process.stdout is not None
        line = re.compile(rf"^ +(udp|tcp|tls|ws|wss):{re.escape(self._bracketed)}:(\d+)$", re.MULTILINE)
        printed = ""
        while len(found := line.findall(printed)) < len(self.listen):
            left = max(0.0, deadline - time.monotonic())
            ready, _, _ = select.select([self.process.stdout], [], [], left)
            piece = os.read(self.process.stdout.fileno(), 4096) if ready else b""
            if not piece:
                self.kill()
                raise AssertionError(f"the server did not start:\n{self.log.read_text()}")
            printed += piece.decode()
        self.ports = {kind: int(port) for kind, port in found}

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens on UDP."""
        return self.host, self.ports["udp"]

    @property
    def tcp_address(self) -> tuple[str, int]:
        """Where it listens on TCP."""
        return self.host, self.ports["tcp"]

    @property
    def _bracketed(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        self.process.kill()
        self._wait()

    def stop(self) -> int:
        """SIGTERM; returns the exit status."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self._wait()

    def statistics(self, patience: float = 5.0) -> dict[str, int]:
        """What SIGUSR1 makes it tell: every counter that is not 0."""
        before = self.log.stat().st_size
        self.signal(signal.SIGUSR1)
        deadline = time.monotonic() + patience
        found: dict[str, str] = {}
        while time.monotonic() < deadline:
            time.sleep(0.05)
            with self.log.open() as log:
                log.seek(before)
                told = dict(re.findall(r"statistics: (\S+:\S+) = (\d+)\n", log.read()))
            if told and told.keys() == found.keys():  # a thread writes them line by line, and it has ended
                return {name: int(value) for name, value in told.items()}
            found = told
        raise AssertionError("no statistics were told")

    def await_log(self, text: str, patience: float = 5.0) -> None:
        """Wait until its log, which a thread writes, has this in it."""
        deadline = time.monotonic() + patience
        while text not in self.log.read_text():
            assert time.monotonic() < deadline, f"{text!r} is not in the log: {self.log.read_text()}"
            time.sleep(0.01)

    def _wait(self) -> int:
        assert self.process is not None
        assert self.process.stdout is not None
        try:
            return self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        finally:
            self.process.stdout.close()


class Launch(Protocol):
    """Writes a script into a folder of its own and starts a server with it."""

    def __call__(self, script: str = ..., *options: str, **parts: Any) -> ServerProcess: ...
