from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest

from openpy.cli import openpyctl, publish, watch
from openpy.cli.client import Target
from openpy.cli.openpyctl import main
from openpy.useragent.authentication import Account
from tests.cli.controlled import Controlled
from tests.scenarios.process import ROOT

ALICE = "sip:alice@example.org"


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What a command is called with."""
    found: dict[str, Any] = {}

    async def run(options: Namespace) -> int:
        found.update(vars(options))
        return 0

    monkeypatch.setattr(watch, "run", run)
    monkeypatch.setattr(publish, "run", run)
    monkeypatch.delenv("OPENPY_PASSWORD", raising=False)
    return found


@pytest.mark.parametrize(
    ("arguments", "target"),
    [
        ([ALICE], Target("udp", "example.org", 5060)),
        (["sip:alice@[::1]:5070"], Target("udp", "[::1]", 5070)),
        (["sip:alice@example.org;transport=tcp"], Target("tcp", "example.org", 5060)),
        ([ALICE, "--transport", "tcp", "--proxy", "192.0.2.1:5080"], Target("tcp", "192.0.2.1", 5080)),
        ([ALICE, "--proxy", "proxy.example.org"], Target("udp", "proxy.example.org", 5060)),
        (["sip:alice@example.org;transport=tls"], Target("tls", "example.org", 5061)),
        ([ALICE, "--transport", "ws"], Target("ws", "example.org", 80)),
        ([ALICE, "--transport", "wss", "--path", "/sip"], Target("wss", "example.org", 443)),
        ([ALICE, "--transport", "tls", "--proxy", "[::1]:5071"], Target("tls", "[::1]", 5071)),
    ],
)
def test_where_requests_go(arguments: list[str], target: Target, parsed: dict[str, Any]) -> None:
    assert main(["watch", *arguments]) == 0
    assert parsed["target"] == target


@pytest.mark.parametrize(
    ("arguments", "environment", "account"),
    [
        ([], "", None),
        (["--password", "x"], "", Account("alice", "x")),
        (["--user", "ann", "--password", "x"], "y", Account("ann", "x")),
        (["--user", "ann"], "y", Account("ann", "y")),
        (["--from", "sip:bob@example.org"], "y", Account("bob", "y")),
    ],
)
def test_who_we_are(
    arguments: list[str],
    environment: str,
    account: Account | None,
    parsed: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if environment:
        monkeypatch.setenv("OPENPY_PASSWORD", environment)
    assert main(["publish", ALICE, *arguments]) == 0
    assert parsed["account"] == account
    assert (parsed["basic"], parsed["expires"], parsed["event"]) == ("open", 600, "presence")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ([], "command"),
        (["listen", ALICE], "invalid choice"),
        (["watch"], "uri"),
        (["watch", "alice@example.org"], "write a SIP URI such as sip:alice@example.org"),
        (["watch", "sips:alice@example.org"], "write a SIP URI"),
        (["watch", "sip:alice@example.org?Subject=x"], "write a SIP URI"),
        (["watch", "sip:a\r\nb@example.org"], "write a SIP URI"),
        (["watch", "sip:alice@example.org;transport=sctp"], "the transport is one of udp, tcp, tls, ws, wss"),
        (["watch", ALICE, "--ca", "x"], "--ca, --certificate and --key are for --transport tls and wss"),
        (["watch", ALICE, "--transport", "ws", "--ca", "x"], "are for --transport tls and wss"),
        (["watch", ALICE, "--transport", "tls", "--key", "x"], "--key belongs to a --certificate"),
        (["watch", ALICE, "--transport", "tls", "--ca", "/nothing"], "--ca: /nothing cannot be read"),
        (["watch", ALICE, "--transport", "wss", "--certificate", "/nothing"], "--certificate: /nothing"),
        (["watch", ALICE, "--transport", "tls", "--path", "/x"], "--path is for --transport ws and wss"),
        (["watch", ALICE, "--transport", "ws", "--path", "sip"], "write a path such as /sip"),
        (["watch", ALICE, "--transport", "ws", "--path", "/a b"], "write a path such as /sip"),
        (["watch", ALICE, "--transport", "sctp"], "invalid choice"),
        (["watch", ALICE, "--proxy", "host:port"], "write HOST:PORT"),
        (["watch", ALICE, "--from", "bob"], "write a SIP URI"),
        (["watch", ALICE, "--event", "a b"], "--event a b"),
        (["watch", ALICE, "--event", "a;b=c\r\nd"], "--event"),
        (["watch", ALICE, "--expires", "0"], "at least 1 second"),
        (["watch", ALICE, "--expires", "soon"], "--expires"),
        (["watch", ALICE, "--user", "ann"], "OPENPY_PASSWORD"),
        (["publish", ALICE, "busy"], "invalid choice"),
    ],
)
def test_a_mistake_is_status_2(
    arguments: list[str], problem: str, parsed: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert problem in capsys.readouterr().err
    assert not parsed


def test_what_cannot_be_reached_is_status_3(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        assert main(["watch", f"sip:alice@127.0.0.1:{port}", "--transport", "tcp"]) == 3
    assert capsys.readouterr().err == f"openpyctl: no connection to 127.0.0.1:{port}\n"


def test_ctrl_c_before_anything_is_silent(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def interrupted(options: Namespace) -> int:
        await asyncio.sleep(0)
        raise KeyboardInterrupt

    monkeypatch.setattr(watch, "run", interrupted)
    assert main(["watch", ALICE]) == 0
    assert capsys.readouterr() == ("", "")


def test_the_help_tells_commands_and_statuses() -> None:
    run = subprocess.run(
        [sys.executable, "-m", openpyctl.__name__, "--help"],
        cwd=Path(ROOT),
        capture_output=True,
        text=True,
        check=True,
    )
    assert "watch" in run.stdout
    assert "publish" in run.stdout
    assert "0 done, 1 refused, 2 usage, 3 no answer within 32 s" in run.stdout


def test_a_trace_is_asked_for_by_the_socket(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    end = {"type": "end", "reason": "its time is over", "traces": 0, "dropped": 0}
    started, stopped = {"type": "started", "script": "x.cfg"}, {"type": "stopped", "tracings": 0}
    with Controlled(tmp_path / "s", [started, end], [stopped]) as server:
        assert main(["trace", "on", "--method", "INVITE", "--socket", f"{tmp_path}/s"]) == 0
        assert main(["trace", "off", "--json", "--socket", f"{tmp_path}/s"]) == 0
    assert server.heard[0]["filter"] == {"method": "INVITE"}
    assert capsys.readouterr().out == (
        "tracing x.cfg; Ctrl-C ends it\ntracing ended: its time is over; traces: 0\n"
        '{"type": "stopped", "tracings": 0}\n'
    )
    assert main(["trace", "off", "--socket", f"{tmp_path}/none"]) == 3
    assert f"openpyctl: there is no {tmp_path}/none here" in capsys.readouterr().err


def test_ctrl_c_ends_what_takes_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("openpy.cli.control.command", interrupted)
    assert main(["reload", "--socket", f"{tmp_path}/s"]) == 3
    assert capsys.readouterr().err == "openpyctl: interrupted; the server goes on with it\n"
