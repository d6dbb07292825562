from __future__ import annotations

from pathlib import Path

import pytest

from openpy.engine.corebranches import (
    MAXIMUM_BRANCHES,
    WaitingBranch,
    append_branch,
    next_branches,
    serialize_branches,
)
from openpy.engine.run import Run
from openpy.engine.state import Branch
from openpy.script.diagnostics import ScriptError
from openpy.script.syntax import RouteKind
from openpy.sip.message import parse_message
from tests.engine.kit import Bench, code_of, evaluate, request


def test_appending_the_current_destination_takes_it_along(tmp_path: Path) -> None:
    before = '$ru="sip:a@b"; setdsturi("sip:hop"); setbflag(2); append_branch();'
    text = evaluate(tmp_path, "$br [$du] $bf [$fs]", request(), before=before)
    assert text == "sip:a@b [<null>] 0 [<null>]"
    with Bench(tmp_path, before + ' if (isbflagset(1,2)) xlog("kept");') as bench:
        bench.receive(request())
        assert list(bench.printed()) == ["kept"]


def test_a_destination_set_has_12_members_at_most(tmp_path: Path) -> None:
    assert MAXIMUM_BRANCHES == 12
    append = 'append_branch("sip:a@b");'
    assert code_of(tmp_path, 'append_branch("sip:a@b")', request(), before=append * 10) == 1
    assert code_of(tmp_path, 'append_branch("sip:a@b")', request(), before=append * 11) == -1
    assert code_of(tmp_path, "append_branch()", request(), before=append * 11) == -1
    assert evaluate(tmp_path, "$rc", request(), before=f'{append * 11} $br="sip:a@b";') == "-1"


@pytest.mark.parametrize(
    ("q", "shown"), [("0", "0"), ("1", "1"), ("0.5", "0.5"), ("0.125", "0.125"), ("1.000", "1")]
)
def test_branches_carry_a_q_value(tmp_path: Path, q: str, shown: str) -> None:
    before = f'append_branch("sip:a@b","{q}");'
    assert evaluate(tmp_path, "$bR", request(), before=before) == f"<sip:a@b>;q={shown}"


@pytest.mark.parametrize("q", ["1.1", "-0.1", "0.1234", "x", ""])
def test_what_is_no_q_value(tmp_path: Path, q: str) -> None:
    with pytest.raises(ScriptError, match="q value expected"):
        Bench(tmp_path, f'append_branch("sip:a@b","{q}");')


# --- one after the other --------------------------------------------------------------------------------------

THREE = (
    'append_branch("sip:low@h","0.1"); append_branch("sip:best@h","0.9"); append_branch("sip:also@h","0.9");'
    'append_branch("sip:middle@h","0.5");'
)


def test_branches_wait_in_the_order_of_their_q(tmp_path: Path) -> None:
    text = "$(avp(serial_branch)[*]) [$br] $ru $avp(i:16725044)"
    waiting = "sip:best@h, sip:also@h, sip:middle@h, sip:low@h, sip:bob@example.com"
    expected = f"{waiting} [<null>] sip:bob@example.com sip:best@h"
    assert evaluate(tmp_path, text, request(), before=f"{THREE} serialize_branches(1);") == expected


def test_each_turn_takes_the_branches_of_one_q(tmp_path: Path) -> None:
    look = 'if (next_branches()) xlog("$ru [$bR]"); else xlog("none");'
    with Bench(tmp_path, f"{THREE} serialize_branches(1); {look}") as bench:
        bench.receive(request())
        assert list(bench.printed()) == ["sip:best@h [<sip:also@h>;q=0.9]"]
    with Bench(tmp_path, f"{THREE} serialize_branches(1); {'next_branches();' * 4} {look}") as bench:
        bench.receive(request())
        assert list(bench.printed()) == ["none"]


def test_a_turn_brings_all_of_a_branch_back(tmp_path: Path) -> None:
    before = (
        'setdsturi("sip:first"); setbflag(4); append_branch("sip:other@h","0.5"); setbflag(1,7);'
        "serialize_branches(1); next_branches();"
    )
    look = 'xlog("$ru $du $bf"); next_branches; xlog("$ru $du $bf");'
    with Bench(tmp_path, f"{before} {look}") as bench:
        bench.receive(request())
        assert list(bench.printed()) == ["sip:other@h <null> 128", "sip:bob@example.com sip:first 16"]


def test_a_path_goes_with_its_branch(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        run = Run(bench.server, parse_message(request()), bench.phone())
        state = run.state
        state.uri, state.path, state.q = "sip:first@h", "<sip:p;lr>", 500
        assert append_branch(run, "", 900) == 1
        assert (state.branches[0].path, state.path) == ("<sip:p;lr>", "")
        assert serialize_branches(run, 1) == 1
        assert next_branches(run) == 1
        assert (state.uri, state.path) == ("sip:first@h", "<sip:p;lr>")
        assert next_branches(run) == 1
        assert state.path == ""


@pytest.mark.parametrize(
    "before",
    [
        pytest.param(";", id="one destination only"),
        pytest.param('append_branch("sip:a@b"); append_branch("sip:c@d");', id="q unset everywhere"),
    ],
)
def test_equal_destinations_do_not_wait(tmp_path: Path, before: str) -> None:
    text = "$rc $avp(serial_branch)"
    assert evaluate(tmp_path, text, request(), before=f"{before} serialize_branches(1);") == "1 <null>"
    assert code_of(tmp_path, "next_branches()", request(), before=f"{before} serialize_branches(1);") == -1


@pytest.mark.parametrize(("clear", "last"), [(1, "sip:bob@example.com"), (0, "sip:old@h")])
def test_what_waits_already_is_kept_or_forgotten(tmp_path: Path, clear: int, last: str) -> None:
    before = f'$avp(serial_branch)="sip:old@h"; append_branch("sip:a@b","0.5"); serialize_branches({clear});'
    assert evaluate(tmp_path, "$(avp(serial_branch)[-1])", request(), before=before) == last


def test_what_a_script_put_in_itself_is_a_branch_too(tmp_path: Path) -> None:
    before = '$avp(serial_branch)="sip:a@b"; next_branches();'
    assert evaluate(tmp_path, "$ru", request(), before=before) == "sip:a@b"


def test_in_a_failure_route_all_of_a_turn_are_appended(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        run = Run(bench.server, parse_message(request()), bench.phone())
        run.kind = RouteKind.FAILURE
        run.state.avps[0xFF3434] = [
            WaitingBranch(Branch("sip:a@b", q=5)),
            WaitingBranch(Branch("sip:c@d", q=5)),
        ]
        assert next_branches(run) == 1
        assert (run.uri, [branch.uri for branch in run.state.branches]) == (
            "sip:bob@example.com",
            ["sip:a@b", "sip:c@d"],
        )


def test_serialize_branches_takes_0_or_1(tmp_path: Path) -> None:
    with pytest.raises(ScriptError):
        Bench(tmp_path, "serialize_branches(2);")
