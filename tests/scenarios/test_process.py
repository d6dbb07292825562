"""The server as a process: signals, exit statuses, the check of a script."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.scenarios.conftest import Launch
from tests.scenarios.database import locked, publications
from tests.scenarios.process import ROOT
from tests.scenarios.scripts import DATABASE, presence_script
from tests.scenarios.wire import ALICE, Phone, TcpPhone, parse, pidf

pytestmark = pytest.mark.scenario


def openpy(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "openpy", *options],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it_well(launch: Launch, number: signal.Signals) -> None:
    server = launch()
    with Phone(server.address) as phone:
        phone.publish(body=pidf())
    server.signal(number)
    assert server.stop() == 0
    assert "presence:publications = 1\n" in server.log.read_text(), "the last statistics"


def test_what_was_begun_is_finished(launch: Launch) -> None:
    """SIGTERM while a hundred PUBLISHes wait for the database: all are answered, and kept."""
    server = launch()
    with Phone(server.address) as phone:
        data = [phone.publication(f"sip:u{number}@example.org", pidf()) for number in range(100)]
        with locked(server):
            for request in data:
                phone.send(request)
            assert phone.nothing_more(0.05)
            server.signal(signal.SIGTERM)
            time.sleep(0.02)
        replies = [phone.final_reply(parse(request)) for request in data]
        assert {reply.status for reply in replies} == {200}
        assert server.stop() == 0
        for number, reply in enumerate(replies):
            uri = f"sip:u{number}@example.org"
            assert [etag for etag, _ in publications(server, uri)] == [reply.get("SIP-ETag")]


def test_stop_under_load_answers_or_refuses(launch: Launch) -> None:
    server = launch()
    with Phone(server.address) as phone, TcpPhone(server.tcp_address) as by_tcp:
        by_tcp.publish(body=pidf())
        data = [phone.publication(f"sip:u{number}@example.org", pidf()) for number in range(60)]
        for number, request in enumerate(data):
            phone.send(request)
            if number == 30:
                server.signal(signal.SIGTERM)
        assert server.stop() == 0
        kept = 0
        while (reply := phone.receive(0.05)) is not None:
            assert reply.status in (200, 503)
            kept += reply.status == 200
        assert by_tcp.closed()
    stored = [publications(server, f"sip:u{number}@example.org") for number in range(60)]
    assert sum(map(len, stored)) == kept, "what was acknowledged is there, and nothing else"


def test_statistics_are_told(launch: Launch) -> None:
    server = launch()
    with Phone(server.address) as phone:
        dialog, _ = phone.watch()
        phone.publish(body=pidf())
        phone.notify(dialog)
        assert phone.options().status == 200
        told = server.statistics()
    assert told["core:rcv_requests"] == 3
    assert told["core:rcv_replies"] == 2
    assert told["presence:publications"] == told["presence:subscriptions"] == 1
    assert told["presence:notifies_sent"] == 2
    assert told["sl:2xx_replies"] == told["sl:sent_replies"] == 1


def test_hangup_is_ignored(launch: Launch) -> None:
    server = launch()
    server.signal(signal.SIGHUP)
    with Phone(server.address) as phone:
        assert phone.options().status == 200


def test_check_opens_nothing(tmp_path: Path) -> None:
    (tmp_path / "openser.cfg").write_text(presence_script())
    done = openpy(tmp_path, "-c", "-f", "openser.cfg")
    assert (done.returncode, done.stderr) == (0, "config file ok, exiting...\n")
    assert not (tmp_path / DATABASE).exists()


def test_check_names_what_is_wrong(tmp_path: Path) -> None:
    script = presence_script().replace('sl_send_reply("200", "OK")', 'sl_send_replay("200", "OK")')
    (tmp_path / "openser.cfg").write_text(script)
    done = openpy(tmp_path, "-c", "-f", "openser.cfg")
    assert done.returncode == 255
    line = script[: script.index("sl_send_replay")].count("\n") + 1
    assert f"openser.cfg:{line}:" in done.stderr
    assert "sl_send_reply" in done.stderr, "what was meant"


def test_second_server_on_the_port_is_told_the_way_out(launch: Launch, tmp_path: Path) -> None:
    server = launch()
    taken = server.ports["udp"]
    (tmp_path / "other.cfg").write_text(presence_script())
    done = openpy(tmp_path, "-f", "other.cfg", "-l", f"udp:127.0.0.1:{taken}")
    assert done.returncode == 255
    assert f"cannot listen on udp:127.0.0.1:{taken}" in done.stderr
    assert f"-l udp:127.0.0.1:{taken + 10}" in done.stderr
    with Phone(server.address) as phone:
        assert phone.options().status == 200


@pytest.mark.parametrize(
    ("old", "new", "hint"),
    [
        ("sqlite:///presence.sqlite", "sqlite:///nowhere/presence.sqlite", 'no directory "nowhere"'),
        ("sqlite:///presence.sqlite", "mysql://openser@localhost/openser", "mysql"),
        ('loadmodule "sqlite.so"', "", "sqlite"),
        ('modparam("presence_xml", "force_active", 1)', "", "force_active"),
        ('"db_url"', '"db_ulr"', "db_url"),
    ],
)
def test_a_start_that_fails_says_why(tmp_path: Path, old: str, new: str, hint: str) -> None:
    (tmp_path / "openser.cfg").write_text(presence_script().replace(old, new))
    done = openpy(tmp_path, "-f", "openser.cfg", "-l", "udp:127.0.0.1:0")
    assert done.returncode == 255
    assert hint in done.stderr
    assert "Traceback" not in done.stderr


def test_database_of_another_program(tmp_path: Path) -> None:
    (tmp_path / "openser.cfg").write_text(presence_script())
    (tmp_path / DATABASE).write_bytes(b"this is no database" * 100)
    done = openpy(tmp_path, "-f", "openser.cfg", "-l", "udp:127.0.0.1:0")
    assert done.returncode == 255
    assert DATABASE in done.stderr
    assert "Traceback" not in done.stderr


def test_log_in_json(launch: Launch) -> None:
    server = launch(presence_script(), "--log-format", "json")
    with Phone(server.address) as phone:
        phone.publish(ALICE, pidf())
    assert server.stop() == 0
    entries = [json.loads(line) for line in server.log.read_text().splitlines()]
    assert "presence:publications = 1" in [entry["text"] for entry in entries]
    assert {entry["level"] for entry in entries} == {"notice"}
