"""The scripts that are open, and what belongs to which."""

from __future__ import annotations

from pathlib import Path

import pytest

from openpy.editor import project as module
from openpy.editor.analysis import analyse
from openpy.editor.project import Project
from openpy.script.rules.ways import UNANSWERED


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "openser.cfg").write_text('include_file "routes/../routes/a.cfg"\n')
    (tmp_path / "routes").mkdir()
    (tmp_path / "routes/a.cfg").write_text("route { append_branch(); }\n")
    (tmp_path / "alone.cfg").write_text("route { }\n")
    return tmp_path


def test_what_is_open_counts(folder: Path) -> None:
    project, path = Project(), str(folder / "openser.cfg")
    assert project.text(path).startswith("include_file")
    project.open(path, "debug=3 \ud800 é")
    assert project.text(f"{folder}/routes/../openser.cfg") == "debug=3 � é"
    project.close(path)
    assert project.text(path).startswith("include_file")
    with pytest.raises(FileNotFoundError):
        project.text("untitled:1")


def test_an_included_file_belongs_to_the_script_beside_it(folder: Path) -> None:
    project = Project()
    inner = str(folder / "routes/a.cfg")
    project.open(inner, "route { foo(); }")
    assert project.script_of(inner) == str(folder / "openser.cfg")
    assert "unknown command" in project.current(inner).found[0].message
    alone = str(folder / "alone.cfg")
    assert project.script_of(alone) == alone
    assert [item.code for item in project.current(alone).found] == [UNANSWERED.code]


def test_a_script_takes_over_what_it_includes(folder: Path) -> None:
    project = Project()
    main, inner = str(folder / "main.cfg"), str(folder / "alone.cfg")
    project.keep(analyse(inner, project.reader()))
    project.open(main, 'include_file "alone.cfg"')
    project.keep(analyse(main, project.reader()))
    assert list(project.analyses) == [main]
    assert project.script_of(inner) == main


def test_texts_are_those_of_now(folder: Path) -> None:
    project, path = Project(), str(folder / "alone.cfg")
    assert project.current(path).sources == {path: "route { }\n"}
    project.open(path, "route[1] { }")
    assert project.current(path).sources == {path: "route[1] { }"}


def test_a_script_beside_that_cannot_be_checked_is_none(folder: Path) -> None:
    (folder / "spoilt.py").write_text(
        "from openpy.engine.module import Module\n\n\nclass Spoilt(Module):\n    name = 'spoilt'\n\n"
        "    def check(self):\n        raise ZeroDivisionError\n"
    )
    (folder / "openser.cfg").write_text(f'mpath="{folder}"\nloadmodule "spoilt.so"\n')
    alone = str(folder / "alone.cfg")
    assert Project().script_of(alone) == alone


def test_a_script_beside_is_read_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project, alone = Project(), str(folder / "alone.cfg")
    assert project.script_of(alone) == alone
    monkeypatch.setattr(module, "analyse", None)
    assert project.script_of(alone) == alone
