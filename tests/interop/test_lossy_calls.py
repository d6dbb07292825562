"""SIPp as caller and callee, and the server between them: on either side a tenth of all datagrams is lost, both ways.

Every call is made and ended, and accounted once, however often its messages had to be sent again; and afterwards the
server holds what it held before.
"""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.interop.ports import ports_under
from tests.interop.relay import LossyRelay
from tests.ports import free_port
from tests.scenarios.conftest import Launch, launch
from tests.scenarios.database import rows
from tests.scenarios.lossy import seed
from tests.scenarios.reloads import openpyctl
from tests.scenarios.rest import FEW, at_rest

__all__ = ["launch"]

SCENARIOS = Path(__file__).parent
SIPP = shutil.which("sipp")
SOAK = bool(os.environ.get("OPENPY_SOAK"))
CALLS = 60_000 if SOAK else 1_000
RATE = 100  # calls a second
WARM_UP = 3_000 if SOAK else 300
FORGOTTEN = 10.5  # seconds: 128 times T1_timer, then nothing is known of requests that might come by two ways
TAIL = 40.0  # seconds that a call may need in which again and again the same is lost

pytestmark = [
    pytest.mark.scenario,
    pytest.mark.skipif(SIPP is None, reason="sipp is not installed"),
    pytest.mark.long,
    pytest.mark.timeout((CALLS + WARM_UP) / RATE + 2 * TAIL + 60),
]

LOSS = 0.1
PATIENT = ("-T2", "500", "-max_invite_retrans", "30", "-max_non_invite_retrans", "30")
"""Many tries: a 200 and its ACK have to pass four times in a row, and one in three does not."""

SCRIPT = """\
debug=2
log_stderror=yes
loadmodule "sqlite.so"
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "rr.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "uri.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "acc.so"
loadmodule "dialog.so"
modparam("dialog", "dlg_flag", 4)
modparam("tm", "T1_timer", 80)
modparam("tm", "T2_timer", 320)
modparam("usrloc", "db_mode", 0)
modparam("acc", "db_url", "sqlite:///presence.sqlite")
modparam("acc", "db_flag", 1)
modparam("acc", "failed_transaction_flag", 3)
route {
	if (!mf_process_maxfwd_header("10")) {
		sl_send_reply("483", "Too Many Hops");
		exit;
	}
	if (is_method("CANCEL")) {
		if (t_check_trans())
			t_relay();
		exit;
	}
	t_check_trans();
	if (is_method("INVITE|BYE")) {
		setflag(1);
		setflag(3);
	}
	if (has_totag()) {
		if (!loose_route()) {
			sl_send_reply("404", "Not here");
			exit;
		}
	} else {
		setflag(4);
		record_route();
		if (!lookup("location")) {
			sl_send_reply("404", "Not Found");
			exit;
		}
	}
	if (!t_relay())
		sl_reply_error();
}
"""


@contextmanager
def callee(folder: Path, reached_by: int) -> Iterator[int]:
    """SIPp as the callee, its port. Another one is taken where somebody else was faster.

    It has to take an ACK that comes after the BYE; by default that would be a reason to give the call up.
    """
    while True:
        port = free_port()
        with (folder / "callee.log").open("w") as log:
            process = subprocess.Popen(
                [
                    *("timeout", "-s", "KILL", "3600", str(SIPP), "-sf", str(SCENARIOS / "callee.xml")),
                    *("-i", "127.0.0.1", "-p", str(port), "-key", "reached_by", str(reached_by)),
                    *(*PATIENT, "-default_behaviors", "none", "-nostdin"),
                ],
                cwd=folder,
                env={"TERM": "dumb", "PATH": "/usr/bin:/bin"},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        while process.poll() is None and port not in ports_under(process.pid, "udp"):
            time.sleep(0.05)
        if process.poll() is None:
            break
    try:
        yield port
    finally:
        process.terminate()
        process.wait(10)


def call(to: int, folder: Path, calls: int) -> dict[str, str]:
    """SIPp makes so many calls, all of which must end well; what it has counted."""
    counts = folder / "counts.csv"
    run = subprocess.run(
        [
            *("timeout", "-s", "KILL", str(round(calls / RATE + TAIL + 10))),
            *(str(SIPP), f"127.0.0.1:{to}", "-sf", str(SCENARIOS / "caller.xml"), "-s", "callee"),
            *("-i", "127.0.0.1", "-p", str(free_port()), *PATIENT),
            *("-m", str(calls), "-r", str(RATE), "-l", str(calls), "-buff_size", "1048576"),
            *("-timeout", f"{round(calls / RATE + TAIL)}s", "-timeout_error", "-nostdin"),
            *("-trace_err", "-error_file", str(folder / "errors"), "-trace_stat", "-stf", str(counts)),
        ],
        cwd=folder,
        env={"TERM": "dumb", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    errors = folder / "errors"
    told = errors.read_text()[-3000:] if errors.exists() else ""
    assert run.returncode == 0, told + run.stdout[-3000:] + run.stderr[-1000:]
    with counts.open() as lines:
        return list(csv.DictReader(lines, delimiter=";"))[-1]


def test_every_call_is_made_and_ended_and_nothing_is_kept(launch: Launch, tmp_path: Path) -> None:
    server = launch(SCRIPT)
    chosen = seed()
    print(f"seed {chosen}")
    with (
        LossyRelay(LOSS, chosen, server.address) as callers_side,
        LossyRelay(LOSS, chosen + 1) as callees_side,
        callee(tmp_path, callees_side.port) as port,
    ):
        callees_side.target = "127.0.0.1", port
        contact = f"sip:callee@127.0.0.1:{callees_side.port}"
        added = openpyctl(server, "mi", "ul_add", "location", "callee", contact, "0", "1", "0", "0", "0", "0")
        assert added.returncode == 0, added.stderr
        call(callers_side.port, tmp_path, WARM_UP)
        before = at_rest(server, FORGOTTEN)
        counted = call(callers_side.port, tmp_path, CALLS)
        after = at_rest(server, FORGOTTEN)
    for side in (callers_side, callees_side):
        print(f"{side.carried} datagrams carried, {side.lost} lost")
    print(
        f"{counted['SuccessfulCall(C)']} calls, {counted['Retransmissions(C)']} retransmissions by the caller"
    )
    print(f"{before} before, {after} after")
    assert counted["SuccessfulCall(C)"] == str(CALLS)
    assert int(counted["Retransmissions(C)"]) > CALLS / 5
    records = "SELECT method, sip_code, count(*), count(DISTINCT callid) FROM acc GROUP BY method, sip_code"
    total = CALLS + WARM_UP
    assert sorted(rows(server, records)) == [("BYE", "200", total, total), ("INVITE", "200", total, total)]
    assert after.objects - before.objects < FEW
    told = openpyctl(server, "mi", "get_statistics", "dialog:").stdout
    assert "dialog:active_dialogs = 0" in told
    assert f"dialog:processed_dialogs = {total}" in told
