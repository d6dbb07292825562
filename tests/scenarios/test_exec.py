"""Programs of a script: one that is slow, one that never ends, and a server that stops meanwhile."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.scenarios.conftest import Launch
from tests.scenarios.wire import Phone, parse

pytestmark = pytest.mark.scenario

SCRIPT = """\
debug=2
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "textops.so"
loadmodule "exec.so"
modparam("exec", "time_to_kill", 3)

route {{
	if (is_method("MESSAGE"))
		exec_msg("echo $$$$ > {folder}/pid; sleep 60");
	else if (!exec_avp("echo $$SIP_SRCIP", "$avp(s:answer)"))
		exit;
	append_to_reply("X-Answer: $avp(s:answer)\\r\\n");
	sl_send_reply("200", "OK");
}}
"""


def test_a_program_that_hangs_delays_nobody_else(launch: Launch, tmp_path: Path) -> None:
    server = launch(SCRIPT.format(folder=tmp_path), "--allow-exec")
    with Phone(server.address) as phone, Phone(server.address) as other:
        slow = phone.build("MESSAGE", "sip:a@example.org")
        phone.send(slow)
        begun = time.monotonic()
        assert other.options(timeout=2.5).get("X-Answer") == "127.0.0.1"
        assert time.monotonic() - begun < 2.5
        assert phone.final_reply(parse(slow), timeout=10).status == 200
        assert time.monotonic() - begun > 2.5
    server.await_log("took too long and was killed")


def test_a_stop_ends_them(launch: Launch, tmp_path: Path) -> None:
    server = launch(SCRIPT.format(folder=tmp_path).replace("time_to_kill", "max_processes"), "--allow-exec")
    with Phone(server.address) as phone:
        phone.send(phone.build("MESSAGE", "sip:a@example.org"))
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
            time.sleep(0.01)
    assert server.stop() == 0
    state = Path("/proc", (tmp_path / "pid").read_text().strip(), "stat")
    assert not state.exists() or state.read_text().split()[2] == "Z"
    assert "asyncio" not in server.log.read_text()
