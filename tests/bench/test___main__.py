from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

import pytest

from bench.__main__ import main

ECHO = """
import socket, sys
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(("127.0.0.1", int(sys.argv[1])))
while True:
    request, client = udp.recvfrom(9999)
    udp.sendto(b"SIP/2.0 " + sys.argv[2].encode() + request[request.index(b"\\r\\n"):], client)
"""


def _arguments(status: str) -> list[str]:
    command = shlex.join([sys.executable, "-c", ECHO, "{port}", status])
    return ["--scenarios", "options", "--repeat", "2", "--limit", "0.05", "--server-cmd", command]


def test_any_server_can_be_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "figures.json"
    assert main([*_arguments("200 OK"), "--json", str(out)]) == 0
    assert [row["errors"] for row in json.loads(out.read_text())["rows"]] == [0, 0]
    assert "options" in capsys.readouterr().out


def test_errors_are_told_and_fail(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(_arguments("404 Not Found")) == 1
    told = capsys.readouterr().err
    assert "x 404" in told
    assert "no result" in told


def test_a_server_that_does_not_start_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--server-cmd", "false"]) == 1
    assert "ended with status 1" in capsys.readouterr().err


def test_an_unknown_scenario_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--scenarios", "options,tea"])
    assert "no scenario tea" in capsys.readouterr().err
