from __future__ import annotations

import re
import socket
from contextlib import closing
from pathlib import Path

import pytest

from openpy.cli import control
from openpy.cli.control import NoServer
from openpy.engine.mi import Node, Reply
from tests.cli.controlled import Controlled, reply


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "s"


def test_objects_come_as_they_are_sent(path: Path) -> None:
    with Controlled(path, [{"type": "a"}, {"type": "b"}]) as server:
        assert list(control.ask(str(path), {"command": "x"})) == [{"type": "a"}, {"type": "b"}]
        server.join()
        assert server.heard == [{"command": "x"}]


def test_the_answer_to_a_management_command(path: Path) -> None:
    nodes = [{"name": "A", "value": None, "attributes": {"x": "1"}, "nodes": reply("child")["nodes"]}]
    answer = {"type": "reply", "code": 200, "reason": "OK", "nodes": nodes}
    with Controlled(path, [answer], [{"type": "error", "text": "no"}]) as server:
        expected = Reply(200, "OK", [Node("A", None, {"x": "1"}, [Node(value="child")])])
        assert control.command(str(path), "ul_dump", ["brief"]) == expected
        assert control.command(str(path), "nope", []) == Reply(400, "no")
    assert server.heard[0] == {"command": "mi", "name": "ul_dump", "parameters": ["brief"]}


def test_where_there_is_no_server_it_says_what_to_do(path: Path) -> None:
    with pytest.raises(NoServer, match=r"there is no .*/s here: run this where the server runs, or name its"):
        control.command(str(path), "which", [])
    with closing(socket.socket(socket.AF_UNIX)) as dead:
        dead.bind(str(path))
    with pytest.raises(NoServer, match="/s: the server that made it has gone"):
        control.command(str(path), "which", [])


def test_a_socket_of_another_user(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(self: socket.socket, address: str) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(
        "openpy.cli.control.socket.socket", type("Refused", (socket.socket,), {"connect": refused})
    )
    with pytest.raises(NoServer, match="belongs to another user: run this as that user, or as root"):
        control.command(str(path), "which", [])


def test_a_server_that_says_nothing(path: Path) -> None:
    with closing(socket.socket(socket.AF_UNIX)) as silent:
        silent.bind(str(path))
        silent.listen()
        with pytest.raises(NoServer, match=r"/s: no answer within 0\.05 s"):
            control.command(str(path), "which", [], patience=0.05)


@pytest.mark.parametrize(
    ("answers", "text"),
    [([], "the server closed the connection instead of an answer"), (["nonsense"], "Expecting value")],
)
def test_a_server_that_makes_no_sense(path: Path, answers: list[str], text: str) -> None:
    with Controlled(path, answers), pytest.raises(NoServer, match=re.escape(text)):
        control.command(str(path), "which", [])


def test_a_path_that_cannot_be_one() -> None:
    with pytest.raises(NoServer, match="too long"):
        control.command("x" * 200, "which", [])
