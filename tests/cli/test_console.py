from __future__ import annotations

import asyncio
import signal
import subprocess
import sys

import pytest

from openpy.cli.console import ExitStatus, complain, first_set, set_on_signal, show
from tests.scenarios.process import ROOT


def test_the_statuses_are_those_of_the_help() -> None:
    assert [int(status) for status in ExitStatus] == [0, 1, 2, 3]


def test_output_and_complaints_go_their_ways(capsys: pytest.CaptureFixture[str]) -> None:
    assert show("a state")
    complain("no answer")
    output = capsys.readouterr()
    assert (output.out, output.err) == ("a state\n", "openpyctl: no answer\n")


def test_what_others_wrote_does_not_move_the_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    show('a "b\n\x1b[2Jc\u009b\udcff"')
    complain("refused: 403 \x1b[2J")
    assert capsys.readouterr() == ('a "b  [2Jc  "\n', "openpyctl: refused: 403  [2J\n")


def test_what_the_terminal_cannot_show_is_written_out() -> None:
    run = subprocess.run(
        [sys.executable, "-c", r"from openpy.cli.console import show; show('caf\u00e9 \u20ac')"],
        cwd=ROOT,
        env={"PYTHONIOENCODING": "latin-1"},
        capture_output=True,
        check=True,
    )
    assert run.stdout == b"caf\xe9 \\u20ac\n"


def test_a_reader_that_is_gone() -> None:
    code = (
        "import os, sys; from openpy.cli.console import show; r, w = os.pipe(); os.dup2(w, 1); os.close(r); "
        "sys.exit(0 if not show('one') and show('two') else 1)"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=False)
    assert (run.returncode, run.stderr) == (0, b"")


def test_a_reader_that_is_gone_in_this_process(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(*arguments: object, **options: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr("builtins.print", broken)
    assert not show("anything")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_set_an_event(number: signal.Signals) -> None:
    async def wait() -> bool:
        stopped = asyncio.Event()
        set_on_signal(stopped)
        signal.raise_signal(number)
        return await first_set(stopped, asyncio.Event(), timeout=5)

    assert asyncio.run(wait())


def test_time_passes_without_an_event() -> None:
    assert not asyncio.run(first_set_within(0.01))


async def first_set_within(seconds: float) -> bool:
    return await first_set(asyncio.Event(), timeout=seconds)
