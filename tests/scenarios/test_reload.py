"""Reload: under load no request fails and nothing is lost; what is refused is named; tracing of a process."""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.authority import Authority
from tests.scenarios.conftest import Launch
from tests.scenarios.layered import TlsPhone
from tests.scenarios.process import ROOT, ServerProcess
from tests.scenarios.reloads import Reloads, openpyctl, script
from tests.scenarios.traffic import Traffic
from tests.scenarios.wire import Phone

pytestmark = pytest.mark.scenario


class Asking(threading.Thread):
    """Asks with OPTIONS without end, one after the other, and keeps the reasons of the answers."""

    def __init__(self, server: ServerProcess) -> None:
        super().__init__()
        self.reasons: list[str] = []
        self.over = False
        self._phone = Phone(server.address, "asking")

    def run(self) -> None:
        with self._phone as phone:
            while not self.over:
                reply = phone.options(5.0)
                self.reasons.append(reply.start.partition("200 ")[2])
                time.sleep(0.001)


def test_reload_under_load_fails_no_request(launch: Launch) -> None:
    """20 reloads in a storm, half of them broken, by openpyctl and by SIGHUP."""
    server = launch(script("First"))
    with Phone(server.address) as phone:
        traffic = Traffic(phone, 20071123)
        traffic.run(0.5, window=16)
        reloads, asking = Reloads(server, 20), Asking(server)
        asking.start()
        reloads.start()
        while reloads.is_alive():
            traffic.run(0.2, window=16)
        asking.over = True
        asking.join()
        assert not reloads.failed
        assert not traffic.broken
        assert set(asking.reasons) == {"First", *reloads.answers}
        assert list(dict.fromkeys(asking.reasons)) == ["First", *reloads.answers]
        kept = [each for each in traffic.watches.values() if each.to_tag and not each.ended]
        assert len(kept) > 50
        assert sum(bool(each.etag) and not each.ended for each in traffic.publications) > 50
        traffic.check(everything=True)
        traffic.check_change()
        assert not traffic.broken
    statistics = server.statistics()
    assert (statistics["core:reloads"], statistics["core:reloads_refused"]) == (10, 10)
    assert "core:err_requests" not in statistics


def test_what_a_reload_says(launch: Launch) -> None:
    server = launch(script("First"))
    restart = script("Second").replace("debug=2", "debug=3\nport=5070")
    server.script.write_text(restart)
    dry = openpyctl(server, "reload", "--dry-run")
    assert (dry.returncode, dry.stdout) == (1, "")
    assert dry.stderr == (
        "openpyctl: the old script goes on: 1 change needs a restart\n"
        "  core port: 5060 -> 5070\n"
        "`partial` would take the rest:\n"
        "  core debug: 2 -> 3\n"
        "  route is changed (line 17)\n"
    )
    server.script.write_text(script("Second"))
    dry = openpyctl(server, "reload", "--dry-run")
    path = server.script
    assert (dry.returncode, dry.stdout) == (0, f"{path} can be reloaded\n  route is changed (line 16)\n")
    with Phone(server.address) as phone:
        assert phone.options(5.0).start == "SIP/2.0 200 First"
        server.script.write_text(restart)
        done = openpyctl(server, "reload", "--partial")
        assert done.returncode == 0
        assert "  core port: 5060 -> 5070 (not done: needs a restart)\n" in done.stdout
        assert phone.options(5.0).start == "SIP/2.0 200 Second"


def test_a_certificate_is_renewed(launch: Launch, authority: Authority, tmp_path: Path) -> None:
    """The connections that are there stay, and a certificate that cannot be used changes nothing."""
    first, second = authority.of("127.0.0.1"), authority.of("127.0.0.1", "renewed.example")
    kept = tmp_path / "own.pem"
    kept.write_text(Path(first.certificate).read_text() + Path(first.key).read_text())
    head = f'tls_certificate="{kept}"\ntls_require_client_certificate=no\n'
    server = launch(head + script("First"), listen=("udp", "tls"))
    address = server.host, server.ports["tls"]
    with TlsPhone(address, authority.ca) as before:
        assert before.options(5.0).status == 200
        kept.write_text(Path(second.certificate).read_text() + Path(first.key).read_text())
        refused = openpyctl(server, "reload")
        assert refused.returncode == 1
        assert f"the key in {kept} does not belong to the certificate in {kept}" in refused.stderr
        with pytest.raises(ssl.SSLCertVerificationError):
            TlsPhone(address, authority.ca, name="renewed.example")
        kept.write_text(Path(second.certificate).read_text() + Path(second.key).read_text())
        done = openpyctl(server, "reload")
        assert done.stdout == f"{server.script} is reloaded\n  core {kept} holds something else\n"
        with TlsPhone(address, authority.ca, name="renewed.example") as after:
            assert after.options(5.0).status == 200
        assert before.options(5.0).status == 200


def test_a_trace_of_a_server_that_runs(launch: Launch, tmp_path: Path) -> None:
    server = launch(script("First"))
    arguments = [sys.executable, "-m", "openpy.cli.openpyctl", "trace", "on", "--method", "OPTIONS", "--json"]
    tracing = subprocess.Popen(
        arguments,
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert tracing.stdout is not None
    with tracing, Phone(server.address) as phone:
        assert json.loads(tracing.stdout.readline())["type"] == "started"
        phone.options(5.0)
        trace = json.loads(tracing.stdout.readline())
        assert [event["code"] for event in trace["events"] if event["event"] == "call"] == [1, 1, 1]
        server.script.write_text(script("Second"))
        assert openpyctl(server, "reload").returncode == 0
        assert json.loads(tracing.stdout.readline())["type"] == "started"
        phone.options(5.0)
        trace = json.loads(tracing.stdout.readline())
        assert trace["events"][-2]["arguments"] == ["200", "Second"] or "Second" in json.dumps(
            trace["events"]
        )
        off = openpyctl(server, "trace", "off")
        assert (off.returncode, off.stdout) == (0, "1 tracing ended\n")
        assert json.loads(tracing.stdout.readline())["reason"] == "it was switched off"
        assert tracing.wait(10) == 0


def test_commands_by_the_socket_and_two_servers_in_one_folder(launch: Launch, tmp_path: Path) -> None:
    server = launch(script("First"))
    assert f"PID={server.pid}" in openpyctl(server, "mi", "ps").stdout
    second = ServerProcess(server.script, "--control", "openpyctl.sock")
    with pytest.raises(AssertionError, match="a server that runs listens at openpyctl"):
        second.start()
    server.kill()
    assert (tmp_path / "openpyctl.sock").exists()
    gone = openpyctl(server, "mi", "ps")
    assert (gone.returncode, gone.stderr) == (
        3,
        "openpyctl: openpyctl.sock: the server that made it has gone\n",
    )
    server.start()
    assert f"PID={server.pid}" in openpyctl(server, "mi", "ps").stdout
    assert server.stop() == 0
    assert not (tmp_path / "openpyctl.sock").exists()
