from __future__ import annotations

import asyncio
from pathlib import Path

from openpy.modules.mi_datagram.sockets import LONGEST
from tests.modules.echo import until
from tests.modules.mi_datagram.kit import Asker, DatagramServer


def test_every_case_of_an_answer(tmp_path: Path) -> None:
    async def scene(house: DatagramServer) -> None:
        with Asker(tmp_path) as asker:
            ask = asker.ask
            assert await ask(":echo:\nhello\nx:: y z\n") == (
                "200 OK\nWord:: hello\n\tLength:: 5\nWord:: y z\n\tLength:: 3\n"
            )
            assert await ask(":echo:\n") == "200 OK\n"
            assert await ask(":get_statistics:\n") == "400 Too few or too many arguments\n"
            assert await ask(":nonsense:\na\n") == "500 command not available\n"
            assert await ask(":echo:answer\na\n") == "500 command not available\n"
            assert await ask("no command at all") == "500 command not available\n"
            assert await ask(':echo:\na"b\n') == "400 parse error in command\n"
            assert await ask(b":echo:\n" + b"x" * LONGEST) == "400 parse error in command\n"
            assert await ask(":fail:\n") == "500 command failed\n"
            assert house.counts == (9, 0)

    DatagramServer(tmp_path).play(scene)


def test_a_reply_that_has_no_room(tmp_path: Path) -> None:
    async def scene(house: DatagramServer) -> None:
        with Asker(tmp_path) as asker:
            fits = LONGEST - len("200 OK\nWord:: \n\tLength:: 65428\n")
            assert len(await asker.ask(f":echo:\n{'x' * fits}\n")) == LONGEST
            assert await asker.ask(f":echo:\n{'x' * (fits + 1)}\n") == "500 reply too long\n"

    DatagramServer(tmp_path).play(scene)


def test_a_command_runs_for_who_cannot_be_answered(tmp_path: Path) -> None:
    async def scene(house: DatagramServer) -> None:
        with Asker(tmp_path, name="") as nobody:
            nobody.send(":echo:\nhello\n")
            await until(lambda: house.echo.heard)
        assert house.echo.heard == (("hello",),)
        assert house.counts == (0, 1)

    DatagramServer(tmp_path).play(scene)


def test_what_looks_like_an_answer_gets_none(tmp_path: Path) -> None:
    async def scene(house: DatagramServer) -> None:
        with Asker(tmp_path) as asker:
            for text in ("500 command not available\n", "200 OK\n", ""):
                asker.send(text)
            assert await asker.ask(":echo:\n") == "200 OK\n"
        assert house.counts == (1, 3)

    DatagramServer(tmp_path).play(scene)


def test_a_command_that_waits_does_not_hold_up_the_next(tmp_path: Path) -> None:
    async def scene(house: DatagramServer) -> None:
        with Asker(tmp_path) as slow, Asker(tmp_path, "other") as asker:
            slow.send(":wait:\na\n")
            assert await asker.ask(":echo:\n") == "200 OK\n"
            house.echo.waits["a"].resolve("!")
            assert await slow.answer() == "200 OK\na!\n"

    DatagramServer(tmp_path).play(scene)


def test_no_more_than_so_many_wait(tmp_path: Path) -> None:
    async def scene(house: DatagramServer) -> None:
        with Asker(tmp_path) as asker:
            for name in "abc":
                asker.send(f":wait:\n{name}\n")
            await until(lambda: house.echo.waits and len(house.echo.waits) == 2)
            await asyncio.sleep(0.02)
            assert list(house.echo.waits) == ["a", "b"]
            house.echo.waits["b"].resolve("!")
            assert await asker.answer() == "200 OK\nb!\n"
            await until(lambda: "c" in house.echo.waits)
            house.echo.waits["a"].resolve("!")
            house.echo.waits["c"].resolve("!")
            assert [await asker.answer(), await asker.answer()] == ["200 OK\na!\n", "200 OK\nc!\n"]

    DatagramServer(tmp_path, 'modparam("mi_datagram", "max_waiting", 2)').play(scene)


def test_a_stop_answers_what_was_begun_and_nothing_more(tmp_path: Path) -> None:
    async def scene(house: DatagramServer) -> None:
        with Asker(tmp_path) as asker:
            asker.send(":wait:\na\n")
            await until(lambda: house.echo.waits)
            await house.mi.drain()
            asker.send(":echo:\nlate\n")
            house.echo.waits["a"].resolve("!")
            assert await asker.answer() == "200 OK\na!\n"
            await asyncio.sleep(0.02)
            assert house.echo.heard == ()

    DatagramServer(tmp_path).play(scene)
    assert not (tmp_path / "socket").exists()


def test_an_answer_that_comes_after_the_stop_is_not_sent(tmp_path: Path) -> None:
    async def scene(house: DatagramServer) -> None:
        with Asker(tmp_path) as asker:
            asker.send(":wait:\na\n")
            await until(lambda: house.echo.waits)
            await house.mi.drain()
            await house.mi.stop()
            house.echo.waits["a"].resolve("!")
        assert house.counts == (0, 1)

    DatagramServer(tmp_path).play(scene)
