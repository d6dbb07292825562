from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from openpy.engine import programs
from openpy.engine.programs import Ended, Fate, Program, Programs
from openpy.engine.waiting import Wait

ROOM = 1000


async def end_of(wait: Wait[Ended]) -> Ended:
    while not wait.done:
        await asyncio.sleep(0.005)
    return await wait


def run(program: Program) -> Ended:
    """Run one program to its end."""

    async def play() -> Ended:
        return await end_of(Programs().run(asyncio.get_running_loop(), program))

    return asyncio.run(play())


def shell(command: str, seconds: float = 10.0, **environment: str) -> Ended:
    return run(Program(command, environment, None, ROOM, seconds))


def is_alive(pid: int) -> bool:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    return False


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


@pytest.mark.parametrize(
    ("command", "status", "output", "complaint"),
    [
        ("echo one; echo two", 0, b"one\ntwo\n", b""),
        ("exit 3", 3, b"", b""),
        ("echo oh >&2; exit 1", 1, b"", b"oh\n"),
        ("kill -TERM $$", -15, b"", b""),
        ('printf %s "$GIVEN"', 0, b"; rm -rf /", b""),
        ("cat", 0, b"", b""),
    ],
)
def test_how_programs_end(command: str, status: int, output: bytes, complaint: bytes) -> None:
    ended = shell(command, GIVEN="; rm -rf /")
    assert ended == Ended(Fate.EXITED, status, output, complaint)
    assert ended.succeeded == (status == 0)


def test_the_environment_of_the_server_is_there_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENPY_TEST", "here")
    assert shell('echo "$OPENPY_TEST $OTHER"', OTHER="too").output == b"here too\n"


def test_it_reads_its_input() -> None:
    message = b"0123456789" * 30_000  # more than a pipe holds
    assert run(Program("wc -c", {}, message, ROOM)).output.strip() == b"300000"


def test_it_need_not_read_its_input() -> None:
    assert run(Program("exit 2", {}, b"0123456789" * 30_000)).status == 2


def test_without_room_its_output_goes_nowhere() -> None:
    assert run(Program("echo much", {})) == Ended(Fate.EXITED, 0, b"", b"")


def test_one_that_takes_too_long_is_killed_with_all_that_it_started(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    begun = time.monotonic()
    ended = shell(f"sleep 60 & echo $! > {pid}; echo begun; wait", 0.3)
    assert 0.2 < time.monotonic() - begun < 10
    assert (ended.fate, ended.status, ended.output) == (Fate.TOO_SLOW, -9, b"begun\n")
    assert not ended.succeeded
    wait_until(lambda: not is_alive(int(pid.read_text())))


def test_one_that_writes_too_much_is_killed() -> None:
    ended = shell("yes")
    assert (ended.fate, len(ended.output)) == (Fate.TOO_MUCH, ROOM)
    assert shell(f"head -c {ROOM} /dev/zero").succeeded


def test_of_its_complaints_the_beginning_is_kept() -> None:
    ended = shell("head -c 100000 /dev/zero >&2")
    assert ended.succeeded
    assert len(ended.complaint) == programs.ROOM_FOR_COMPLAINT


def test_what_goes_on_in_the_background_is_not_waited_for(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    begun = time.monotonic()
    ended = run(Program(f"sleep 60 & echo $! > {pid}", {}, None, 0, 30))
    assert ended.succeeded
    assert time.monotonic() - begun < 10
    number = int(pid.read_text())
    assert is_alive(number)
    os.kill(number, 9)


def test_unless_it_holds_the_output_open() -> None:
    ended = shell("sleep 60 & echo done", 0.3)
    assert (ended.fate, ended.output) == (Fate.TOO_SLOW, b"done\n")


@pytest.mark.parametrize(("name", "value"), [("shell", "/no/such/shell"), ("value", "a\0b")])
def test_one_that_cannot_be_started(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    if name == "shell":
        monkeypatch.setattr(programs, "SHELL", value)
    with pytest.raises((OSError, ValueError)):
        shell("true", X=value)


def test_the_time_counts_from_the_call_on() -> None:
    ended = shell("sleep 60", 1e-9)
    assert ended.fate is Fate.TOO_SLOW


def test_at_a_stop_all_are_killed(tmp_path: Path) -> None:
    async def play() -> None:
        running = Programs()
        waits = [
            running.run(asyncio.get_running_loop(), Program(f"echo $$ > {tmp_path}/{n}; sleep 60", {}))
            for n in range(3)
        ]
        while not all((tmp_path / str(n)).exists() and (tmp_path / str(n)).read_text() for n in range(3)):
            await asyncio.sleep(0.01)
        late = running.run(asyncio.get_running_loop(), Program(f"touch {tmp_path}/late", {}))
        await running.stop()
        assert not any(wait.done for wait in (*waits, late))

    asyncio.run(play())
    assert not any(is_alive(int((tmp_path / str(n)).read_text())) for n in range(3))
    assert not (tmp_path / "late").exists()
