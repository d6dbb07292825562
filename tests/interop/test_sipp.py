"""SIPp as publisher and as watcher."""

from __future__ import annotations

import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from tests.scenarios.database import rows
from tests.scenarios.process import ServerProcess
from tests.scenarios.wire import Phone, pidf

SIPP = shutil.which("sipp")

pytestmark = [pytest.mark.scenario, pytest.mark.skipif(SIPP is None, reason="sipp is not installed")]

CALLS = 20


def run_sipp(scenario: str, server: ServerProcess, folder: Path, transport: str, user: str) -> None:
    """Run a scenario of this folder CALLS times; every one must go as it is written."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    run = subprocess.run(
        [
            *(
                str(SIPP),
                f"127.0.0.1:{server.ports[transport]}",
                "-sf",
                str(Path(__file__).parent / scenario),
            ),
            *("-s", user, "-i", "127.0.0.1", "-p", str(port), "-t", {"udp": "u1", "tcp": "t1"}[transport]),
            *("-m", str(CALLS), "-r", "50", "-recv_timeout", "5000", "-timeout", "30s", "-timeout_error"),
            *("-nostdin", "-trace_err", "-error_file", str(folder / "errors")),
        ],
        cwd=folder,
        env={"TERM": "dumb", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=45,
        check=False,
    )
    errors = folder / "errors"
    told = errors.read_text() if errors.exists() else ""
    assert run.returncode == 0, told + run.stdout[-3000:] + run.stderr[-1000:]


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_publisher(transport: str, server: ServerProcess, tmp_path: Path) -> None:
    run_sipp("publisher.xml", server, tmp_path, transport, f"published-{transport}")
    query = "SELECT count(*) FROM presentity WHERE username = ?"
    assert rows(server, query, f"published-{transport}") == [(0,)]


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_watcher(transport: str, server: ServerProcess, tmp_path: Path) -> None:
    uri = f"sip:watched-{transport}@127.0.0.1"
    with Phone(server.address) as phone:
        assert phone.publish(uri, pidf(uri, note="here")).status == 200
    run_sipp("watcher.xml", server, tmp_path, transport, f"watched-{transport}")
    assert rows(server, "SELECT count(*) FROM active_watchers WHERE presentity_uri = ?", uri) == [(0,)]
