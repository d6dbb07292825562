from __future__ import annotations

from pathlib import Path

import pytest

from openpy.script.diagnostics import ScriptError
from tests.engine.kit import MODULES, Bench, request

WITH_STATISTICS = (*MODULES, "statistics")


def variable(text: str) -> str:
    return f'modparam("statistics", "variable", "{text}")\n'


def value(bench: Bench, name: str) -> list[str | None]:
    return [node.value for node in bench.mi("get_statistics", name).nodes]


@pytest.mark.parametrize(
    ("calls", "after"),
    [
        ('update_stat("calls", "1");', 1),
        ('update_stat("calls", "+5");', 5),
        ('update_stat("calls", "-2");', -2),
        ('update_stat("CALLS", "3"); update_stat("calls", "4");', 7),
        ('update_stat("calls", "3"); reset_stat("Calls");', 0),
    ],
)
def test_counters_of_the_script(tmp_path: Path, calls: str, after: int) -> None:
    with Bench(tmp_path, calls, more=variable("calls"), modules=WITH_STATISTICS) as bench:
        assert value(bench, "script:") == ["script:calls = 0"]
        bench.receive(request())
        assert value(bench, "calls") == [f"script:calls = {after}"]


@pytest.mark.parametrize("call", ['update_stat("calls", "1")', 'reset_stat("calls")', 'reset_stat("ever")'])
def test_return_codes(tmp_path: Path, call: str) -> None:
    more = variable("calls") + variable("ever/no_reset")
    with Bench(tmp_path, f'$var(c) = {call}; xlog("$var(c)");', more=more, modules=WITH_STATISTICS) as bench:
        bench.receive(request())
        assert list(bench.printed()) == ["1"]


def test_one_that_is_not_reset(tmp_path: Path) -> None:
    more = variable("ever/NO_RESET") + variable("calls")
    route = 'update_stat("ever", "4"); update_stat("calls", "4"); reset_stat("ever");'
    with Bench(tmp_path, route, more=more, modules=WITH_STATISTICS) as bench:
        bench.receive(request())
        assert bench.mi("reset_statistics", "ever", "calls").code == 200
        assert value(bench, "script:") == ["script:ever = 4", "script:calls = 0"]


def test_counters_of_all_modules_can_be_changed(tmp_path: Path) -> None:
    """Whether they are loaded before it or after it."""
    route = 'update_stat("drop_requests", "3"); update_stat("sent_replies", "2"); reset_stat("rcv_requests");'
    with Bench(tmp_path, route, modules=("statistics", "sl")) as bench:
        bench.receive(request())
        assert value(bench, "drop_requests") == ["core:drop_requests = 3"]
        assert value(bench, "sent_replies") == ["sl:sent_replies = 2"]
        assert value(bench, "rcv_requests") == ["core:rcv_requests = 0"]


def test_a_variable_that_is_named_twice_is_one(tmp_path: Path) -> None:
    more = variable("a") + variable("b") + variable("A")
    with Bench(tmp_path, 'update_stat("a", "1");', more=more, modules=WITH_STATISTICS) as bench:
        bench.receive(request())
        assert value(bench, "script:") == ["script:a = 1", "script:b = 0"]


def test_a_variable_may_be_called_like_a_counter_of_ours(tmp_path: Path) -> None:
    with Bench(
        tmp_path, 'update_stat("log_dropped", "1");', more=variable("log_dropped"), modules=WITH_STATISTICS
    ) as bench:
        bench.receive(request())
        assert value(bench, "log_dropped") == ["core:log_dropped = 0", "script:log_dropped = 1"]


@pytest.mark.parametrize(
    ("more", "route", "text"),
    [
        ("", 'update_stat("nope", "1");', "variable <nope> not defined; a new one is made by modparam"),
        ("", 'reset_stat("nope");', "variable <nope> not defined"),
        (variable("calls"), 'update_stat("call", "1");', 'variable <call> not defined; did you mean "calls"'),
        ("", 'update_stat("rcv_request", "1");', 'did you mean "rcv_requests"'),
        ("", 'update_stat("inuse_transactions", "1");', "variable <inuse_transactions> is read-only"),
        ("", 'reset_stat("live_objects");', "variable <live_objects> is read-only"),
        (variable("calls"), 'update_stat("calls", "0");', "update with 0 has no sense"),
        (variable("calls"), 'update_stat("calls", "many");', 'bad number "many"'),
        (variable(""), ";", '"" names no variable'),
        (variable("a b"), ";", '"a b" names no variable'),
        (variable("script:a"), ";", '"script:a" names no variable'),
        (variable("a/reset"), ";", 'unknown flag "reset" of variable a; the only one is no_reset'),
    ],
)
def test_what_is_told_when_the_script_is_loaded(tmp_path: Path, more: str, route: str, text: str) -> None:
    with pytest.raises(ScriptError, match=text.replace("(", "\\(")):
        Bench(tmp_path, route, more=more, modules=WITH_STATISTICS)


@pytest.mark.parametrize(
    "block", ["failure_route[1]", "onreply_route[1]", "branch_route[1]", "onreply_route"]
)
def test_the_blocks_of_1_3(tmp_path: Path, block: str) -> None:
    more = f'{variable("calls")} {block} {{ update_stat("calls", "1"); reset_stat("calls"); }}'
    Bench(tmp_path, more=more, modules=WITH_STATISTICS).close()


def test_not_in_error_routes(tmp_path: Path) -> None:
    more = f'{variable("calls")} error_route {{ reset_stat("calls"); }}'
    with pytest.raises(ScriptError, match="Command cannot be used in the block"):
        Bench(tmp_path, more=more, modules=WITH_STATISTICS)
