"""The server under test: a child process with a port and a work folder of its own."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType

from bench.messages import Sender, options
from bench.meter import Meter, family

ADAPTER = Path(__file__).resolve().parent / "adapter.py"
OPENPY = f"{shlex.quote(sys.executable)} {shlex.quote(str(ADAPTER))} --port {{port}} --workdir {{workdir}}"
START_PATIENCE = 20.0  # seconds until it answers
STOP_PATIENCE = 10.0  # seconds from SIGTERM to SIGKILL


class ServerError(Exception):
    """The server did not start; the text holds the end of its log."""


class Server:
    """Runs a command line, with {port} and {workdir} filled in, while the `with` block lasts.

    The server is up once it answers OPTIONS, whatever the answer says.
    """

    def __init__(self, command: str = OPENPY) -> None:
        self._command = command

    def __enter__(self) -> Server:
        self._folder = tempfile.TemporaryDirectory(prefix="openpy-bench-", ignore_cleanup_errors=True)
        self.workdir = Path(self._folder.name)
        self.address = ("127.0.0.1", _free_port())
        words = shlex.split(self._command)
        fill = {"port": self.address[1], "workdir": self.workdir}
        with (self.workdir / "server.log").open("wb") as log:
            self._process = subprocess.Popen(
                [word.format(**fill) for word in words], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self.pid = self._process.pid
        self.meter = Meter(self.pid)
        try:
            self._wait_until_up()
        except BaseException:
            self.stop()
            self._folder.cleanup()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._folder.cleanup()

    def stop(self) -> None:
        """SIGTERM, then wait; SIGKILL to all that is left if it takes too long."""
        if self._process.poll() is not None:
            return
        members = list(family(self.pid))
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_PATIENCE)
        except subprocess.TimeoutExpired:
            for pid in members:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._process.wait()

    def log(self) -> str:
        """The end of what it printed."""
        return (self.workdir / "server.log").read_text(errors="replace")[-2000:]

    def _wait_until_up(self) -> None:
        until = time.monotonic() + START_PATIENCE
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            probe.connect(self.address)
            probe.settimeout(0.1)
            host, port = probe.getsockname()
            sender = Sender(host, port, f"up{time.time_ns():x}")
            number = 0
            while time.monotonic() < until:
                if self._process.poll() is not None:
                    raise ServerError(
                        f"the server ended with status {self._process.returncode}:\n{self.log()}"
                    )
                number += 1
                try:
                    probe.send(options(sender, sender.branch(), number))
                    if probe.recv(65535).startswith(b"SIP/2.0 "):
                        return
                except TimeoutError:
                    continue
                except ConnectionRefusedError:
                    time.sleep(0.05)
        raise ServerError(f"the server did not answer OPTIONS within {START_PATIENCE:g} s:\n{self.log()}")


def _free_port() -> int:
    """A port that is free for UDP and TCP."""
    while True:
        with (
            socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp,
            socket.socket(type=socket.SOCK_DGRAM) as udp,
        ):
            tcp.bind(("127.0.0.1", 0))
            port: int = tcp.getsockname()[1]
            try:
                udp.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
