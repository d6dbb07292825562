"""Every script of examples/, and the README's, runs as it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from openpy.cli.openpy import main
from tests.conftest import ROOT
from tests.scenarios.conftest import Launch, launcher
from tests.scenarios.wire import Phone, pidf

EXAMPLES = sorted(path.name for path in (ROOT / "examples").glob("*.cfg"))

ALICE = "sip:alice@example.org"


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    (tmp_path / "var").mkdir()
    with ExitStack() as stack:
        yield launcher(tmp_path, stack)


@pytest.fixture
def readme() -> list[str]:
    """The fenced blocks of the README: a script, and what a mistake in it is told like."""
    return re.findall(r"^```\n(.*?)^```$", (ROOT / "README.md").read_text(), re.M | re.S)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_passes_the_check(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-c", "-f", str(ROOT / "examples" / name)]) == 0
    assert capsys.readouterr().err == "config file ok, exiting...\n"


@pytest.mark.scenario
@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_starts_and_answers(name: str, launch: Launch) -> None:
    server = launch((ROOT / "examples" / name).read_text())
    with Phone(server.address) as phone:
        assert phone.request("OPTIONS", "sip:example.org").status == 200
        assert phone.request("INFO", "sip:example.org").status == 405
        assert phone.publish(ALICE, pidf()).status == 200
        assert b"open" in phone.watch(ALICE)[1].body


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
