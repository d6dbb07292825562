"""dialog: parameters, what is kept over a restart, pseudo-variables and commands."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from openpy.engine.module import ModuleError
from openpy.modules.dialog import module
from openpy.modules.dialog.states import State
from openpy.script.diagnostics import ScriptError
from tests.modules.dialog.calls import BOB, Calls, accept, script_of

HERE = 'db_url="sqlite:///calls.db"'


def rows(calls: Calls) -> list[dict[str, Any]]:
    return calls.rows("dialog")


# --- parameters ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        ("dlg_flag=32", "is no flag"),
        ("hash_size=0", "1 or more expected"),
        ('rr_param=""', "cannot be a parameter"),
        ('rr_param="a;b"', "cannot be a parameter"),
        ("default_timeout=0", "1 or more expected"),
        ('timeout_avp="x"', "is no AVP"),
        ('dlg_extra_hdrs="x"', "is no header"),
        ("dlg_match_mode=3", "dlg_match_mode is 0 to 2"),
        ("db_mode=4", "db_mode is 0 to 3"),
        ("db_update_period=0", "1 or more expected"),
    ],
)
def test_what_cannot_be_meant(setting: str, text: str) -> None:
    with pytest.raises(ScriptError, match=text):
        Calls(setting)


def test_the_flag_must_be_set(tmp_path: Path) -> None:
    path = tmp_path / "none.cfg"
    path.write_text(script_of().replace('modparam("dialog", "dlg_flag", 4)\n', ""))
    with pytest.raises(ScriptError, match="no dlg flag set!!"):
        Calls.__mro__[1](path)


@pytest.mark.parametrize(("mode", "needs_one"), [(0, False), (1, True)])
def test_a_database_only_where_it_is_used(tmp_path: Path, mode: int, needs_one: bool) -> None:
    path = tmp_path / "none.cfg"
    path.write_text(script_of(f"db_mode={mode}").replace('loadmodule "sqlite.so"\n', ""))
    if needs_one:
        with pytest.raises(ScriptError, match="database"):
            Calls.__mro__[1](path)
    else:
        Calls.__mro__[1](path).close()


def test_a_wrong_table_stops_the_start(tmp_path: Path) -> None:
    with Calls("db_mode=1", HERE, folder=tmp_path) as calls:
        calls.sql("UPDATE version SET table_version = 1 WHERE table_name = 'dialog'")
    with pytest.raises(ModuleError, match="dialog cannot use its database"):
        Calls("db_mode=1", HERE, folder=tmp_path)


@pytest.mark.parametrize(("size", "below"), [(1, 1), (4096, 4096), (5000, 4096)])
def test_the_size_of_the_table(size: int, below: int) -> None:
    with Calls(f"hash_size={size}") as calls:
        for _ in range(20):
            calls.invite()
        assert max(dialog.name.entry for dialog in calls.dialogs) < below


# --- kept over a restart ------------------------------------------------------------------------------------------


def test_the_row_of_a_call(tmp_path: Path) -> None:
    with Calls("db_mode=1", HERE, folder=tmp_path) as calls:
        invite = calls.invite()
        accept(invite, 180)
        assert rows(calls) == []
        accept(invite)
        (row,) = rows(calls)
        (dialog,) = calls.dialogs
        assert (row["hash_entry"], row["hash_id"]) == dialog.name
        assert (row["state"], row["to_tag"], row["callee_contact"]) == (3, "bob", "sip:bob@192.0.2.9:5070")
        assert row["timeout"] == row["start_time"] + 43200
        calls.send("ACK", within=invite)
        assert rows(calls)[0]["state"] == 4
        calls.send("BYE", within=invite)
        assert rows(calls) == []


def test_a_call_outlives_the_server(tmp_path: Path) -> None:
    with Calls("db_mode=1", HERE, folder=tmp_path) as calls:
        invite = calls.call()
        before = calls.listed()
    with Calls("db_mode=1", HERE, folder=tmp_path) as calls:
        (after,) = calls.listed()
        assert {**after, "timestart": "", "timeout": ""} == {**before[0], "timestart": "", "timeout": ""}
        assert calls.figures == (1, 0, 0, 0, 0)
        _, headers = invite.within("BYE")
        calls.send("BYE", f"{BOB}:5070", headers)
        assert (calls.figures, calls.printed, rows(calls)) == ((0, 0, 0, 0, 0), ["BYE 5 0"], [])


def test_a_call_whose_time_is_over_meanwhile(tmp_path: Path) -> None:
    with Calls("db_mode=1", HERE, folder=tmp_path) as calls:
        calls.call()
        calls.sql("UPDATE dialog SET timeout = 1000")
    with Calls("db_mode=1", HERE, folder=tmp_path) as calls:
        calls.run_for(1)
        assert (calls.figures, rows(calls)) == ((0, 0, 0, 1, 0), [])


def test_a_row_that_makes_no_sense_is_left_alone(tmp_path: Path) -> None:
    with Calls("db_mode=1", HERE, folder=tmp_path) as calls:
        calls.call()
        calls.call()
        calls.sql("UPDATE dialog SET caller_cseq = 'x' WHERE id = 1")
    with Calls("db_mode=1", HERE, folder=tmp_path) as calls:
        assert (len(calls.dialogs), len(rows(calls))) == (1, 2)
        assert any("1 rows of dialog could not be understood" in str(line) for line in calls.log)


def test_written_now_and_then(tmp_path: Path) -> None:
    with Calls("db_mode=2", "db_update_period=10", HERE, folder=tmp_path) as calls:
        invite = calls.call()
        assert rows(calls) == []
        calls.run_for(10)
        assert [row["state"] for row in rows(calls)] == [4]
        calls.send("BYE", within=invite)
        assert len(rows(calls)) == 1
        calls.run_for(10)
        assert rows(calls) == []
        calls.call()
    with Calls("db_mode=2", HERE, folder=tmp_path) as calls:
        assert calls.states == [State.CONFIRMED]


def test_written_at_the_end(tmp_path: Path) -> None:
    with Calls("db_mode=3", HERE, folder=tmp_path) as calls:
        ended = calls.call()
        calls.call()
        calls.send("BYE", within=ended)
        calls.run_for(100)
        assert rows(calls) == []
    with Calls("db_mode=3", HERE, folder=tmp_path) as calls:
        assert calls.states == [State.CONFIRMED]
        assert len(rows(calls)) == 1


def test_another_table_with_other_columns(tmp_path: Path) -> None:
    settings = ("db_mode=1", HERE, 'table_name="calls"', 'h_id_column="number"', 'to_route_column="there"')
    with Calls(*settings, folder=tmp_path) as calls:
        calls.call()
        (row,) = calls.rows("calls")
        assert {"number", "there", "hash_entry"} <= set(row)
    with Calls(*settings, folder=tmp_path) as calls:
        assert len(calls.dialogs) == 1


def test_a_2xx_waits_for_its_row(tmp_path: Path) -> None:
    with Calls("db_mode=1", HERE, folder=tmp_path) as calls:
        invite = calls.invite()
        store, seen = calls.module._store, list[int]()
        assert store is not None
        submit = store._writer.submit

        def watched(key: Any, operations: Any, done: Any) -> None:
            def answered(error: Any) -> None:
                seen.append(invite.status)
                done(error)

            submit(key, operations, answered)

        store._writer.submit = watched  # type: ignore[method-assign]
        accept(invite)
        assert (seen, invite.status) == ([100], 200)


def test_calls_go_on_without_the_database(tmp_path: Path) -> None:
    with Calls("db_mode=1", HERE, folder=tmp_path) as calls:
        lock = sqlite3.connect(calls.server.files["sqlite:///calls.db"], isolation_level=None)
        lock.execute("BEGIN EXCLUSIVE")
        invite = calls.answered()
        calls.run_for(20)
        assert invite.status == 200
        lock.execute("ROLLBACK")
        calls.run_for(20)
        assert len(rows(calls)) == 1
        lock.close()


# --- pseudo-variables and commands --------------------------------------------------------------------------------


def test_outside_of_a_dialog() -> None:
    with Calls() as calls:
        calls.call()
        options = calls.send("OPTIONS", BOB)
        values = [options.value(name) for name in ("$DLG_count", "$DLG_status", "$DLG_lifetime")]
        assert values == [1, None, None]


def test_many_are_listed_in_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LISTED", 2)
    with Calls() as calls:
        for _ in range(5):
            calls.call()
        assert len(calls.listed()) == 5


def test_a_call_is_ended_from_here() -> None:
    with Calls('dlg_extra_hdrs="Hint: credit\\r\\n"') as calls:
        calls.call()
        (dialog,) = calls.dialogs
        answer = calls.mi("dlg_end_dlg", *dialog.name, "Reason: bored")
        assert answer is not None
        assert answer.code == 200
        caller, callee = calls.requests("BYE")
        assert (caller.uri, caller.message.to.tag) == ("sip:alice@192.0.2.1:5060", "alice")
        assert (callee.uri, callee.message.to.tag) == ("sip:bob@192.0.2.9:5070", "bob")
        assert (callee.get("Hint"), callee.get("Reason")) == ("credit", "bored")
        assert calls.figures == (0, 0, 1, 0, 0)
        caller.answer(200)
        callee.answer(481)


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        ((1, 2), 404, "Requested Dialog not found"),
        ((1,), 400, "Too few or too many arguments"),
        ((1, "x"), 400, "Bad parameter"),
        ((1, 2, 3, 4), 400, "Too few or too many arguments"),
    ],
)
def test_what_cannot_be_ended(arguments: tuple[int | str, ...], code: int, reason: str) -> None:
    with Calls() as calls:
        answer = calls.mi("dlg_end_dlg", *arguments)
        assert answer is not None
        assert (answer.code, answer.reason) == (code, reason)


@pytest.mark.parametrize("why", ["rings", "headers", "contact", "routes"])
def test_a_call_that_cannot_be_ended_yet(why: str) -> None:
    with Calls() as calls:
        invite = calls.answered(180 if why == "rings" else 200)
        (dialog,) = calls.dialogs
        if why == "contact":
            dialog.callee.contact = ""
        elif why == "routes":
            dialog.caller.routes = ("<sip:",)
        answer = calls.mi("dlg_end_dlg", *dialog.name, "no header" if why == "headers" else "")
        assert answer is not None
        assert answer.code == (400 if why == "headers" else 500)
        sent = {"contact": 1}.get(why, 0)
        assert len(calls.requests("BYE")) == sent
        assert (dialog.state is State.ENDED) is bool(sent)
        assert invite.status in (180, 200)


def test_a_reload_changes_the_time() -> None:
    with Calls("default_timeout=1000") as calls:
        calls.path.write_text(script_of("default_timeout=50"))
        outcome = calls.server.reloader.reload()
        calls.run_for(1)
        assert outcome.value is not None
        assert outcome.value.code == 200, outcome.value
        calls.call()
        calls.run_for(60)
        assert calls.figures == (0, 0, 1, 1, 0)
