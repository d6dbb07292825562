from __future__ import annotations

from pathlib import Path

import pytest

from openpy.script.diagnostics import ScriptError
from tests.engine.kit import Bench, code_of, request


@pytest.mark.parametrize(
    ("before", "call", "code"),
    [
        (";", "isflagset(3)", -1),
        ("setflag(3);", "isflagset(3)", 1),
        ("setflag(3); resetflag(3);", "isflagset(3)", -1),
        ("setflag(31);", "isflagset(31)", 1),
        (";", "issflagset(3)", -1),
        ("setsflag(3);", "issflagset(3)", 1),
        ("setscriptflag(3); resetsflag(3);", "isscriptflagset(3)", -1),
        (";", "isbflagset(3)", -1),
        ("setbflag(3);", "isbflagset(0,3)", 1),
        ("setbflag(0,3); resetbflag(3);", "isbflagset(3)", -1),
        (";", "setbflag(1,3)", -1),
        (";", "isbflagset(1,3)", -1),
        (";", "resetbflag(1,3)", -1),
        ('append_branch("sip:a@b"); setbflag(1,3);', "isbflagset(1,3)", 1),
        ('append_branch("sip:a@b"); setbflag(1,3); resetbflag(1,3);', "isbranchflagset(1,3)", -1),
        ('append_branch("sip:a@b"); setbflag(1,3);', "isbflagset(3)", -1),
    ],
)
def test_return_codes(tmp_path: Path, before: str, call: str, code: int) -> None:
    assert code_of(tmp_path, call, request(), before=before) == code


@pytest.mark.parametrize("call", ["setflag(32);", "setbflag(12,1);", "issflagset(-1);"])
def test_numbers_out_of_range_are_told_when_the_script_is_loaded(tmp_path: Path, call: str) -> None:
    with pytest.raises(ScriptError):
        Bench(tmp_path, call)
