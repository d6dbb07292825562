"""pjsua2 as publisher and as watcher: a buddy's state changes are seen, and what waits in a mailbox."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.scenarios.database import rows
from tests.scenarios.process import ServerProcess
from tests.scenarios.wire import Phone

pytestmark = [
    pytest.mark.scenario,
    pytest.mark.skipif(importlib.util.find_spec("pjsua2") is None, reason="pjsua2 is not installed"),
]

SOFTPHONE = (sys.executable, str(Path(__file__).with_name("softphone.py")))

ONLINE, OFFLINE = 1, 2


def test_a_buddy_is_seen_to_come_and_go(server: ServerProcess) -> None:
    run = subprocess.run(
        [*SOFTPHONE, "buddy", str(server.ports["udp"])],
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


def test_mwi_a_mailbox_is_heard_of(server: ServerProcess) -> None:
    with (
        Phone(server.address, "machine") as machine,
        Phone(server.address, "registrar") as registrar,
        subprocess.Popen(
            [*SOFTPHONE, "mailbox", str(server.ports["udp"]), str(registrar.port)],
            stdout=subprocess.PIPE,
            text=True,
        ) as softphone,
    ):

        def heard() -> str:
            assert softphone.stdout is not None
            told = next((line for line in softphone.stdout if line.startswith("{")), "")
            assert told, server.log.read_text()[-2000:]
            return str(json.loads(told)["summary"])

        def deposit(body: bytes, etag: str = "", expires: int = 600) -> str:
            reply = machine.publish(
                "sip:alice@127.0.0.1",
                body,
                etag=etag,
                expires=expires,
                event="message-summary",
                content_type="application/simple-message-summary",
            )
            assert reply.status == 200
            return reply.get("SIP-ETag")

        registering = registrar.await_message(lambda message: message.method == "REGISTER")
        registrar.answer(registering, headers=[f"Contact: {registering.get('Contact')};expires=300"])
        assert heard().startswith("Messages-Waiting: no\n")
        etag = deposit(b"Messages-Waiting: yes\r\nVoice-Message: 2/8 (0/2)\r\n")
        assert heard() == "Messages-Waiting: yes\nVoice-Message: 2/8 (0/2)\n"
        deposit(b"", etag, 0)
        assert heard().startswith("Messages-Waiting: no\n")
        assert softphone.wait(20) == 0
