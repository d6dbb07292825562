from __future__ import annotations

from pathlib import Path

import pytest

from openpy.script.diagnostics import ScriptError
from tests.engine.kit import MODULES, Bench, request

WITH_GFLAGS = (*MODULES, "gflags")


def initially(value: int) -> str:
    return f'modparam("gflags", "initial", {value})'


def told(bench: Bench, name: str, *values: str) -> list[str | None]:
    reply = bench.mi(name, *values)
    assert (reply.code, reply.reason) == (200, "OK")
    return [node.value for node in reply.nodes]


@pytest.mark.parametrize(
    ("initial", "call", "code", "after"),
    [
        (0, 'set_gflag("0")', 1, 0b1),
        (0, 'set_gflag("31")', 1, 0x80000000),
        (5, 'set_gflag("2")', 1, 5),
        (5, 'reset_gflag("2")', 1, 1),
        (5, 'reset_gflag("1")', 1, 5),
        (5, 'is_gflag("2")', 1, 5),
        (5, 'is_gflag("1")', -1, 5),
        (-1, 'is_gflag("31")', 1, 0xFFFFFFFF),
    ],
)
def test_functions(tmp_path: Path, initial: int, call: str, code: int, after: int) -> None:
    route = f'$var(c) = {call}; xlog("$var(c)");'
    with Bench(tmp_path, route, more=initially(initial), modules=WITH_GFLAGS) as bench:
        bench.receive(request())
        assert list(bench.printed()) == [str(code)]
        assert told(bench, "get_gflags") == [f"0x{after:X}", str(after)]


def test_all_messages_share_them(tmp_path: Path) -> None:
    route = 'if (is_gflag("3")) xlog("again"); else { set_gflag("3"); xlog("first"); }'
    with Bench(tmp_path, route, modules=WITH_GFLAGS) as bench:
        bench.receive(request(branch="z9hG4bK1"))
        bench.receive(request(branch="z9hG4bK2"))
        assert list(bench.printed()) == ["first", "again"]


@pytest.mark.parametrize(
    "block", ["route[1]", "failure_route[1]", "onreply_route[1]", "branch_route[1]", "error_route"]
)
def test_they_are_there_in_every_block(tmp_path: Path, block: str) -> None:
    more = f'{block} {{ set_gflag("1"); reset_gflag("1"); is_gflag("1"); }}'
    Bench(tmp_path, more=more, modules=WITH_GFLAGS).close()


@pytest.mark.parametrize(
    ("command", "bitmap", "answer", "after"),
    [
        ("set_gflag", "2", [], 7),
        ("set_gflag", "0xA", [], 15),
        ("reset_gflag", "4", [], 1),
        ("reset_gflag", "0X6", [], 1),
        ("is_gflag", "5", ["TRUE"], 5),
        ("is_gflag", "0x4", ["TRUE"], 5),
        ("is_gflag", "6", ["FALSE"], 5),
    ],
)
def test_commands(tmp_path: Path, command: str, bitmap: str, answer: list[str], after: int) -> None:
    with Bench(tmp_path, more=initially(5), modules=WITH_GFLAGS) as bench:
        assert told(bench, command, bitmap) == answer
        assert told(bench, "get_gflags") == [f"0x{after:X}", str(after)]


@pytest.mark.parametrize("command", ["set_gflag", "reset_gflag", "is_gflag"])
@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ((), "Too few or too many arguments"),
        (("1", "2"), "Too few or too many arguments"),
        (("x",), "Bad parameter"),
        (("0",), "Bad parameter"),
        (("-1",), "Bad parameter"),
        (("0x",), "Bad parameter"),
        (("0x100000000",), "Bad parameter"),
    ],
)
def test_what_commands_refuse(tmp_path: Path, command: str, values: tuple[str, ...], reason: str) -> None:
    with Bench(tmp_path, more=initially(5), modules=WITH_GFLAGS) as bench:
        reply = bench.mi(command, *values)
        assert (reply.code, reply.reason) == (400, reason)
        assert told(bench, "get_gflags") == ["0x5", "5"]


@pytest.mark.parametrize(
    ("more", "route", "text"),
    [
        ("", 'set_gflag("32");', "32 is not between 0 and 31"),
        ("", 'is_gflag("-1");', "-1 is not between 0 and 31"),
        ("", 'reset_gflag("x");', 'bad number "x"'),
        (initially(2**32), ";", "does not fit into 32 bits"),
    ],
)
def test_what_is_told_when_the_script_is_loaded(tmp_path: Path, more: str, route: str, text: str) -> None:
    with pytest.raises(ScriptError, match=text):
        Bench(tmp_path, route, more=more, modules=WITH_GFLAGS)
