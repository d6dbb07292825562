from __future__ import annotations

import asyncio
import os
import socket
import stat
from pathlib import Path
from typing import Any

import pytest

from openpy.engine.module import ArgumentError, ModuleError
from openpy.modules.mi_datagram import module as declaration
from openpy.modules.mi_datagram.module import MiDatagram
from openpy.modules.mi_datagram.sockets import UdpAddress
from tests.modules.mi_datagram.kit import Asker, DatagramServer


def module(**parameters: int | str) -> Any:
    made = MiDatagram(services=None)  # type: ignore[arg-type]
    for name, value in parameters.items():
        MiDatagram.parameters()[name].set(made, value)
    return made


def test_parameters_are_those_of_1_3_and_a_limit() -> None:
    declared = {name: (item.type, item.default) for name, item in MiDatagram.parameters().items()}
    assert declared == {
        "socket_name": (str, ""),
        "children_count": (int, 1),
        "socket_timeout": (int, 2000),
        "unix_socket_mode": (int, 0o660),
        "unix_socket_user": ((str, int), ""),
        "unix_socket_group": ((str, int), ""),
        "reply_indent": (str, "\t"),
        "max_waiting": (int, 32),
    }


def test_it_cannot_do_without_a_socket() -> None:
    with pytest.raises(ModuleError, match="no DATAGRAM_ socket configured") as caught:
        module().check()
    assert "socket_name" in caught.value.hint
    with pytest.raises(ArgumentError, match="no port specified"):
        module(socket_name="udp:127.0.0.1")
    with pytest.raises(ArgumentError, match="1 or more expected"):
        module(max_waiting=0)
    module(socket_name="/x").check()
    asyncio.run(module().stop())


def test_an_owner_who_does_not_exist_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(ModuleError, match="there is no user") as caught:
        asyncio.run(module(socket_name=f"{tmp_path}/x", unix_socket_user="nobody-of-that-name").start())
    assert caught.value.hint == "correct unix_socket_user"
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("setting", "mode"),
    [
        ("", 0o660),
        ('modparam("mi_datagram", "unix_socket_mode", 0622)', 0o622),
        ('modparam("mi_datagram", "unix_socket_mode", 0)', 0o600),
    ],
)
def test_the_socket_is_there_while_the_server_runs(tmp_path: Path, setting: str, mode: int) -> None:
    async def scene(house: DatagramServer) -> None:
        found = (tmp_path / "socket").stat()
        assert stat.S_ISSOCK(found.st_mode)
        assert stat.S_IMODE(found.st_mode) == mode
        assert found.st_uid == os.getuid()
        warned = ["WARNING:mi_datagram: unix_socket_mode 0 is taken for 0600"] if mode == 0o600 else []
        assert house.lines == warned

    (tmp_path / "socket").write_text("left by a server that was killed")
    owner = "".join(
        f'modparam("mi_datagram", "unix_socket_{name}", {value})\n'
        for name, value in (("user", os.getuid()), ("group", f'"{os.getgid()}"'))
    )
    DatagramServer(tmp_path, owner + setting).play(scene)
    assert not (tmp_path / "socket").exists()


def test_a_port_that_others_reach_is_warned_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene(house: DatagramServer) -> None:
        _, port = house.mi._socket._open.getsockname()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.setblocking(False)
            client.connect(("127.0.0.1", port))
            client.send(b":echo:\na\n")
            answer = await asyncio.get_running_loop().sock_recv(client, 1000)
        assert answer == b"200 OK\nWord:: a\n\tLength:: 1\n"
        told = f"WARNING:mi_datagram: {tmp_path}/socket takes commands from whoever reaches it"
        assert house.lines == [told]

    monkeypatch.setattr(
        declaration, "socket_address", lambda _: UdpAddress("0.0.0.0", 0)
    )  # a port that is free
    DatagramServer(tmp_path).play(scene)


def test_the_indentation_of_replies(tmp_path: Path) -> None:
    async def scene(house: DatagramServer) -> None:
        with Asker(tmp_path) as asker:
            assert await asker.ask(":echo:\na\n") == "200 OK\nWord:: a\n  Length:: 1\n"

    DatagramServer(tmp_path, 'modparam("mi_datagram", "reply_indent", "  ")').play(scene)
