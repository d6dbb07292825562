from __future__ import annotations

import importlib.metadata
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest

from openpy.engine.module import Module, ModuleError
from openpy.engine.modulefinder import find_module, module_names
from openpy.modules.sqlite.module import Sqlite
from openpy.modules.tm.module import Tm
from openpy.script import dialects

HELLO = '''
from openpy.engine.module import Module, Param

class Hello(Module):
    """Says hello."""

    name = "hello"
    word = Param(str, "hello", "What to say")
'''


class Packaged(Module):
    """Comes with a package of its own."""

    name = "packaged"


@pytest.mark.parametrize("path", ["tm.so", "tm", "/usr/lib/openser/modules/tm.so", "modules/tm/tm.so"])
def test_all_spellings_mean_the_same_module(path: str) -> None:
    assert find_module(path) is Tm


@pytest.mark.parametrize("path", ["sqlite.so", "db_sqlite.so", "db_sqlite"])
def test_database_modules_have_their_later_names_too(path: str) -> None:
    assert find_module(path) is Sqlite


def test_a_module_of_ones_own_lies_under_mpath_and_comes_first(tmp_path: Path) -> None:
    (tmp_path / "hello.py").write_text(HELLO)
    (tmp_path / "tm.py").write_text(HELLO.replace("hello", "tm"))
    assert find_module("hello.so", str(tmp_path)).name == "hello"
    assert find_module("tm.so", str(tmp_path)) is not Tm
    assert find_module("sl.so", str(tmp_path)).name == "sl"


def test_an_installed_package_brings_modules_by_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = EntryPoint("packaged", f"{__name__}:Packaged", "openpy.modules")
    monkeypatch.setattr(EntryPoint, "load", lambda self: Packaged)
    monkeypatch.setattr(
        importlib.metadata, "entry_points", lambda **wanted: EntryPoints([entry]).select(**wanted)
    )
    assert find_module("packaged.so") is Packaged
    assert "packaged" in module_names()
    assert "tm" in module_names()


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("xlg.so", 'did you mean "xlog"?'),
        ("zzz.so", "this version has "),
        ("no-name.so", ""),
        ("tmx.so", dialects.MODULES["tmx"]),
    ],
)
def test_a_module_that_is_not_there(path: str, hint: str) -> None:
    with pytest.raises(ModuleError, match="could not open module") as caught:
        find_module(path)
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("source", "text", "hint"),
    [
        ("import no_such_package\n", "ModuleNotFoundError", "pip install no_such_package"),
        ("x = 1\n", "holds no module class", ""),
    ],
)
def test_a_file_that_is_no_module(tmp_path: Path, source: str, text: str, hint: str) -> None:
    (tmp_path / "hello.py").write_text(source)
    with pytest.raises(ModuleError, match=text) as caught:
        find_module("hello.so", str(tmp_path))
    assert hint in caught.value.hint
