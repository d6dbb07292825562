from __future__ import annotations

from pathlib import Path

import pytest

from openpy.script.diagnostics import ScriptError
from tests.engine.kit import Bench, code_of, evaluate, request


@pytest.mark.parametrize(
    ("call", "line"),
    [
        ('xlog("$rm from $si\\n")', "ERROR:script: OPTIONS from 192.0.2.1"),
        ('xlog("L_ALERT", "x")', "ALERT:script: x"),
        ('xlog("L_CRIT", "x")', "CRITICAL:script: x"),
        ('xlog("L_ERR", "x")', "ERROR:script: x"),
        ('xlog("L_WARN", "x")', "WARNING:script: x"),
        ('xlog("L_NOTICE", "x")', "NOTICE:script: x"),
        ('xlog("L_INFO", "x")', "INFO:script: x"),
        ('xlog("L_DBG", "x")', "DBG:script: x"),
        ('xdbg("100% $ci")', "DBG:script: 100% call-1"),
    ],
)
def test_each_level(tmp_path: Path, call: str, line: str) -> None:
    with Bench(tmp_path, f"{call};") as bench:
        bench.receive(request())
        assert bench.log == [line]


def test_what_is_above_the_level_is_not_evaluated(tmp_path: Path) -> None:
    with Bench(tmp_path, '$var(c) = xlog("L_INFO", "x"); xlog("$var(c)");', more="debug=2") as bench:
        bench.receive(request())
        assert bench.log == ["ERROR:script: 1"]


def test_a_text_may_be_as_long_as_the_buffer(tmp_path: Path) -> None:
    more = 'modparam("xlog", "buf_size", 10)'
    assert code_of(tmp_path, 'xlog("0123456789")', request(), more=more) == 1
    with Bench(tmp_path, '$var(c) = xlog("0123456789a"); xlog("c$var(c)");', more=more) as bench:
        bench.receive(request())
        assert list(bench.printed()) == ["c-1"]


@pytest.mark.parametrize(("level", "text"), [("L_", "wrong log level"), ("L_XX", "unknown log level")])
def test_a_level_that_is_none_is_told_when_the_script_is_loaded(
    tmp_path: Path, level: str, text: str
) -> None:
    with pytest.raises(ScriptError, match=text):
        Bench(tmp_path, f'xlog("{level}", "x");')


@pytest.mark.parametrize(
    ("letters", "code"),
    [("rx", "\x1b[0;31;49m"), ("Gs", "\x1b[1;32;40m"), ("xx", "\x1b[0;39;49m"), ("Wc", "\x1b[1;37;46m")],
)
def test_colours(tmp_path: Path, letters: str, code: str) -> None:
    more = 'modparam("xlog", "force_color", 1)'
    assert evaluate(tmp_path, f"$C({letters})x", request(), more=more) == f"{code}x"


def test_without_a_terminal_there_are_no_colours(tmp_path: Path) -> None:
    assert evaluate(tmp_path, "[$C(rx)]", request()) == "[]"


@pytest.mark.parametrize("letters", ["r", "rq", "qr", "rR", "rgb"])
def test_colours_that_are_none(tmp_path: Path, letters: str) -> None:
    with pytest.raises(ScriptError, match="bad colour"):
        Bench(tmp_path, f'xlog("$C({letters})");')
