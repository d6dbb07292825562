"""The subcommands of openpy."""

from __future__ import annotations

from importlib import import_module

import pytest

from openpy.cli import openpy as command
from openpy.cli import subcommands, test


@pytest.mark.parametrize("name", subcommands.SUBCOMMANDS)
def test_each_is_a_module_with_a_main(name: str) -> None:
    assert callable(import_module(subcommands.SUBCOMMANDS[name].module).main)


def test_the_first_argument_may_be_one(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[object] = []
    monkeypatch.setattr(test, "main", lambda arguments: called.append(arguments) or 7)  # type: ignore[func-returns-value]
    assert command.main(["test", "folder", "-x"]) == 7
    assert called == [["folder", "-x"]]


def test_they_are_told_with_the_options(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["-h"]) == 0
    assert f"or:\n{subcommands.listed()}" in capsys.readouterr().out
    assert "  openpy test     run the tests" in subcommands.listed()
