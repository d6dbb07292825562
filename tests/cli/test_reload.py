from __future__ import annotations

from pathlib import Path

import pytest

from openpy.cli.openpyctl import main
from tests.cli.controlled import Controlled, reply


def test_what_is_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "s"
    with Controlled(path, [reply("x is reloaded", "  route: \x1b[2J")], [reply()], [reply()]) as server:
        assert main(["reload", "--socket", str(path)]) == 0
        assert main(["reload", "--dry-run", "--socket", str(path)]) == 0
        assert main(["reload", "--partial", "--dry-run", "--socket", str(path)]) == 0
    assert [request["parameters"] for request in server.heard] == [[], ["dry-run"], ["dry-run", "partial"]]
    assert {(request["command"], request["name"]) for request in server.heard} == {("mi", "reload")}
    assert capsys.readouterr().out == "x is reloaded\n  route:  [2J\n"


def test_a_refusal_goes_to_stderr_with_all_that_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = reply("x.cfg:3:2: error: bad", "\tbad", "\t^^^", code=400, reason="the old script goes on: x")
    with Controlled(tmp_path / "s", [answer]):
        assert main(["reload", "--socket", str(tmp_path / "s")]) == 1
    assert capsys.readouterr() == (
        "",
        "openpyctl: the old script goes on: x\nx.cfg:3:2: error: bad\n    bad\n    ^^^\n",
    )


def test_it_is_found_in_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["reload"]) == 3
    assert "there is no openpyctl.sock here" in capsys.readouterr().err
    with Controlled(Path("openpyctl.sock"), [reply("done")]):
        assert main(["reload"]) == 0
    assert capsys.readouterr().out == "done\n"
