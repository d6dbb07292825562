from __future__ import annotations

from pathlib import Path

import pytest

from openpy.script.diagnostics import ScriptError
from tests.engine.kit import MODULES, Bench, code_of, evaluate, request


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
        ('xlog("LxIx", "x")', "INFO:script: x"),
        ('xlog("-3", "x")', "ALERT:script: x"),
        ('xlog("1", "x")', "WARNING:script: x"),
        ('xlog("4", "x")', "DBG:script: x"),
        ('$var(l) = 2; xlog("$var(l)", "x")', "NOTICE:script: x"),
        ('$var(l) = "L_WARN"; xlog("$var(l)", "x")', "WARNING:script: x"),
        ('$var(l) = "-1"; xlog("$var(l)", "x")', "ERROR:script: x"),
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


@pytest.mark.parametrize("word", ["0", "5", "L_XX", "L", "-", ""])
def test_a_variable_may_hold_no_level(tmp_path: Path, word: str) -> None:
    route = f'$var(l) = "{word}"; $var(c) = xlog("$var(l)", "x"); xlog("code $var(c)");'
    with Bench(tmp_path, route) as bench:
        bench.receive(request())
        assert list(bench.printed()) == ["code -1"]


def test_a_header_that_is_not_there_is_no_level(tmp_path: Path) -> None:
    assert code_of(tmp_path, 'xlog("$hdr(X)", "x")', request()) == -1


@pytest.mark.parametrize("call", ['xlog("L_INFO", "$RANDOM")', 'xlog("3", "$RANDOM")', 'xdbg("$RANDOM")'])
def test_nothing_is_formatted_where_the_level_is_off(tmp_path: Path, call: str) -> None:
    """Chance shows it: each look at $RANDOM takes a number."""

    def next_number(calls: str) -> list[str]:
        route = f'{calls}; xlog("$RANDOM");'
        with Bench(tmp_path, route, more="debug=2", modules=(*MODULES, "cfgutils")) as bench:
            bench.server.random.seed(1)
            bench.receive(request())
            return list(bench.printed())

    assert next_number(call) == next_number("")


def test_a_text_may_be_as_long_as_the_buffer(tmp_path: Path) -> None:
    more = 'modparam("xlog", "buf_size", 10)'
    assert code_of(tmp_path, 'xlog("0123456789")', request(), more=more) == 1
    with Bench(tmp_path, '$var(c) = xlog("0123456789a"); xlog("c$var(c)");', more=more) as bench:
        bench.receive(request())
        assert list(bench.printed()) == ["c-1"]


@pytest.mark.parametrize(
    ("level", "text"),
    [
        ("L_", "wrong log level"),
        ("0", "wrong log level"),
        ("L_XX", "unknown log level"),
        ("L_err", "unknown log level"),
        ("$nope", "unknown script variable"),
        ("$rm and more", "not part of the pseudo-variable"),
    ],
)
def test_a_level_that_is_none_is_told_when_the_script_is_loaded(
    tmp_path: Path, level: str, text: str
) -> None:
    with pytest.raises(ScriptError, match=text):
        Bench(tmp_path, f'xlog("{level}", "x");')


@pytest.mark.parametrize("block", ["failure_route[1]", "onreply_route[1]", "branch_route[1]", "error_route"])
def test_they_are_there_in_every_block(tmp_path: Path, block: str) -> None:
    Bench(tmp_path, more=f'{block} {{ xlog("x"); xlog("L_DBG", "x"); xdbg("x"); }}').close()


@pytest.mark.parametrize(
    ("letters", "code"),
    [("rx", "\x1b[0;31;49m"), ("Gs", "\x1b[1;32;40m"), ("xx", "\x1b[0;39;49m"), ("Wc", "\x1b[1;37;46m")],
)
def test_colours(tmp_path: Path, letters: str, code: str) -> None:
    more = 'modparam("xlog", "force_color", 1)'
    assert evaluate(tmp_path, f"$C({letters})x", request(), more=more) == f"{code}x"


@pytest.mark.parametrize(("on_terminal", "line"), [(False, "[]"), (True, "[\x1b[0;31;49m]")])
def test_without_a_terminal_there_are_no_colours(tmp_path: Path, on_terminal: bool, line: str) -> None:
    with Bench(tmp_path, 'xlog("[$C(rx)]");') as bench:
        bench.server.log.on_terminal = on_terminal
        bench.receive(request())
        assert list(bench.printed()) == [line]


@pytest.mark.parametrize("letters", ["r", "rq", "qr", "rR", "rgb"])
def test_colours_that_are_none(tmp_path: Path, letters: str) -> None:
    with pytest.raises(ScriptError, match="bad colour"):
        Bench(tmp_path, f'xlog("$C({letters})");')
