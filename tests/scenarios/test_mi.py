"""Management commands as a shell gives them."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.scenarios.conftest import Launch
from tests.scenarios.process import ServerProcess

pytestmark = pytest.mark.scenario

OWN_MODULE = '''
from openpy.engine.mi import MiError
from openpy.engine.module import Module, mi_command

class Stand(Module):
    """Stands in for a module of a user's own."""

    name = "stand"

    @mi_command("refreshStand", too_many=(400, "Too many parameters"))
    async def refresh(self, presentity_uri: str, event: str, refresh_type: int) -> None:
        """Do nothing."""
        if not event:
            raise MiError(400, "Empty event parameter")
        self.services.log.notice("stand", f"{presentity_uri} {event} {refresh_type}")
'''

SCRIPT = """\
mpath="{folder}"
loadmodule "sl.so"
loadmodule "mi_fifo.so"
loadmodule "stand.so"
modparam("mi_fifo", "fifo_name", "{folder}/openser_fifo")
modparam("mi_fifo", "reply_dir", "{folder}/")
route {{ sl_send_reply("200", "OK"); }}
"""

Shell = Callable[[str], str]


@pytest.fixture
def server(launch: Launch, tmp_path: Path) -> ServerProcess:
    (tmp_path / "stand.py").write_text(OWN_MODULE)
    return launch(SCRIPT.format(folder=tmp_path))


@pytest.fixture
def shell(server: ServerProcess, tmp_path: Path) -> Shell:
    """Give a request to `cat`, and read the answer from a FIFO that the shell has made."""

    def run(request: str) -> str:
        command = "mkfifo fifo_reply && { cat fifo_reply & cat > openser_fifo; wait; rm fifo_reply; }"
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=tmp_path,
            input=request,
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
        )
        return done.stdout

    return run


def test_a_shell_asks_and_is_answered(server: ServerProcess, shell: Shell) -> None:
    assert re.fullmatch(r"200 OK\nServer:: openpy \([^)]+\)\n\n", shell(":version:fifo_reply\n\n"))
    assert f"PID={server.pid} " in shell(":ps:fifo_reply\n\n")
    assert "refreshStand\n" in shell(":which:fifo_reply\n\n")
    block = ":refreshStand:fifo_reply\nsip:11@192.168.2.132\npresence\n{}\n\n"
    assert shell(block.format(1)) == "200 OK\n\n"
    server.await_log("stand: sip:11@192.168.2.132 presence 1\n")
    assert shell(block.format("1\n2")) == "400 Too many parameters\n\n"
    assert shell(":nonsense:fifo_reply\n\n") == "500 command 'nonsense' not available\n"


def test_bad_input_stops_nothing(server: ServerProcess, shell: Shell, tmp_path: Path) -> None:
    with (tmp_path / "openser_fifo").open("wb") as fifo:
        fifo.write(b"\xff\x00" * 50_000 + b"\n\n:" + b"x" * 70_000 + b"\n\n::\n\n:which:../../etc/passwd\n\n")
    counts = shell(":get_statistics:fifo_reply\nmi_fifo:\n\n")
    assert counts == ("200 OK\nmi_fifo:fifo_answered_requests = 0\nmi_fifo:fifo_skipped_requests = 4\n\n")


def test_a_kill_stops_the_server_and_removes_its_fifo(
    server: ServerProcess, shell: Shell, tmp_path: Path
) -> None:
    assert shell(":kill:fifo_reply\n\n") == "500 command 'kill' failed\n"
    while server.running:
        time.sleep(0.01)
    assert server.stop() == 0
    assert not (tmp_path / "openser_fifo").exists()


def test_a_killed_server_leaves_a_fifo_that_the_next_replaces(
    server: ServerProcess, shell: Shell, tmp_path: Path
) -> None:
    server.kill()
    assert (tmp_path / "openser_fifo").exists()
    server.start()
    assert shell(":debug:fifo_reply\n\n") == "200 OK\nDEBUG:: 2\n\n"
