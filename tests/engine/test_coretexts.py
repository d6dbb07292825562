from __future__ import annotations

from pathlib import Path

import pytest

from openpy.engine.log import DEBUG, WARNING
from openpy.script.diagnostics import ScriptError
from tests.engine.kit import Bench, code_of, evaluate, request


def test_log_writes_plain_text(tmp_path: Path) -> None:
    with Bench(tmp_path, 'log("50% $ru"); log(1, "at one");') as bench:
        bench.receive(request())
        lines = [line for line in bench.log if ":script:" in line]
        assert lines == ["DBG:script: 50% $ru", "WARNING:script: at one"]
        assert bench.levels[-2:] == [DEBUG, WARNING]


@pytest.mark.parametrize(("call", "level"), [("setdebug(1)", 1), ("setdebug(9)", 4), ("setdebug(-9)", -3)])
def test_setdebug_sets_the_level_within_bounds(tmp_path: Path, call: str, level: int) -> None:
    with Bench(tmp_path, f"{call};") as bench:
        bench.receive(request())
        assert bench.server.log.level == level


def test_setdebug_without_a_level_goes_back_to_the_parameter(tmp_path: Path) -> None:
    with Bench(tmp_path, "setdebug(1); setdebug();") as bench:
        bench.receive(request())
        assert bench.server.log.level == 4


def test_error_only_says_that_it_does_nothing(tmp_path: Path) -> None:
    with Bench(tmp_path, '$var(code) = error("a", "b"); xlog("$var(code)");') as bench:
        bench.receive(request())
        assert list(bench.printed()) == ["1"]
        assert 'WARNING:script: error("a", "b") not implemented yet' in bench.log


@pytest.mark.parametrize(
    ("call", "text", "expected"),
    [
        ('pv_printf("$avp(s:x)", "$rm to $rU");', "$avp(s:x)", "OPTIONS to bob"),
        ('avp_printf("$avp(s:x)", "$rm");', "$avp(s:x)", "OPTIONS"),
        ('pv_printf($avp(s:x), "$rm");', "$avp(s:x)", "OPTIONS"),
        ('pv_printf($avp(s:x) , "$rm");', "$avp(s:x)", "OPTIONS"),
        ('pv_printf($ru , "sip:$rU@new.example");', "$ru", "sip:bob@new.example"),
        ('pv_printf("$var(x)", "$hdr(Absent)");', "$var(x)", "<null>"),
        ('$avp(s:x)="a"; pv_printf("$avp(s:x)", "b");', "$(avp(s:x)[*])", "b, a"),
    ],
)
def test_pv_printf_assigns_a_formatted_text(tmp_path: Path, call: str, text: str, expected: str) -> None:
    assert evaluate(tmp_path, text, request(), before=call) == expected


def test_pv_printf_tells_that_the_variable_does_not_take_it(tmp_path: Path) -> None:
    assert code_of(tmp_path, 'pv_printf("$rU", "x")', request(), before='$ru="none";') == -1
    assert code_of(tmp_path, 'pv_printf("$rU", "x")', request()) == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ('pv_printf("$rm", "x");', "read-only"),
        ('pv_printf("x", "x");', "no pseudo-variable"),
        ('pv_printf("$ru", "$odd");', "odd"),
        ('pv_printf("$ru");', "takes 2 arguments"),
    ],
)
def test_what_pv_printf_cannot_do_is_told_when_the_script_is_loaded(
    tmp_path: Path, call: str, message: str
) -> None:
    with pytest.raises(ScriptError, match=message):
        Bench(tmp_path, call)
