"""SIPp as publisher and as watcher."""

from __future__ import annotations

import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.scenarios.database import rows
from tests.scenarios.process import ServerProcess
from tests.scenarios.wire import Phone, pidf

SIPP = shutil.which("sipp")

pytestmark = [pytest.mark.scenario, pytest.mark.skipif(SIPP is None, reason="sipp is not installed")]

CALLS = 20

CROWD = 200


def run_sipp(
    scenario: str, server: ServerProcess, folder: Path, transport: str, user: str, calls: int = CALLS
) -> None:
    """Run a scenario of this folder so many times; every one must go as it is written."""
    port = free_port()
    address = f"127.0.0.1:{server.ports[transport]}"
    run = subprocess.run(
        [
            *(str(SIPP), address, "-sf", str(Path(__file__).parent / scenario), "-s", user),
            *("-i", "127.0.0.1", "-p", str(port), "-t", {"udp": "u1", "tcp": "t1"}[transport]),
            *("-m", str(calls), "-l", str(calls), "-r", str(max(50, calls // 2)), "-buff_size", "1048576"),
            *("-recv_timeout", "5000", "-timeout", "30s", "-timeout_error"),
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


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_watchers_by_the_hundred(transport: str, server: ServerProcess, tmp_path: Path) -> None:
    """All are subscribed at the same time, and all are told of one change."""
    name = f"famous-{transport}"
    uri = f"sip:{name}@127.0.0.1"
    count = "SELECT count(*) FROM active_watchers WHERE presentity_uri = ?"
    with Phone(server.address) as phone, ThreadPoolExecutor() as pool:
        etag = phone.publish(uri, pidf(uri, note="here")).get("SIP-ETag")
        crowd = pool.submit(run_sipp, "crowd.xml", server, tmp_path, transport, name, CROWD)
        while rows(server, count, uri) != [(CROWD,)] and not crowd.done():
            time.sleep(0.05)
        phone.publish(uri, pidf(uri, note="gone"), etag=etag)
        crowd.result()
    assert rows(server, count, uri) == [(0,)]
