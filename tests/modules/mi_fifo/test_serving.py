from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from openpy.modules.mi_fifo import serving
from openpy.modules.mi_fifo.replies import open_reply
from tests.modules.mi_fifo.kit import FifoServer, until


def test_every_case_of_an_answer(tmp_path: Path) -> None:
    async def scene(house: FifoServer) -> None:
        ask = house.ask
        assert await ask(":echo:answer\nhello\nx:: y z\n\n") == (
            "200 OK\nWord:: hello\n\tLength:: 5\nWord:: y z\n\tLength:: 3\n\n"
        )
        assert await ask(":echo:answer\n\n") == "200 OK\n\n"
        assert await ask(":get_statistics:answer\n\n") == "400 Too few or too many arguments\n\n"
        assert await ask(":nonsense:answer\na\n\n") == "500 command 'nonsense' not available\n"
        assert await ask(":Echo:answer\n\n") == "500 command 'Echo' not available\n"
        assert await ask(':echo:answer\na"b\n\n') == "400 parse error in command 'echo'\n"
        assert await ask(":fail:answer\n\n") == "500 command 'fail' failed\n"
        await house.settled()
        assert (house.mi.answered.value, house.mi.skipped.value) == (7, 0)

    FifoServer(tmp_path).play(scene)


def test_requests_in_one_write_are_answered_in_order(tmp_path: Path) -> None:
    async def scene(house: FifoServer) -> None:
        requests = "".join(f":echo:r{n}\n{n}\n\n" for n in range(5))
        with house.asker.reading(*(f"r{n}" for n in range(5))) as answers:
            await asyncio.to_thread(house.asker.write, requests)
            await until(lambda: len(answers) == 5)
        assert house.echo.heard == tuple((str(n),) for n in range(5))
        assert answers["r3"] == "200 OK\nWord:: 3\n\tLength:: 1\n\n"

    FifoServer(tmp_path).play(scene)


def test_a_request_may_come_in_pieces(tmp_path: Path) -> None:
    async def scene(house: FifoServer) -> None:
        with house.asker.reading("answer") as answers:
            for piece in (":ec", "ho:answer\nhel", "lo\n", "\n"):
                house.asker.write(piece)
                await asyncio.sleep(0.02)
            await until(lambda: answers)
        assert answers["answer"] == "200 OK\nWord:: hello\n\tLength:: 5\n\n"

    FifoServer(tmp_path).play(scene)


def test_without_a_reader_a_command_is_not_run_and_the_next_is(tmp_path: Path) -> None:
    async def scene(house: FifoServer) -> None:
        os.mkfifo(tmp_path / "nobody")
        house.server.log.level = 2
        debug = ":debug:nobody\n-1\n\n:debug:missing\n-1\n\n:debug:\n-1\n\n:debug:../x\n-1\n\nnonsense\n\n"
        answer = await house.ask(f"{debug}:debug:answer\n\n")
        assert answer == "200 OK\nDEBUG:: 2\n\n"
        await house.settled()
        assert (house.mi.answered.value, house.mi.skipped.value) == (1, 5)
        assert [line.split(": ")[1] for line in house.lines] == ["no answer to 'debug'"] * 4

    FifoServer(tmp_path).play(scene)


def test_the_server_goes_on_while_nobody_reads(tmp_path: Path) -> None:
    async def scene(house: FifoServer) -> None:
        os.mkfifo(tmp_path / "nobody")
        house.asker.write(":which:nobody\n\n")
        turns = 0
        while not house.mi.skipped.value:
            await asyncio.sleep(0.001)
            turns += 1
        assert turns > 10

    FifoServer(tmp_path).play(scene)


def test_a_command_that_waits_does_not_hold_up_the_next(tmp_path: Path) -> None:
    async def scene(house: FifoServer) -> None:
        with house.asker.reading("slow") as answers:
            house.asker.write(":wait:slow\na\n\n")
            assert await house.ask(":echo:answer\n\n") == "200 OK\n\n"
            assert not answers
            house.echo.waits["a"].resolve("!")
            await until(lambda: answers)
        assert answers["slow"] == "200 OK\na!\n\n"

    FifoServer(tmp_path).play(scene)


def test_no_more_than_so_many_wait(tmp_path: Path) -> None:
    async def scene(house: FifoServer) -> None:
        with house.asker.reading("a", "b", "c") as answers:
            for name in "abc":
                house.asker.write(f":wait:{name}\n{name}\n\n")
            await until(lambda: house.echo.waits and len(house.echo.waits) == 2)
            await asyncio.sleep(0.05)
            assert list(house.echo.waits) == ["a", "b"]
            house.echo.waits["b"].resolve("!")
            await until(lambda: "c" in house.echo.waits)
            house.echo.waits["a"].resolve("!")
            house.echo.waits["c"].resolve("!")
            await until(lambda: len(answers) == 3)
        assert answers == {name: f"200 OK\n{name}!\n\n" for name in "abc"}

    FifoServer(tmp_path, 'modparam("mi_fifo", "max_waiting", 2)').play(scene)


def test_a_flood_is_answered_without_being_kept(tmp_path: Path) -> None:
    async def scene(house: FifoServer) -> None:
        flood = ":which:gone\n\n" * 20_000
        answer = await house.ask(flood + ":echo:answer\n\n")
        assert answer == "200 OK\n\n"
        assert house.mi.skipped.value == 20_000
        assert len(house.mi._serving._requests) < 8000

    house = FifoServer(tmp_path)
    house.server.log.level = -3
    house.play(scene)


def test_a_stop_answers_what_was_begun_and_nothing_more(tmp_path: Path) -> None:
    async def scene(house: FifoServer) -> None:
        with house.asker.reading("begun") as answers:
            house.asker.write(":wait:begun\na\n\n:which:late\n\n")
            await until(lambda: house.echo.waits)
            await house.mi.drain()
            house.echo.waits["a"].resolve("!")
            await until(lambda: answers)
        assert answers["begun"] == "200 OK\na!\n\n"
        house.asker.write(":which:late\n\n")
        await asyncio.sleep(0.02)

    FifoServer(tmp_path).play(scene)
    assert not (tmp_path / "fifo").exists()


def test_an_answer_that_comes_after_the_stop_is_not_written(tmp_path: Path) -> None:
    waits = []

    async def scene(house: FifoServer) -> None:
        with house.asker.reading("late") as answers:
            house.asker.write(":wait:late\na\n\n")
            await until(lambda: house.echo.waits)
            waits.append(house.echo.waits["a"])
            await house.mi.stop()
            waits[0].resolve("!")
            await until(lambda: "late" in answers)
        assert answers["late"] == ""

    FifoServer(tmp_path).play(scene)


def test_what_goes_wrong_in_a_thread_is_logged_and_the_next_is_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = open_reply

    def fail_once(path: str) -> int:
        monkeypatch.setattr(serving, "open_reply", real)
        raise MemoryError("none left")

    monkeypatch.setattr(serving, "open_reply", fail_once)

    async def scene(house: FifoServer) -> None:
        assert await house.ask(":which:lost\n\n:echo:answer\n\n") == "200 OK\n\n"
        assert "ERROR:mi_fifo: MemoryError: none left" in house.lines

    FifoServer(tmp_path).play(scene)
