"""pjsua2 as publisher and watcher, and as a phone that registers and is called."""

from __future__ import annotations

import importlib.util
import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.scenarios.conftest import launch
from tests.scenarios.database import rows
from tests.scenarios.process import Launch, ServerProcess
from tests.scenarios.wire import Phone

__all__ = ["launch"]

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


def test_a_phone_registers_and_is_called(launch: Launch, root: Path, tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    server = launch((root / "examples" / "openser.cfg").read_text())
    run = subprocess.run(
        [*SOFTPHONE, "call", str(server.ports["udp"])],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr + server.log.read_text()[-2000:]
    told = [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]
    assert told[0] == {"who": "bob", "registered": True, "code": 200}
    assert told[-1] == {"who": "bob", "registered": False, "code": 200}
    for who in ("alice", "bob"):
        states = [item["call"] for item in told if item["who"] == who and "call" in item]
        assert states[-2:] == ["CONFIRMED", "DISCONNECTED"]
    with closing(sqlite3.connect(tmp_path / "var" / "openpy.sqlite")) as database:
        assert database.execute("SELECT count(*) FROM location").fetchall() == [(0,)]


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


ACCOUNTS = """\
loadmodule "sqlite.so"
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "xlog.so"
loadmodule "auth.so"
loadmodule "auth_db.so"
loadmodule "uri_db.so"
modparam("auth_db|uri_db", "db_url", "sqlite:///accounts.sqlite")
modparam("auth_db", "calculate_ha1", 1)
modparam("auth_db", "password_column", "password")
modparam("auth", "algorithms", "SHA-256,MD5")
route {
    if (method=="ACK") exit;
    if (method=="REGISTER") {
        if (!www_authorize("", "subscriber")) { xlog("$rm $rc"); www_challenge("", "1"); exit; }
        if (!check_to()) { sl_send_reply("403", "Forbidden auth ID"); exit; }
        sl_send_reply("200", "OK");
        exit;
    }
    if (!proxy_authorize("", "subscriber")) { xlog("$rm $rc"); proxy_challenge("", "1"); exit; }
    sl_send_reply("486", "Busy Here");
}
"""


def test_a_phone_that_registers_and_calls_with_its_password(launch: Launch, tmp_path: Path) -> None:
    server = launch(ACCOUNTS)
    with closing(sqlite3.connect(tmp_path / "accounts.sqlite")) as database:
        database.execute("INSERT INTO subscriber (username, password) VALUES ('alice', 'secret')")
        database.commit()
    run = subprocess.run(
        [*SOFTPHONE, "caller", str(server.ports["udp"])],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    log = server.log.read_text()
    assert run.returncode == 0, run.stdout + run.stderr + log
    told = [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]
    assert told == [{"registered": 200}, {"called": 486}, {"registered": 200}, {"registered": 401}]
    codes = [line.split(":script: ")[1] for line in log.splitlines() if ":script: " in line]
    assert codes[:2] == ["REGISTER -4", "INVITE -4"]
    assert "REGISTER -5" in codes
