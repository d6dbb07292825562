from __future__ import annotations

from pathlib import Path

import pytest

from openpy.engine.programs import Ended, Fate
from openpy.script.diagnostics import ScriptError
from tests.engine.kit import Bench, request
from tests.modules.exec.kit import WITH_EXEC, bench_with, exited, finish, printed

CODE = 'xlog("code $var(c)");'


def parameter(name: str, value: int) -> str:
    return f'modparam("exec", "{name}", {value})\n'


def after(
    folder: Path, call: str, ended: Ended, then: str = CODE, more: str = ""
) -> tuple[list[str], list[str]]:
    """What is printed, and what else is logged, once a program has ended like that."""
    with bench_with(folder, f"$var(c) = {call}; {then}", more) as bench:
        bench.receive(request())
        ((_, wait),) = bench.server.programs
        wait.resolve(ended)
        return list(bench.printed()), [line for line in bench.log if ":exec:" in line]


# --- functions ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "call", ['exec_msg("true")', 'exec_dset("echo sip:a@b.example; true")', 'exec_avp("true")']
)
def test_a_program_that_succeeds(tmp_path: Path, call: str) -> None:
    assert printed(tmp_path, f"$var(c) = {call}; {CODE}") == ["code 1"]


@pytest.mark.parametrize(
    "call", ['exec_msg("cat; exit 1")', 'exec_dset("echo sip:a@b; exit 1")', 'exec_avp("echo a; exit 1")']
)
def test_a_program_that_fails(tmp_path: Path, call: str) -> None:
    assert printed(tmp_path, f'$var(c) = {call}; {CODE} xlog("$ru $avp(i:1)");') == [
        "code -1",
        "sip:bob@example.com <null>",
    ]


def test_the_message_is_standard_input_of_exec_msg(tmp_path: Path) -> None:
    message = request("MESSAGE", body=b"hello\0\xff")
    printed(tmp_path, f'exec_msg("cat > {tmp_path}/$rm");', message=message)
    assert (tmp_path / "MESSAGE").read_bytes() == message


@pytest.mark.parametrize(
    ("output", "uris"),
    [
        (b"sip:a@one.example\n", "sip:a@one.example <null>"),
        (
            b"sip:a@one.example\r\n\n  sip:b@two.example  \nsip:c@three.example",
            "sip:a@one.example sip:b@two.example, sip:c@three.example",
        ),
    ],
)
def test_lines_become_the_destination_set(tmp_path: Path, output: bytes, uris: str) -> None:
    lines, logged = after(tmp_path, 'exec_dset("look-up")', exited(output), f'{CODE} xlog("$ru $bR");')
    assert lines == ["code 1", uris]
    assert logged == []


def test_exec_dset_gives_the_uri_as_an_argument(tmp_path: Path) -> None:
    route = 'rewriteuser("x;echo"); exec_dset("printf \'%s;got=1\\n\'"); xlog("$ru");'
    assert printed(tmp_path, route) == ["sip:x;echo@example.com;got=1"]


@pytest.mark.parametrize(
    ("output", "text"),
    [
        (b"", ""),
        (b"\n \n", ""),
        (b"sip:a@b.example\nnonsense\n", '`look-up` wrote "nonsense", which is no URI'),
        (b"sip:a@b.example X: y\n", "which is no URI"),
    ],
)
def test_what_is_no_destination_set(tmp_path: Path, output: bytes, text: str) -> None:
    lines, logged = after(tmp_path, 'exec_dset("look-up")', exited(output), f'{CODE} xlog("$ru $bR");')
    assert lines == ["code -1", "sip:bob@example.com <null>"]
    assert text in "".join(logged)
    assert bool(logged) == bool(text)


def test_a_destination_set_has_12_places(tmp_path: Path) -> None:
    output = b"".join(b"sip:%d@b.example\n" % number for number in range(15))
    lines, logged = after(tmp_path, 'exec_dset("look-up")', exited(output), f'{CODE} xlog("$ru $bR");')
    assert lines[0] == "code 1"
    assert lines[1].startswith("sip:0@b.example sip:1@")
    assert lines[1].endswith("sip:11@b.example")
    assert "wrote 14 more URIs, and there is room for 11" in logged[0]


@pytest.mark.parametrize(
    ("call", "shown", "values"),
    [
        ('exec_avp("x")', "$avp(i:1) $avp(i:2) $avp(i:3)", "one two <null>"),
        ('exec_avp("x", "$avp(s:a)")', "$avp(s:a) $avp(i:1) $avp(i:2)", "one <null> <null>"),
        ('exec_avp("x", "$avp(s:a),$avp(i:7)")', "$avp(s:a) $avp(i:7)", "one two"),
        (
            'exec_avp("x", "$avp(s:a) , $avp(s:b), $avp(s:c)")',
            "$avp(s:a) $avp(s:b) $avp(s:c)",
            "one two <null>",
        ),
        ('exec_avp("x", "$avp(name)")', "$avp(s:name)", "one"),
    ],
)
def test_lines_become_avps(tmp_path: Path, call: str, shown: str, values: str) -> None:
    lines, _ = after(tmp_path, call, exited(b"one\n\ntwo\r\n"), f'{CODE} xlog("{shown}");')
    assert lines == ["code 1", values]


def test_an_avp_is_added_before_those_that_are_there(tmp_path: Path) -> None:
    with bench_with(tmp_path, '$avp(i:1) = "old"; exec_avp("x"); xlog("$(avp(i:1)[*])");') as bench:
        bench.receive(request())
        bench.server.programs[0][1].resolve(exited(b"new\n"))
        assert list(bench.printed()) == ["new, old"]


# --- bounds, and what is said ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ended", "text"),
    [
        (exited(), None),
        (exited(complaint=b"careful\n"), "WARNING:exec: `x` exited with status 0: careful"),
        (exited(status=3), "INFO:exec: `x` exited with status 3"),
        (
            exited(status=127, complaint=b"sh: x: not found\nline\n"),
            "WARNING:exec: `x` exited with status 127: sh: x: not found | line",
        ),
        (Ended(Fate.TOO_SLOW, -9, b"", b""), "WARNING:exec: `x` took too long and was killed"),
        (Ended(Fate.TOO_MUCH, -9, b"", b"oh"), "WARNING:exec: `x` wrote too much and was killed: oh"),
    ],
)
def test_how_a_program_ended_is_logged(tmp_path: Path, ended: Ended, text: str | None) -> None:
    lines, logged = after(tmp_path, 'exec_msg("x")', ended)
    assert lines == ["code 1" if ended.succeeded else "code -1"]
    assert logged == ([] if text is None else [text])


@pytest.mark.parametrize(
    ("more", "seconds", "room"),
    [
        ("", 10, 65536),
        (parameter("time_to_kill", 3) + parameter("max_output", 9), 3, 9),
        (parameter("time_to_kill", 0), 0, 65536),
    ],
)
def test_bounds(tmp_path: Path, more: str, seconds: int, room: int) -> None:
    with bench_with(tmp_path, 'exec_avp("x");', more) as bench:
        bench.receive(request())
        ((program, _),) = bench.server.programs
        assert (program.seconds, program.room) == (seconds, room)


def test_a_program_that_exceeds_them_is_counted(tmp_path: Path) -> None:
    with bench_with(tmp_path, f'$var(c) = exec_avp("yes"); {CODE}', parameter("max_output", 100)) as bench:
        bench.receive(request())
        finish(bench)
        assert list(bench.printed()) == ["code -1"]
        assert (bench.value("killed", "exec"), bench.value("started", "exec")) == (1, 1)


def test_not_more_than_so_many_run_at_a_time(tmp_path: Path) -> None:
    with bench_with(tmp_path, f'$var(c) = exec_msg("x"); {CODE}', parameter("max_processes", 2)) as bench:
        for number in range(3):
            bench.receive(request(branch=f"z9hG4bK{number}"))
        assert len(bench.server.programs) == 2
        assert list(bench.printed()) == ["code -1"]
        assert bench.log[0] == "WARNING:exec: `x` is not started: 2 programs run already"
        bench.server.programs[0][1].resolve(exited())
        bench.receive(request(branch="z9hG4bK3"))
        assert len(bench.server.programs) == 3
        assert (bench.value("refused", "exec"), bench.value("started", "exec")) == (1, 3)


def test_a_program_that_cannot_be_started(tmp_path: Path) -> None:
    with bench_with(tmp_path, f'$var(c) = exec_msg("x"); {CODE} $var(c) = exec_msg("y"); {CODE}') as bench:
        bench.receive(request())
        bench.server.programs.pop()[1].fail(OSError(7, "Argument list too long"))
        assert "WARNING:exec: `x` cannot be started: Argument list too long" in bench.log
        bench.server.programs.pop()[1].resolve(exited())
        assert list(bench.printed()) == ["code -1", "code 1"]


def test_without_room_for_a_transaction_no_program_is_started(tmp_path: Path) -> None:
    with bench_with(tmp_path, f'$var(c) = exec_msg("x"); {CODE}') as bench:
        bench.server.transactions.capacity = 0
        bench.receive(request())
        assert bench.server.programs == []
        assert list(bench.printed()) == ["code -1"]


def test_others_are_served_and_retransmissions_absorbed_meanwhile(tmp_path: Path) -> None:
    route = 'if ($rU == "slow") exec_msg("x"); sl_send_reply("200", "OK");'
    with bench_with(tmp_path, route) as bench:
        slow = request(uri="sip:slow@example.com", branch="z9hG4bKslow")
        assert bench.receive(slow) == bench.receive(slow) == []
        assert len(bench.receive(request())) == 1
        ((_, wait),) = bench.server.programs
        wait.resolve(exited())
        assert len(bench.sent) == 2


# --- when the script is loaded ---------------------------------------------------------------------------------------


def test_without_the_option_the_module_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScriptError) as caught:
        Bench(tmp_path, "drop;", modules=WITH_EXEC)
    (found,) = caught.value.diagnostics
    assert found.position.line == WITH_EXEC.index("exec") + 1
    assert "without --allow-exec" in found.message
    assert "start (and check) it with --allow-exec" in found.hint


@pytest.mark.parametrize(
    ("more", "route", "text"),
    [
        (parameter("time_to_kill", -1), ";", "0 or more expected"),
        (parameter("max_output", 0), ";", "1 or more expected"),
        (parameter("max_processes", 0), ";", "1 or more expected"),
        ("", 'exec_avp("x", "$rU");', '"[$]rU" is no AVP'),
        ("", 'exec_avp("x", "name");', '"name" is no pseudo-variable'),
        ("", 'exec_avp("x", "");', "is no pseudo-variable"),
        ("", 'exec_avp("x", "$avp(i:x)");', "bad avp name"),
        ("onreply_route { exec_msg(\"x\"); }", ";", "Command cannot be used in the block"),
        ("branch_route[1] { exec_avp(\"x\"); }", ";", "Command cannot be used in the block"),
        ("error_route { exec_dset(\"x\"); }", ";", "Command cannot be used in the block"),
    ],
)  # fmt: skip
def test_what_is_told_when_the_script_is_loaded(tmp_path: Path, more: str, route: str, text: str) -> None:
    with pytest.raises(ScriptError, match=text), bench_with(tmp_path, route, more):
        pass


def test_failure_routes_have_them_too(tmp_path: Path) -> None:
    more = 'failure_route[1] { exec_msg("x"); exec_dset("x"); exec_avp("x"); exec_avp("x", "$avp(i:1)"); }'
    with bench_with(tmp_path, ";", more):
        pass
