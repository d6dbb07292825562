"""A bench whose programs run at once, or end as a test says."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from openpy.engine.programs import Ended, Fate, Program, Programs
from tests.engine.kit import MODULES, Bench, request

WITH_EXEC = (*MODULES, "exec")


@contextmanager
def bench_with(folder: Path, route: str, more: str = "") -> Iterator[Bench]:
    with Bench(folder, route, more=more, modules=WITH_EXEC, allow_exec=True) as bench:
        yield bench


def run_really(program: Program) -> Ended:
    """What becomes of a program on this machine."""

    async def play() -> Ended:
        wait = Programs().run(asyncio.get_running_loop(), program)
        while not wait.done:
            await asyncio.sleep(0.002)
        return await wait

    return asyncio.run(play())


def finish(bench: Bench) -> None:
    """Run all programs that wait, and those that come after them."""
    while bench.server.programs:
        program, wait = bench.server.programs.pop(0)
        try:
            ended = run_really(program)
        except OSError as error:
            wait.fail(error)
        else:
            wait.resolve(ended)


def printed(folder: Path, route: str, more: str = "", message: bytes | None = None) -> list[str]:
    """What a script prints for a message when its programs really run."""
    with bench_with(folder, route, more) as bench:
        bench.receive(message or request())
        finish(bench)
        return list(bench.printed())


def exited(output: bytes = b"", status: int = 0, complaint: bytes = b"") -> Ended:
    return Ended(Fate.EXITED, status, output, complaint)
