from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from openpy.script.diagnostics import ScriptError
from tests.engine.kit import MODULES, Bench, request

WITH_CFGUTILS = (*MODULES, "cfgutils")


def initially(probability: int) -> str:
    return f'modparam("cfgutils", "initial_probability", {probability})'


def printed(folder: Path, route: str, more: str = "") -> list[str]:
    with Bench(folder, route, more=more, modules=WITH_CFGUTILS) as bench:
        bench.receive(request())
        return list(bench.printed())


# --- chance -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("calls", "probability"),
    [
        (";", "10"),
        ('rand_set_prob("50");', "50"),
        ('rand_set_prob("100"); rand_reset_prob();', "10"),
    ],
)
def test_the_probability(tmp_path: Path, calls: str, probability: str) -> None:
    assert printed(tmp_path, f'{calls} $var(p) = rand_get_prob(); xlog("$var(p)");') == [probability]


@pytest.mark.parametrize("call", ['rand_set_prob("5")', "rand_reset_prob()"])
def test_setting_it_succeeds(tmp_path: Path, call: str) -> None:
    assert printed(tmp_path, f'$var(c) = {call}; xlog("$var(c)");') == ["1"]


def test_a_probability_of_0_ends_the_script(tmp_path: Path) -> None:
    assert printed(tmp_path, 'rand_get_prob(); xlog("not printed");', initially(0)) == []


@pytest.mark.parametrize(
    ("probability", "events"), [(0, range(1)), (30, range(200, 400)), (100, range(1000, 1001))]
)
def test_events_are_as_frequent_as_it_says(tmp_path: Path, probability: int, events: range) -> None:
    route = 'if (rand_event()) xlog("event");'
    with Bench(tmp_path, route, more=initially(probability), modules=WITH_CFGUTILS) as bench:
        bench.server.random.seed(1)
        for number in range(1000):
            bench.receive(request(branch=f"z9hG4bK{number}"))
        assert len(list(bench.printed())) in events


def test_random_numbers(tmp_path: Path) -> None:
    with Bench(tmp_path, 'xlog("$RANDOM");', modules=WITH_CFGUTILS) as bench:
        for number in range(100):
            bench.receive(request(branch=f"z9hG4bK{number}"))
        values = [int(text) for text in bench.printed()]
        assert len(set(values)) > 95
        assert all(0 <= value < 2**31 for value in values)
        assert max(values) > 2**30


def test_chance_comes_from_the_server(tmp_path: Path) -> None:
    """So that a seed repeats it."""

    def numbers() -> list[str]:
        with Bench(tmp_path, 'xlog("$RANDOM $RANDOM");', modules=WITH_CFGUTILS) as bench:
            bench.server.random.seed(4)
            bench.receive(request())
            return list(bench.printed())

    assert numbers() == numbers()


@pytest.mark.parametrize(
    ("commands", "probability"),
    [
        ([], 10),
        ([("rand_set_prob", "0")], 0),
        ([("rand_set_prob", "100")], 100),
        ([("rand_set_prob", "60"), ("rand_reset_prob",)], 10),
    ],
)
def test_commands(tmp_path: Path, commands: list[tuple[str, ...]], probability: int) -> None:
    with Bench(tmp_path, modules=WITH_CFGUTILS) as bench:
        for name, *values in commands:
            reply = bench.mi(name, *values)
            assert (reply.code, reply.reason, reply.nodes) == (200, "OK", [])
        (node,) = bench.mi("rand_get_prob").nodes
        assert (node.name, node.value) == ("", f"actual probability: {probability} percent\n")


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ((), "Too few or too many arguments"),
        (("1", "2"), "Too few or too many arguments"),
        (("101",), "Bad parameter"),
        (("-1",), "Bad parameter"),
        (("half",), "Bad parameter"),
    ],
)
def test_what_rand_set_prob_refuses(tmp_path: Path, values: tuple[str, ...], reason: str) -> None:
    with Bench(tmp_path, modules=WITH_CFGUTILS) as bench:
        reply = bench.mi("rand_set_prob", *values)
        assert (reply.code, reply.reason) == (400, reason)


# --- pauses -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "before", "after"),
    [('sleep("2")', 1.9, 2.1), ('usleep("1500000")', 1.4, 1.6), ('usleep("1")', 0.0, 0.1)],
)
def test_a_route_waits(tmp_path: Path, call: str, before: float, after: float) -> None:
    with Bench(tmp_path, f'$var(c) = {call}; xlog("$var(c)");', modules=WITH_CFGUTILS) as bench:
        bench.receive(request())
        bench.run_for(before)
        assert list(bench.printed()) == []
        bench.run_for(after - before)
        assert list(bench.printed()) == ["1"]


@pytest.mark.parametrize("call", ['sleep("0")', 'usleep("0")'])
def test_no_time_is_no_pause(tmp_path: Path, call: str) -> None:
    assert printed(tmp_path, f'$var(c) = {call}; xlog("$var(c)");') == ["1"]


def test_others_are_served_meanwhile(tmp_path: Path) -> None:
    route = 'if ($rU == "slow") sleep("5"); sl_send_reply("200", "OK");'
    with Bench(tmp_path, route, modules=WITH_CFGUTILS) as bench:
        assert bench.receive(request(uri="sip:slow@example.com", branch="z9hG4bKslow")) == []
        assert [sent.start for sent in bench.receive(request())] == ["SIP/2.0 200 OK"]
        assert [sent.start for sent in bench.run_for(5.1)] == ["SIP/2.0 200 OK"]


def test_retransmissions_are_absorbed_meanwhile(tmp_path: Path) -> None:
    with Bench(
        tmp_path, 'xlog("run"); sleep("5"); sl_send_reply("200", "OK");', modules=WITH_CFGUTILS
    ) as bench:
        bench.receive(request())
        bench.run_for(1)
        assert bench.receive(request()) == []
        assert [sent.start for sent in bench.run_for(5)] == ["SIP/2.0 200 OK"]
        assert list(bench.printed()) == ["run"]


def test_a_script_may_make_its_transaction_after_a_pause(tmp_path: Path) -> None:
    route = 'sleep("1"); $var(a) = t_newtran(); $var(b) = t_newtran(); xlog("$var(a) $var(b)"); t_reply("200", "OK");'
    with Bench(tmp_path, route, modules=WITH_CFGUTILS) as bench:
        bench.receive(request())
        assert [sent.start for sent in bench.run_for(1.1)] == ["SIP/2.0 200 OK"]
        assert list(bench.printed()) == ["1 -10"]


def test_without_room_for_its_transaction_there_is_no_pause(tmp_path: Path) -> None:
    with Bench(tmp_path, '$var(c) = sleep("1"); xlog("$var(c)");', modules=WITH_CFGUTILS) as bench:
        bench.server.transactions.capacity = 0
        bench.receive(request())
        assert list(bench.printed()) == ["-1"]


def test_an_ack_and_a_reply_wait_too(tmp_path: Path) -> None:
    more = 'onreply_route { sleep("1"); xlog("reply"); }'
    with Bench(tmp_path, 'sleep("1"); xlog("ack");', more=more, modules=WITH_CFGUTILS) as bench:
        bench.receive(request("ACK"))
        bench.receive(b"SIP/2.0 200 OK\r\n" + request().split(b"\r\n", 1)[1])
        assert list(bench.printed()) == []
        bench.run_for(1.1)
        assert sorted(bench.printed()) == ["ack", "reply"]


# --- looking into the server --------------------------------------------------------------------------------------


def test_abort_stops_the_server_and_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    killed: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: killed.append((pid, number)))
    with Bench(tmp_path, 'abort(); xlog("not printed");', modules=WITH_CFGUTILS) as bench:
        bench.receive(request())
        assert killed == [(os.getpid(), signal.SIGTERM)]
        (line,) = bench.log
        assert line.startswith(
            'CRITICAL:cfgutils: the script calls abort() for "OPTIONS sip:bob@example.com SIP/2.0"'
        )
        assert f'{tmp_path}/test.cfg", line 9' in line
        assert "abort();" in line


@pytest.mark.parametrize(
    ("call", "text"),
    [
        ("pkg_status", "objects live"),
        ("shm_status", "0 server transactions and 0 timers are held"),
    ],
)
def test_status(tmp_path: Path, call: str, text: str) -> None:
    with Bench(tmp_path, f'$var(c) = {call}(); xlog("$var(c)");', modules=WITH_CFGUTILS) as bench:
        bench.receive(request())
        line, code = bench.log
        assert line.startswith("NOTICE:cfgutils: ")
        assert text in line
        assert code.endswith(": 1")


# --- when the script is loaded --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "route", "text"),
    [
        (initially(101), ";", "initial_probability is 0 to 100"),
        (initially(-1), ";", "initial_probability is 0 to 100"),
        ("", 'rand_set_prob("101");', "101 is not between 0 and 100"),
        ("", 'rand_set_prob("x");', 'bad number "x"'),
        ("", 'sleep("x");', 'bad number "x"'),
        ("", 'usleep("-1");', "-1 is not between 0"),
        ("", 'xlog("$RANDOM(5)");', "takes no name"),
    ],
)
def test_what_is_told_when_the_script_is_loaded(tmp_path: Path, more: str, route: str, text: str) -> None:
    with pytest.raises(ScriptError, match=text):
        Bench(tmp_path, route, more=more, modules=WITH_CFGUTILS)


FUNCTIONS = (
    'rand_event(); rand_set_prob("1"); rand_reset_prob(); rand_get_prob(); sleep("1"); usleep("1");'
    "abort(); pkg_status(); shm_status();"
)


@pytest.mark.parametrize(
    "block", ["failure_route[1]", "onreply_route[1]", "branch_route[1]", "onreply_route"]
)
def test_the_blocks_of_1_3(tmp_path: Path, block: str) -> None:
    Bench(tmp_path, more=f"{block} {{ {FUNCTIONS} }}", modules=WITH_CFGUTILS).close()
