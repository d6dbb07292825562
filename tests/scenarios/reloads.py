"""Reloads of a loaded server, by turns with openpyctl and by SIGHUP, every other one of a broken script."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time

from tests.scenarios.process import ROOT, ServerProcess
from tests.scenarios.scripts import presence_script

ANSWER = 'sl_send_reply("200", "OK")'
BROKEN = (
    ("handle_subscribe();", "handle_subscribe()"),  # a semicolon is missing
    ("handle_subscribe()", "handle_subscription()"),  # nobody has such a function
    ("{\n\tif (!mf", "{{\n\tif (!mf"),  # a brace too many
    ('"db_url", "sqlite', '"db_ur", "sqlite'),  # no such parameter
)


def script(answer: str) -> str:
    """A presence server that answers an OPTIONS with this reason."""
    return presence_script().replace(ANSWER, f'sl_send_reply("200", "{answer}")')


def broken(number: int) -> str:
    """A script that cannot be used, of one kind or another."""
    good, bad = BROKEN[number % len(BROKEN)]
    text = script("Broken")
    assert good in text
    return text.replace(good, bad)


def openpyctl(server: ServerProcess, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command where the server runs."""
    return subprocess.run(
        [sys.executable, "-m", "openpy.cli.openpyctl", *words],
        cwd=server.script.parent,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


class Reloads(threading.Thread):
    """So many reloads, one after the other, each ended before the next; `answers` are those of the good scripts."""

    def __init__(self, server: ServerProcess, number: int) -> None:
        super().__init__()
        self.answers: list[str] = []
        self.failed: list[str] = []
        self._server = server
        self._number = number

    def run(self) -> None:
        for number in range(self._number):
            is_broken = number % 2 == 1
            answer = f"Answer {number}"
            if not is_broken:
                self.answers.append(answer)
            self._server.script.write_text(broken(number // 2) if is_broken else script(answer))
            if number % 4 < 2:
                self._by_command(is_broken)
            else:
                self._by_signal(is_broken)

    def _by_command(self, is_broken: bool) -> None:
        done = openpyctl(self._server, "reload")
        if done.returncode != (1 if is_broken else 0):
            self.failed.append(f"{done.returncode}: {done.stdout}{done.stderr}")

    def _by_signal(self, is_broken: bool) -> None:
        log = self._server.log
        before = log.stat().st_size
        self._server.signal(signal.SIGHUP)
        wanted = "no reload, the old script goes on" if is_broken else "is reloaded"
        deadline = time.monotonic() + 20
        while wanted not in log.read_text()[before:]:
            if time.monotonic() > deadline:
                self.failed.append(f"{wanted!r} was not logged")
                return
            time.sleep(0.01)
