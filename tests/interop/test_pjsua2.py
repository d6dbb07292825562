"""pjsua2 as publisher and as watcher: a buddy's state changes are seen."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.scenarios.database import rows
from tests.scenarios.process import ServerProcess

pytestmark = [
    pytest.mark.scenario,
    pytest.mark.skipif(importlib.util.find_spec("pjsua2") is None, reason="pjsua2 is not installed"),
]

ONLINE, OFFLINE = 1, 2


def test_a_buddy_is_seen_to_come_and_go(server: ServerProcess) -> None:
    run = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("softphone.py")), str(server.ports["udp"])],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr + server.log.read_text()[-2000:]
    seen = [json.loads(line)["status"] for line in run.stdout.splitlines() if line.startswith("{")]
    changes = [status for before, status in zip([0, *seen], seen, strict=False) if status != before]
    assert [status for status in changes if status][-4:] == [ONLINE, OFFLINE, ONLINE, OFFLINE]
    assert rows(server, "SELECT count(*) FROM active_watchers") == [(0,)]
