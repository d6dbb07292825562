"""`openpy fmt`."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest

from openpy.cli.openpy import main

UGLY = 'route{sl_send_reply( "200","\udcff" );}'
NICE = 'route {\n\tsl_send_reply("200", "\udcff");\n}\n'


def encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "openser.cfg"
    path.write_bytes(encoded(UGLY))
    path.chmod(0o640)
    return path


def test_a_file_is_rewritten_once(script: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fmt"]) == 0
    assert script.read_bytes() == encoded(NICE)
    assert script.stat().st_mode & 0o777 == 0o640
    assert capsys.readouterr().err == "formatted openser.cfg\n"
    assert main(["fmt", "openser.cfg"]) == 0
    assert capsys.readouterr() == ("", "")
    assert os.listdir(script.parent) == ["openser.cfg"]


def test_check_and_diff_change_nothing(script: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["fmt", "--check", "openser.cfg"]) == 1
    assert capsysbinary.readouterr() == (b"", b"would change openser.cfg\n")
    assert main(["fmt", "--diff", "openser.cfg"]) == 0
    shown = capsysbinary.readouterr().out
    assert shown.startswith(b"--- openser.cfg\n+++ openser.cfg\n@@ -1 +1,4 @@\n-route{")
    assert b'+\tsl_send_reply("200", "\xff");\n' in shown
    assert main(["fmt", "--diff", "--check", "openser.cfg"]) == 1
    assert script.read_bytes() == encoded(UGLY)
    script.write_bytes(encoded(NICE))
    assert main(["fmt", "--diff", "--check", "openser.cfg"]) == 0


def test_stdin_goes_to_stdout(
    capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(encoded(UGLY))))
    assert main(["fmt", "-"]) == 0
    assert capsysbinary.readouterr().out == encoded(NICE)
    assert main(["fmt", "-", "x"]) == 2


def test_what_does_not_parse_is_left_as_it_is(script: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = script.with_name("other.cfg")
    other.write_text("route {\n\ta()\n}\n")
    assert main(["fmt", "other.cfg", "openser.cfg", "missing.cfg"]) == 255
    told = capsys.readouterr().err
    assert "other.cfg:2:5: error[E102]: bad command: missing ';'?" in told
    assert "    \ta()\n" in told
    assert "other.cfg is left as it is\n" in told
    assert "openpy fmt: missing.cfg: No such file or directory\n" in told
    assert other.read_text() == "route {\n\ta()\n}\n"
    assert script.read_bytes() == encoded(NICE)


def test_mistakes_in_included_files_are_shown_there(script: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script.write_text('include_file "inner.cfg"\n')
    script.with_name("inner.cfg").write_text("debug = = 3\n")
    assert main(["fmt", "openser.cfg"]) == 255
    assert "inner.cfg:1:9: error" in capsys.readouterr().err


def test_names_can_be_defined(script: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script.write_text("debug = LEVEL\nroute { HEAD a(); }")
    assert main(["fmt", "-A", "HEAD=if (b())", "openser.cfg"]) == 0
    assert script.read_text() == "debug=LEVEL\nroute {\n\tHEAD a();\n}\n"
    with pytest.raises(SystemExit):
        main(["fmt", "-A", "1x"])
    assert "write NAME or NAME=value" in capsys.readouterr().err


def test_nothing_is_left_behind_by_a_full_disk(script: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "openser.cfg")

    monkeypatch.setattr(os, "replace", full)
    assert main(["fmt", "openser.cfg"]) == 255
    assert os.listdir(script.parent) == ["openser.cfg"]
    assert script.read_bytes() == encoded(UGLY)
