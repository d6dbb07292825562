from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from bench import adapter
from bench.adapter import SCRIPT, main, prepare


def test_the_script_is_filled_in_and_the_old_store_removed(tmp_path: Path) -> None:
    (tmp_path / "openpy.sqlite-wal").write_text("old")
    script = prepare(SCRIPT, tmp_path, 5999, f"sqlite:///{tmp_path}/openpy.sqlite").read_text()
    assert not (tmp_path / "openpy.sqlite-wal").exists()
    assert f'"sqlite:///{tmp_path}/openpy.sqlite"' in script
    assert '"sip:127.0.0.1:5999"' in script


def test_it_makes_the_store_and_becomes_openpy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[list[str]] = []
    became: list[list[str]] = []
    monkeypatch.setattr(subprocess, "run", lambda command, **_: ran.append(command))
    monkeypatch.setattr(os, "execve", lambda _, command, environment: became.append(command))
    main(["--port", "5999", "--workdir", str(tmp_path), "--python", "python", "--runner", "-m tracer"])
    assert ran == [
        ["python", "-m", "openpy.cli.openpydbctl", "create", f"sqlite:///{tmp_path}/openpy.sqlite"]
    ]
    script = str(tmp_path / "openpy.cfg")
    assert became[0][:7] == ["python", "-m", "tracer", "-m", "openpy", "-f", script]
    assert became[0][7:] == ["-l", "udp:127.0.0.1:5999", "-l", "tcp:127.0.0.1:5999"]


def test_another_database_is_emptied_and_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[list[str]] = []
    monkeypatch.setattr(subprocess, "run", lambda command, **_: ran.append(command[3:]))
    monkeypatch.setattr(os, "execve", lambda *_: None)
    url = "mysql://root@localhost/bench"
    main(["--port", "5999", "--workdir", str(tmp_path), "--python", "python", "--database", url])
    assert ran == [["drop", "--yes", url], ["create", url]]
    script = (tmp_path / "openpy.cfg").read_text()
    assert 'loadmodule "mysql.so"' in script
    assert f'"db_url", "{url}"' in script


def test_the_compiled_build_is_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[str] = []
    monkeypatch.setattr(adapter, "COMPILED", tmp_path / "compiled")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: None)
    monkeypatch.setattr(os, "execve", lambda _, __, environment: found.append(environment["PYTHONPATH"]))
    arguments = ["--port", "5999", "--workdir", str(tmp_path), "--compiled"]
    with pytest.raises(SystemExit):
        main(arguments)
    (tmp_path / "compiled" / "openpy").mkdir(parents=True)
    main(arguments)
    assert [path.split(os.pathsep)[0] for path in found] == [str(tmp_path / "compiled")]
