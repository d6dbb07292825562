from __future__ import annotations

import asyncio
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from openpy.engine.module import ModuleError
from openpy.modules.mi_fifo.module import MiFifo
from tests.modules.mi_fifo.kit import FifoServer


def module(**parameters: int | str) -> Any:
    made = MiFifo(services=None)  # type: ignore[arg-type]
    for name, value in parameters.items():
        MiFifo.parameters()[name].set(made, value)
    return made


def test_parameters_are_those_of_1_3_and_limits() -> None:
    declared = {name: (item.type, item.default) for name, item in MiFifo.parameters().items()}
    assert declared == {
        "fifo_name": (str, ""),
        "fifo_mode": (int, 0o660),
        "fifo_user": ((str, int), ""),
        "fifo_group": ((str, int), ""),
        "reply_dir": (str, "/tmp/"),
        "reply_indent": (str, "\t"),
        "max_line": (int, 1024),
        "max_parameters": (int, 8192),
        "max_waiting": (int, 32),
    }


def test_it_cannot_do_without_a_fifo_and_a_place_for_replies(tmp_path: Path) -> None:
    with pytest.raises(ModuleError, match="no fifo configured") as caught:
        module().check()
    assert "fifo_name" in caught.value.hint
    with pytest.raises(ModuleError, match="reply_dir is empty"):
        module(fifo_name="/x", reply_dir="").check()
    with pytest.raises(ModuleError, match="/none/ is no folder"):
        asyncio.run(module(fifo_name="/x", reply_dir=f"{tmp_path}/none/").start())
    with pytest.raises(ModuleError, match="there is no user"):
        asyncio.run(module(fifo_name="/x", fifo_user="nobody-of-that-name").start())
    module(fifo_name="/x").check()
    asyncio.run(module().stop())


@pytest.mark.parametrize(
    ("setting", "mode"),
    [
        ("", 0o660),
        ('modparam("mi_fifo", "fifo_mode", 0622)', 0o622),
        ('modparam("mi_fifo", "fifo_mode", 0)', 0o600),
    ],
)
def test_the_fifo_is_there_while_the_server_runs(tmp_path: Path, setting: str, mode: int) -> None:
    async def scene(house: FifoServer) -> None:
        found = (tmp_path / "fifo").stat()
        assert stat.S_ISFIFO(found.st_mode)
        assert stat.S_IMODE(found.st_mode) == mode
        assert found.st_uid == os.getuid()
        warned = ["WARNING:mi_fifo: fifo_mode 0 is taken for 0600"] if mode == 0o600 else []
        assert house.lines == warned

    os.mkfifo(tmp_path / "fifo")  # one that a killed server left
    owner = f'modparam("mi_fifo", "fifo_user", {os.getuid()})\nmodparam("mi_fifo", "fifo_group", "{os.getgid()}")\n'
    FifoServer(tmp_path, owner + setting).play(scene)
    assert not (tmp_path / "fifo").exists()


def test_a_fifo_that_another_server_reads_is_told(tmp_path: Path) -> None:
    async def scene(house: FifoServer) -> None:
        path = tmp_path / "fifo"
        text = f"another server reads {path}, and gets no commands any more: give each its own fifo_name"
        assert house.lines == [f"WARNING:mi_fifo: {text}"]

    os.mkfifo(tmp_path / "fifo")
    reader = os.open(tmp_path / "fifo", os.O_RDONLY | os.O_NONBLOCK)
    try:
        FifoServer(tmp_path).play(scene)
    finally:
        os.close(reader)


def test_the_indentation_of_replies(tmp_path: Path) -> None:
    async def scene(house: FifoServer) -> None:
        assert await house.ask(":echo:answer\na\n\n") == "200 OK\nWord:: a\n  Length:: 1\n\n"

    FifoServer(tmp_path, 'modparam("mi_fifo", "reply_indent", "  ")').play(scene)


def test_a_reply_dir_without_a_slash_is_used_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()

    async def scene(house: FifoServer) -> None:
        assert "has no slash at its end" in house.lines[0]
        with house.asker.reading("subanswer") as answers:
            await asyncio.to_thread(house.asker.write, ":echo:answer\n\n")
            while not answers:
                await asyncio.sleep(0.01)
        assert answers["subanswer"] == "200 OK\n\n"

    FifoServer(tmp_path, f'modparam("mi_fifo", "reply_dir", "{tmp_path}/sub")').play(scene)
