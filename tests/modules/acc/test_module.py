"""acc: parameters, functions, and where its records go."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import pytest

from openpy.engine.module import ModuleError
from openpy.engine.runtime import Runtime
from openpy.script.diagnostics import ScriptError
from tests.engine.kit import Bench, code_of, request
from tests.modules.acc.calls import NEXT, Accounted


@pytest.fixture(autouse=True)
def no_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody hears when a row is written."""
    monkeypatch.setattr(Runtime, "post", lambda self, callback: None)


def rows(folder: Path, table: str = "acc", columns: str = "*") -> list[tuple[object, ...]]:
    connection = sqlite3.connect(folder / "acc.db")
    found = connection.execute(f"SELECT {columns} FROM {table} ORDER BY id").fetchall()
    connection.close()
    return found


def settle(bench: Bench) -> None:
    for database in bench.server.databases.values():
        database.writer.stop()


def url(folder: Path) -> str:
    return f'db_url="sqlite:///{folder}/acc.db"'


def test_the_line(tmp_path: Path) -> None:
    route = 'setflag(1); $avp(s:leg) = "one"; $avp(s:leg) = "two"; t_relay();'
    settings = ("log_flag=1", 'log_extra="user=$fU;agent=$ua"', 'multi_leg_info="leg=$avp(s:leg)"')
    with Accounted(tmp_path, route, *settings) as bench:
        bench.call(200)
        (line,) = (line for line in bench.log if "ACC" in line)
        assert line == (
            "NOTICE:acc: ACC: transaction answered: timestamp=1600000100;method=INVITE;from_tag=a1;to_tag=b1"
            ";call_id=call-1;code=200;reason=Reason;user=alice;agent=;leg=two;leg=one"
        )


def test_the_level(tmp_path: Path) -> None:
    with Accounted(tmp_path, "setflag(1); t_relay();", "log_flag=1", "log_level=1") as bench:
        bench.call(200)
        assert any(line.startswith("WARNING:acc: ACC: ") for line in bench.log)
        bench.server.log.level = 0
        bench.call(200, branch="z9hG4bK2")
        assert len(bench.lines) == 1


def test_rows(tmp_path: Path) -> None:
    settings = (
        *("db_flag=1", "db_missed_flag=2", "failed_transaction_flag=3", url(tmp_path)),
        *('db_extra="who=$fU"', 'multi_leg_info="leg=$avp(s:leg)"'),
    )
    route = 'setflag(1); setflag(2); setflag(3); $avp(s:leg) = "a"; $avp(s:leg) = "b"; t_relay();'
    with Accounted(tmp_path, route, *settings) as bench:
        bench.call(486)
        settle(bench)
        moment = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(1_600_000_100))
        expected = [
            ("INVITE", "a1", "b1", "call-1", "486", "Reason", moment, "alice", leg) for leg in ("b", "a")
        ]
        assert [row[1:] for row in rows(tmp_path)] == expected
        assert [row[1:] for row in rows(tmp_path, "missed_calls")] == expected


def test_names_of_tables_and_columns(tmp_path: Path) -> None:
    settings = (
        *("db_flag=1", url(tmp_path), 'db_table_acc="calls"', 'acc_method_column="m"'),
        *('acc_time_column="at"', 'acc_callid_column="id_of_call"'),
    )
    route = 'setflag(1); $var(c) = acc_db_request("404 gone", "other"); xlog("$var(c)"); t_relay();'
    with Accounted(tmp_path, route, *settings) as bench:
        bench.call(200)
        settle(bench)
        assert list(bench.printed()) == ["1"]
        assert rows(tmp_path, "calls", "m, id_of_call, sip_code") == [("INVITE", "call-1", "200")]
        assert rows(tmp_path, "other", "m, sip_code, sip_reason") == [("INVITE", "404", "gone")]


def test_without_a_database(tmp_path: Path) -> None:
    route = 'setflag(1); setflag(2); $var(c) = acc_db_request("404", "acc"); xlog("$var(c)"); t_relay();'
    with Accounted(tmp_path, route, "db_flag=1", "db_missed_flag=2") as bench:
        bench.call(486)
        assert list(bench.printed()) == ["-1"]
        assert bench.lines == []


def test_functions_in_a_failure_route(tmp_path: Path) -> None:
    more = 'failure_route[1] { acc_log_request("480 later"); t_reply("480", "Later"); }'
    with Accounted(tmp_path, 't_on_failure("1"); t_relay();', more=more) as bench:
        bench.call(486)
        assert bench.lines == ["request accounted 480"]


def test_a_from_that_cannot_be_read(tmp_path: Path) -> None:
    loads = 'loadmodule "acc.so"'
    data = request().replace(b"<sip:alice@atlanta.example>;tag=a1", b"<sip:alice@atlanta.example>;=")
    assert code_of(tmp_path, 'acc_log_request("x")', data, more=loads) in (-1, 0)


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        (("log_flag=32",), "32 is no flag"),
        (('log_extra="x"',), "no name="),
        (('db_extra="x=$nosuch"',), "acc: "),
        (('multi_leg_info="x=$fu"',), "is no AVP"),
        (("detect_direction=1",), "detect_direction needs the From tag"),
    ],
)
def test_what_stops_the_start(tmp_path: Path, settings: tuple[str, ...], problem: str) -> None:
    with pytest.raises(ScriptError, match=problem):
        Accounted(tmp_path, ";", *settings, more='modparam("rr", "append_fromtag", 0)')


@pytest.mark.parametrize(
    "call", ['acc_log_request("")', 'acc_db_request("", "acc")', 'acc_db_request("x", " ")']
)
def test_arguments_that_stop_the_start(tmp_path: Path, call: str) -> None:
    with pytest.raises(ScriptError, match="empty"):
        Accounted(tmp_path, f"{call};")


@pytest.mark.parametrize(
    ("loads", "need"),
    [
        (("acc",), "acc needs tm"),
        (("tm", "acc"), "acc needs a database module"),
        (("sqlite", "tm", "acc"), "acc needs rr"),
    ],
)
def test_what_it_needs(tmp_path: Path, loads: tuple[str, ...], need: str) -> None:
    lines = "".join(f'loadmodule "{name}.so"\n' for name in loads)
    settings = 'modparam("acc", "db_url", "sqlite:////tmp/x.db") modparam("acc", "detect_direction", 1)'
    with pytest.raises(ScriptError, match=need):
        Bench(tmp_path, script=f"{lines}{settings}\nroute {{ exit; }}")


def test_a_table_that_is_not_what_it_should_be(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "acc.db")
    connection.execute("CREATE TABLE acc (id INTEGER PRIMARY KEY, method TEXT)")
    connection.execute("CREATE TABLE version (table_name TEXT, table_version INTEGER)")
    connection.execute("INSERT INTO version VALUES ('acc', 4)")
    connection.commit()
    connection.close()
    with pytest.raises(ModuleError, match="acc cannot use its database"):
        Accounted(tmp_path, ";", url(tmp_path))


def test_nobody_listens_without_flags(tmp_path: Path) -> None:
    with Accounted(tmp_path, "t_relay();") as bench:
        module = bench.server.module("tm")
        assert module is not None
        assert module.bind().listeners == []
        bench.receive(request("INVITE", NEXT))
