from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest

from bench.meter import family
from bench.server import Server, ServerError

ANSWERING = """
import pathlib, socket, sys
pathlib.Path(sys.argv[2], "here").touch()
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(("127.0.0.1", int(sys.argv[1])))
while True:
    udp.sendto(b"SIP/2.0 200 OK\\r\\n\\r\\n", udp.recvfrom(9999)[1])
"""


def _command(program: str) -> str:
    program = program.replace("{", "{{").replace("}", "}}")
    return shlex.join([sys.executable, "-c", program, "{port}", "{workdir}"])


def test_a_server_lives_as_long_as_its_block() -> None:
    with Server(_command(ANSWERING)) as server:
        folder, pid = server.workdir, server.pid
        assert (folder / "here").exists()
        assert server.meter.cpu() > 0
    assert not folder.exists()
    assert not Path(f"/proc/{pid}").exists()


def test_a_server_that_ends_at_once_tells_why() -> None:
    with (
        pytest.raises(ServerError, match="status 3:\nno store"),
        Server(_command("print('no store', flush=True); raise SystemExit(3)")),
    ):
        pass


def test_a_server_that_stays_mute_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.server.START_PATIENCE", 0.2)
    with pytest.raises(ServerError, match="did not answer"), Server(_command("import time; time.sleep(99)")):
        pass


def test_a_server_that_ignores_sigterm_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.server.STOP_PATIENCE", 0.2)
    with Server(_command("import signal; signal.signal(15, signal.SIG_IGN)" + ANSWERING)) as server:
        assert list(family(server.pid)) == [server.pid]
    assert not Path(f"/proc/{server.pid}").exists()
