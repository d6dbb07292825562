from __future__ import annotations

import os
import threading
from argparse import ArgumentParser
from pathlib import Path

import pytest

from openpy.cli import mi
from openpy.cli.openpyctl import main
from tests.cli.controlled import Controlled, reply


class Answering(threading.Thread):
    """A server's FIFO that hears one request and writes one answer."""

    def __init__(self, folder: Path, answer: str) -> None:
        super().__init__()
        self.folder, self.answer, self.heard = folder, answer, ""
        os.mkfifo(folder / "fifo")
        self.descriptor = os.open(folder / "fifo", os.O_RDWR)
        self.start()

    def run(self) -> None:
        while not self.heard.endswith("\n\n"):
            self.heard += os.read(self.descriptor, 4096).decode()
        os.close(self.descriptor)
        name = self.heard.split("\n")[0].split(":")[2]
        (self.folder / name).write_text(self.answer)


def ask(folder: Path, *words: str) -> int:
    return main(["mi", "--fifo", f"{folder}/fifo", "--reply-dir", f"{folder}/", *words])


def test_an_answer_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    server = Answering(tmp_path, "200 OK\nDomain:: location\n\tAOR:: alice\x1b[2J\n\n")
    assert ask(tmp_path, "ul_dump", "sip:a@[2001:db8::1]", 'say "hi"') == 0
    server.join()
    assert capsys.readouterr().out == "Domain:: location\n  AOR:: alice [2J\n"
    assert server.heard == (f':ul_dump:openpyctl_{os.getpid()}\n"sip:a@[2001:db8::1]"\n"say \\"hi\\""\n\n')
    assert [path.name for path in tmp_path.iterdir()] == ["fifo"]


def test_only_the_command_is_required(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["mi"])
    assert capsys.readouterr().err.endswith("arguments are required: COMMAND\n")


def test_a_refusal_goes_to_stderr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    server = Answering(tmp_path, "500 command 'x' not available\n")
    assert ask(tmp_path, "x") == 1
    server.join()
    assert capsys.readouterr().err == "openpyctl: 500 command 'x' not available\n"


def test_without_a_server_nobody_waits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ask(tmp_path, "which") == 3
    os.mkfifo(tmp_path / "fifo")
    assert ask(tmp_path, "which") == 3
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        f"openpyctl: {tmp_path}/fifo: No such file or directory",
        f"openpyctl: {tmp_path}/fifo: No such device or address",
    ]


def test_an_answer_that_does_not_come(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(tmp_path / "fifo")
    held = os.open(tmp_path / "fifo", os.O_RDWR)
    parser = ArgumentParser()
    mi.add_arguments(parser)
    options = parser.parse_args(["--fifo", f"{tmp_path}/fifo", "--reply-dir", f"{tmp_path}/", "which"])
    assert mi.run(options, patience=0.02) == 3
    assert capsys.readouterr().err == "openpyctl: no answer\n"
    os.close(held)


# --- by the control socket ----------------------------------------------------------------------------------------


def test_the_socket_gives_the_same_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = reply("location")
    answer["nodes"][0] |= {"name": "Domain", "nodes": reply("alice\x1b[2J")["nodes"]}
    refusal = reply("a line", code=400, reason="Bad parameter")
    with Controlled(tmp_path / "s", [answer], [refusal]) as server:
        assert main(["mi", "--socket", f"{tmp_path}/s", "ul_dump", "brief"]) == 0
        assert capsys.readouterr().out == "Domain:: location\n  alice [2J\n"
        assert main(["mi", "--socket", f"{tmp_path}/s", "debug", "x"]) == 1
        assert capsys.readouterr().err == "openpyctl: 400 Bad parameter\na line\n"
    assert server.heard[0]["parameters"] == ["brief"]


def test_the_socket_is_taken_where_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(mi, "FIFO", str(tmp_path / "fifo"))
    monkeypatch.setattr(mi, "REPLY_DIR", f"{tmp_path}/")
    assert main(["mi", "which"]) == 3
    assert "there is no openpyctl.sock here" in capsys.readouterr().err
    by_fifo = Answering(tmp_path, "200 OK\nby the FIFO\n\n")
    assert main(["mi", "which"]) == 0
    by_fifo.join()
    with Controlled(Path("openpyctl.sock"), [reply("by the socket")]):
        assert main(["mi", "which"]) == 0
    assert capsys.readouterr().out == "by the FIFO\nby the socket\n"


def test_two_ways_at_once_are_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mi", "--socket", "s", "--fifo", "f", "which"]) == 2
    assert "two ways to a server" in capsys.readouterr().err
