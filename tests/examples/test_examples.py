"""Every script of examples/, and the README's, runs as it is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from openpy.cli.openpy import main
from openpy.engine.oldmodules import absent
from tests.conftest import ROOT
from tests.examples.conftest import EXAMPLES, FULL
from tests.scenarios.process import Launch
from tests.scenarios.wire import Phone, pidf

ALICE = "sip:alice@example.org"
OPTIONS = re.findall(r"^##!define (\w+)$", (ROOT / "examples" / "openser.cfg").read_text(), re.M)


@pytest.fixture
def readme() -> list[str]:
    """The fenced blocks of the README: a script, and what a mistake in it is told like."""
    return re.findall(r"^```(?:openser)?\n(.*?)^```$", (ROOT / "README.md").read_text(), re.M | re.S)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_passes_the_check(
    name: str, certified: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(certified)
    assert main(["-c", "-f", name]) == 0
    assert capsys.readouterr().err == "config file ok, exiting...\n"


@pytest.mark.parametrize("option", OPTIONS)
def test_each_block_can_be_turned_on_by_itself(
    option: str, certified: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What this version has no module for is told, and nothing else."""
    monkeypatch.chdir(certified)
    status = main(["-c", "-f", "openser.cfg", "-A", option])
    told = capsys.readouterr().err
    missing = re.findall(r"could not open module <(\w+)\.so>", told)
    assert status == (255 if missing else 0)
    assert all(map(absent, missing))
    assert told.count("error[") == len(missing)
    assert "warning[" not in told


def test_the_full_script_has_each_block_on() -> None:
    defined = re.findall(r"^#!define (\w+)$", FULL, re.M)
    assert defined == OPTIONS


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_has_the_layout_of_fmt(name: str) -> None:
    assert main(["fmt", "--check", str(ROOT / "examples" / name)]) == 0


@pytest.mark.scenario
def test_the_script_of_the_readme_starts_and_answers(readme: list[str], launch: Launch) -> None:
    server = launch(readme[0])
    with Phone(server.address) as phone:
        assert phone.request("OPTIONS", "sip:example.org").status == 405
        assert phone.publish(ALICE, pidf()).status == 200
        assert b"open" in phone.watch(ALICE)[1].body


def test_the_mistake_in_the_readme_is_told_like_that(
    readme: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "openser.cfg").write_text(readme[0].replace("handle_publish", "handle_publsh"))
    monkeypatch.chdir(tmp_path)
    assert main(["-c", "-f", "openser.cfg"]) == 255
    assert readme[1].strip() in capsys.readouterr().err
