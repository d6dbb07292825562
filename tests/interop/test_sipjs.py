"""SIP.js, as browsers have it, over WebSocket: it registers, publishes and watches."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.scenarios.database import rows
from tests.scenarios.process import ServerProcess

NODE = shutil.which("node")
FOLDER = Path(__file__).with_name("sipjs")

pytestmark = [
    pytest.mark.scenario,
    pytest.mark.skipif(NODE is None, reason="node is not installed"),
    pytest.mark.skipif(
        not (FOLDER / "node_modules" / "sip.js").is_dir(),
        reason="SIP.js is not installed (make .venv/installed-interop)",
    ),
]

ACTIVE = "active;expires="


def test_a_browsers_client_registers_publishes_and_watches(proxy: ServerProcess) -> None:
    run = subprocess.run(
        ["timeout", "-s", "KILL", "50", str(NODE), str(FOLDER / "presence.js"), str(proxy.ports["ws"])],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr + proxy.log.read_text()[-2000:]
    told = [json.loads(line) for line in run.stdout.splitlines()]
    for who, states in (
        ("alice", ["Registered", "Unregistered"]),
        ("bob", ["Registered", "Subscribed", "Terminated", "Unregistered"]),
    ):
        assert [item["state"] for item in told if item["who"] == who and "sees" not in item] == states
    seen = [item for item in told if "sees" in item]
    assert [item["sees"] for item in seen if item["sees"]][:4] == ["open", "closed", "open", "closed"]
    assert all(item["state"].startswith(ACTIVE) for item in seen[:4])
    for table in ("location", "presentity", "active_watchers"):
        assert rows(proxy, f"SELECT count(*) FROM {table}") == [(0,)], table
