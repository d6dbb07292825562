"""What `make run` shows: the guide, and what it says works."""

from __future__ import annotations

import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from openpy import __version__
from tests.conftest import ROOT
from tests.scenarios.wire import Phone

pytestmark = pytest.mark.scenario


class Run:
    """`openpy --guide` as the Makefile starts it, in a folder of its own; `screen` is what it shows."""

    def __init__(self, folder: Path, script: Path, *listen: str) -> None:
        self.folder = folder
        options = [option for entry in listen for option in ("-l", entry)]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "openpy", "-f", str(script), "--guide", *options],
            cwd=folder,
            env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.screen = ""
        for line in self.process.stdout:
            self.screen += line
            if "Ctrl-C" in line:
                break

    def port(self, transport: str, number: int = 0) -> int:
        return int(re.findall(rf"{transport}:127\.0\.0\.1:(\d+)", self.screen)[number])

    def command(self, name: str) -> list[str]:
        """A command of the guide, as this Python runs it."""
        (line,) = re.findall(rf"^  \.venv/bin/openpyctl ({name} .*)$", self.screen, re.M)
        return [sys.executable, "-m", "openpy.cli.openpyctl", *shlex.split(line)]

    def stop(self) -> tuple[int, str]:
        """Ctrl-C; returns the exit status and what was logged."""
        self.process.send_signal(signal.SIGINT)
        _, err = self.process.communicate(timeout=15)
        return self.process.returncode, err

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    (tmp_path / "var").mkdir()
    script = ROOT / "examples" / "openser.cfg"
    with Run(tmp_path, script, "udp:127.0.0.1:0", "tcp:127.0.0.1:0") as running:
        yield running


def test_the_guide_tells_what_runs(run: Run) -> None:
    screen = run.screen
    assert __version__ in screen
    assert str(ROOT / "examples" / "openser.cfg") in screen
    assert run.port("udp")
    assert run.port("tcp")
    assert re.search(r"modules .*\bpresence\b.*\bpresence_xml\b", screen)
    assert "sqlite:///var/openpy.sqlite" in screen
    assert len(screen.splitlines()) <= 24  # one screen


def test_its_commands_work(run: Run) -> None:
    with subprocess.Popen(run.command("watch"), cwd=ROOT, stdout=subprocess.PIPE, text=True) as watcher:
        assert watcher.stdout is not None
        assert "no state" in watcher.stdout.readline()
        with subprocess.Popen(
            run.command("publish"), cwd=ROOT, stdout=subprocess.PIPE, text=True
        ) as publisher:
            assert publisher.stdout is not None
            assert publisher.stdout.readline().startswith("200 OK")
            assert '"In a meeting"' in watcher.stdout.readline()
            publisher.send_signal(signal.SIGINT)
        watcher.send_signal(signal.SIGINT)
    assert (publisher.returncode, watcher.returncode) == (0, 0)


def test_the_database_is_begun_anew_as_it_says(run: Run) -> None:
    (command,) = re.findall(r"to begin anew: stop, then (rm -f .*)$", run.screen, re.M)
    assert (run.folder / "var" / "openpy.sqlite").exists()
    assert run.stop()[0] == 0
    subprocess.run(command, shell=True, cwd=run.folder, check=True)
    assert list((run.folder / "var").iterdir()) == []


def test_ctrl_c_stops_it_cleanly(run: Run) -> None:
    status, log = run.stop()
    assert status == 0
    assert "Traceback" not in log


def test_a_taken_port_is_told_with_the_way_out(run: Run, tmp_path: Path) -> None:
    port = run.port("udp")
    script = ROOT / "examples" / "openser.cfg"
    with Run(tmp_path, script, f"udp:127.0.0.1:{port}") as second:
        _, err = second.process.communicate(timeout=15)
        assert second.process.returncode == 255
    assert f"127.0.0.1:{port}" in err
    assert "make run PORT=" in err
    assert "Traceback" not in err


def test_l_adds_to_what_the_script_listens_on(tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    script = tmp_path / "openser.cfg"
    script.write_text("listen=udp:127.0.0.1:0\n" + (ROOT / "examples" / "openser.cfg").read_text())
    with Run(tmp_path, script, "udp:127.0.0.1:0") as run:
        ports = {run.port("udp", 0), run.port("udp", 1)}
        assert len(ports) == 2
        for port in ports:
            with Phone(("127.0.0.1", port)) as phone:
                assert phone.request("OPTIONS", "sip:example.com").status == 200
