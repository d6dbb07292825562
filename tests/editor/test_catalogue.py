"""What there is beyond what a script loads."""

from __future__ import annotations

import pytest

from openpy.editor import catalogue
from openpy.engine.module import Module, ModuleError
from openpy.engine.modulefinder import find_module, module_names


def test_all_modules_and_their_functions() -> None:
    assert set(catalogue.installed()) == set(module_names())
    assert catalogue.functions()["t_reply"].module == "tm"
    names = {name for cls in catalogue.installed().values() for name in cls.function_names()}
    assert set(catalogue.functions()) == names


def test_a_module_that_cannot_be_imported_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def find(name: str) -> type[Module]:
        if name == "mysql":
            raise ModuleError("it needs a package")
        return find_module(name)

    monkeypatch.setattr(catalogue, "find_module", find)
    assert set(catalogue.installed.__wrapped__()) == {*module_names()} - {"mysql"}
