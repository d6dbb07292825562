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
        (["watch", "sip:alice@example.org;transport=tls"], "the transport is udp or tcp"),
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
