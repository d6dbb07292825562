"""`openpy test`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from openpy.cli import test as command
from tests.scenarios.process import ROOT

SCRIPT = 'loadmodule "sl.so"\nroute {\n\tif (method == "INFO")\n\t\texit;\n\tsl_send_reply("200", "OK");\n}\n'

TEST = 'def test_it(script):\n    assert script.send("OPTIONS", "sip:x").status == {}\n'


def own_file(folder: Path) -> Path:
    """The test file in a folder: no two have the same name, since they are imported here."""
    return folder / f"{folder.name}.py"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a script and a test of it; pytest does not take this project's configuration for its own."""
    (tmp_path / "openser.cfg").write_text(SCRIPT)
    options = "--import-mode=importlib -p no:cacheprovider -p no:xdist"
    (tmp_path / "pytest.ini").write_text(f"[pytest]\naddopts = {options}\n")
    own_file(tmp_path).write_text(TEST.format(200))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COVERAGE_FILE", raising=False)  # of whoever measures these tests
    return tmp_path


def test_it_runs_the_tests_of_a_folder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([str(folder)]) == 0
    assert "1 passed" in capsys.readouterr().out
    assert not (folder / ".coverage").exists()
    own_file(folder).unlink()
    (folder / "test_another_answer.py").write_text(TEST.format(404))
    assert command.main([".", "-q"]) == 1
    assert "What happened with openser.cfg" in capsys.readouterr().out


def test_a_folder_without_tests(folder: Path) -> None:
    own_file(folder).unlink()
    assert command.main([str(folder)]) == 5


def test_options_of_pytest_are_passed_on(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--collect-only", "-q"]) == 0
    assert f"{own_file(folder).name}::test_it" in capsys.readouterr().out
    assert command.main(["--", "--version"]) == 0


def test_a_project_may_take_warnings_for_errors(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with (folder / "pytest.ini").open("a") as settings:
        settings.write("filterwarnings = error\n")
    words = [sys.executable, "-m", "openpy", "test", "."]
    assert subprocess.run(words, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)}).returncode == 0
    assert "warning" not in capfd.readouterr().out


def test_coverage_in_all_formats(folder: Path) -> None:
    reports = ["text", "html:pages", "xml", "json:told.json", "lcov:told.lcov"]
    options = [f"--cov-report={report}" for report in reports[:-1]]
    assert command.main([".", *options, "--cov-report", reports[-1]]) == 0
    (file,) = json.loads((folder / "told.json").read_text())["files"].values()
    assert (file["executed_lines"], file["missing_lines"]) == ([3, 5], [4])
    assert file["missing_branches"] == [[3, 4]]
    assert (folder / "pages" / "index.html").exists()
    assert (folder / "coverage.xml").exists()
    assert "LF:3" in (folder / "told.lcov").read_text()
    assert (folder / ".coverage").exists()


def test_coverage_as_text(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([".", "--cov"]) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("openser.cfg"))
    assert line.split() == ["openser.cfg", "3", "1", "2", "1", "60%", "4"]


def test_nothing_was_loaded(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own_file(folder).write_text("def test_it(): pass")
    assert command.main([".", "--cov"]) == 0
    assert "no script was loaded" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([option]) == 0
    assert capsys.readouterr().out.startswith("usage: openpy test")


def test_a_report_that_there_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--cov-report=pdf"]) == 4
    assert "--cov-report pdf: write one of text, html" in capsys.readouterr().err


@pytest.mark.parametrize(("missing", "options"), [("pytest", []), ("coverage", ["--cov"])])
def test_what_is_not_installed_is_told(
    missing: str, options: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "find_spec", lambda name: None if name == missing else object())
    assert command.main(options) == 4
    assert capsys.readouterr().err == f'openpy test needs {missing}: pip install "openpy[testing]"\n'
