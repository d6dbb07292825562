from __future__ import annotations

from pathlib import Path

import pytest

from openpy.engine.corefunctions import CORE_FUNCTIONS, MAXIMUM_BRANCHES
from openpy.engine.log import DEBUG, WARNING
from openpy.script.diagnostics import ScriptError
from tests.engine.kit import Bench, code_of, evaluate, request

URI = "sip:bob:pw@example.com:5070;transport=tcp"


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ('rewritehost("h2");', "sip:bob:pw@h2:5070;transport=tcp"),
        ('sethost("h2");', "sip:bob:pw@h2:5070;transport=tcp"),
        ('rewritehostport("h2:5080");', "sip:bob:pw@h2:5080;transport=tcp"),
        ('sethostport("h2");', "sip:bob:pw@h2;transport=tcp"),
        ('rewritehostport("[2001:db8::1]");', "sip:bob:pw@[2001:db8::1];transport=tcp"),
        ('rewritehostport("[2001:db8::1]:5080");', "sip:bob:pw@[2001:db8::1]:5080;transport=tcp"),
        ('rewriteport("5080");', "sip:bob:pw@example.com:5080;transport=tcp"),
        ('setport("x");', URI),
        ('rewriteuser("carol");', "sip:carol:pw@example.com:5070;transport=tcp"),
        ('setuser("carol");', "sip:carol:pw@example.com:5070;transport=tcp"),
        ('rewriteuserpass("carol:x");', "sip:carol:x@example.com:5070;transport=tcp"),
        ('setuserpass("carol");', "sip:carol@example.com:5070;transport=tcp"),
        ('rewriteuri("sip:x@y");', "sip:x@y"),
        ('seturi("sip:x@y");', "sip:x@y"),
        ('prefix("0");', "sip:0bob:pw@example.com:5070;transport=tcp"),
        ("strip(1);", "sip:ob:pw@example.com:5070;transport=tcp"),
        ("strip_tail(1);", "sip:bo:pw@example.com:5070;transport=tcp"),
        ('rewriteuri("sip:x@y"); revert_uri();', URI),
        ('rewriteuri("no uri"); rewritehost("h2");', "no uri"),
    ],
)
def test_rewriting_the_request_uri(tmp_path: Path, call: str, expected: str) -> None:
    assert evaluate(tmp_path, "$ru", request(uri=URI), before=call) == expected


@pytest.mark.parametrize("call", ["strip(9);", "strip_tail(9);"])
def test_stripping_more_than_there_is_empties_the_user(tmp_path: Path, call: str) -> None:
    assert evaluate(tmp_path, "$ru", request(uri="sip:bob@h"), before=call) == "sip:h"


def test_a_secure_uri_stays_secure(tmp_path: Path) -> None:
    assert evaluate(tmp_path, "$ru", request(uri="sips:bob@h"), before='rewriteuser("x");') == "sips:x@h"


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
        ('append_branch("sip:a@b"); setbflag(1,3);', "isbflagset(1,3)", 1),
        ('append_branch("sip:a@b"); setbflag(1,3); resetbflag(1,3);', "isbranchflagset(1,3)", -1),
        ('append_branch("sip:a@b"); setbflag(1,3);', "isbflagset(3)", -1),
        (";", "isdsturiset()", -1),
        ('setdsturi("sip:a");', "isdsturiset()", 1),
        ('setdsturi("sip:a"); resetdsturi();', "isdsturiset()", -1),
        ('rewriteuri("no uri");', 'rewritehost("h")', -1),
        (";", 'rewriteport("x")', -1),
        (";", 'log("x")', 1),
        (";", "setdebug(3)", 1),
    ],
)
def test_return_codes(tmp_path: Path, before: str, call: str, code: int) -> None:
    assert code_of(tmp_path, call, request(), before=before) == code


def test_appending_the_current_destination_takes_it_along(tmp_path: Path) -> None:
    before = 'rewriteuri("sip:a@b"); setdsturi("sip:hop"); setbflag(2); append_branch();'
    text = evaluate(tmp_path, "$br [$du] $bf", request(), before=before)
    assert text == "sip:a@b [<null>] 0"
    with Bench(tmp_path, before + ' if (isbflagset(1,2)) xlog("kept");') as bench:
        bench.receive(request())
        assert list(bench.printed()) == ["kept"]


def test_a_destination_set_has_12_members_at_most(tmp_path: Path) -> None:
    assert MAXIMUM_BRANCHES == 12
    eleven = 'append_branch("sip:a@b");' * 11
    assert (
        code_of(
            tmp_path,
            'append_branch("sip:a@b")',
            request(),
            before=eleven[: -len('append_branch("sip:a@b");')],
        )
        == 1
    )
    assert code_of(tmp_path, 'append_branch("sip:a@b")', request(), before=eleven) == -1


@pytest.mark.parametrize(
    ("q", "shown"), [("0", "0"), ("1", "1"), ("0.5", "0.5"), ("0.125", "0.125"), ("1.000", "1")]
)
def test_branches_carry_a_q_value(tmp_path: Path, q: str, shown: str) -> None:
    assert (
        evaluate(tmp_path, "$bR", request(), before=f'append_branch("sip:a@b","{q}");')
        == f"<sip:a@b>;q={shown}"
    )


@pytest.mark.parametrize("q", ["1.1", "-0.1", "0.1234", "x", ""])
def test_what_is_no_q_value(tmp_path: Path, q: str) -> None:
    with pytest.raises(ScriptError, match="q value expected"):
        Bench(tmp_path, f'append_branch("sip:a@b","{q}");')


@pytest.mark.parametrize("call", ["setflag(32);", "setbflag(12,1);", "issflagset(-1);", "strip(-1);"])
def test_numbers_out_of_range_are_told_when_the_script_is_loaded(tmp_path: Path, call: str) -> None:
    with pytest.raises(ScriptError):
        Bench(tmp_path, call)


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


def test_each_function_is_documented() -> None:
    assert all(function.doc for function in CORE_FUNCTIONS.values())
