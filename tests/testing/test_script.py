"""Scripts under test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from openpy.engine.log import ERROR, INFO
from openpy.script.diagnostics import ScriptError
from openpy.testing.record import LogLine
from openpy.testing.script import MOMENT, Script
from tests.conftest import ROOT

Load = Callable[..., Script]
BOB = "sip:bob@example.com"

PRESENCE = (ROOT / "examples" / "openser.cfg").read_text()


def small(route: str, more: str = "") -> str:
    names = ("sl", "tm", "textops", "xlog")
    loads = "".join(f'loadmodule "{name}.so"\n' for name in names)
    return f"{loads}{more}\nroute {{ {route} }}\n"


def test_by_path_and_as_text(tmp_path: Path) -> None:
    path = tmp_path / "a.cfg"
    path.write_text(small('sl_send_reply("200", "OK");'))
    for source in (path, str(path), path.read_text()):
        with Script(source) as script:
            assert script.send("OPTIONS", BOB).status == 200
    assert repr(Script(path)) == "<Script a.cfg>"


def test_a_script_that_is_wrong_does_not_load() -> None:
    with pytest.raises(ScriptError, match=r"unknown command nothing\(\)"):
        Script("route { nothing(); }")
    with pytest.raises(OSError, match="absent"):
        Script("absent.cfg")


def test_parameters_of_the_test_come_last(load_script: Load) -> None:
    script = load_script(
        PRESENCE, modparams={"presence": {"max_expires": 60}}, core={"server_header": "Server: x"}
    )
    reply = script.send("PUBLISH", BOB)
    assert (reply.get("Expires"), reply.get("Server")) == ("60", "x")


def test_a_parameter_that_is_wrong_is_told_as_the_tests() -> None:
    with pytest.raises(
        ScriptError, match=r"\(set by the test\):1: parameter <nothing> not found in module <sl>"
    ):
        Script(small("exit;"), modparams={"sl": {"nothing": 1}})


def test_bytes_and_peers(load_script: Load) -> None:
    script = load_script(small('xlog("$si:$sp"); sl_send_reply("200", "OK");'))
    other = script.send("OPTIONS", BOB, source="192.0.2.44:5099")
    again = script.send(other.message.raw, source="192.0.2.45")
    assert script.printed == ["192.0.2.44:5099", "192.0.2.45:5060"]
    assert [item.reply.target for item in (other, again)] == ["udp:192.0.2.44:5099", "udp:192.0.2.45:5060"]


def test_time_passes_only_when_it_is_let(load_script: Load) -> None:
    script = load_script(small('sl_send_reply("200", "OK");'))
    assert script.now == 0.0
    script.send("OPTIONS", BOB)
    assert script.now == pytest.approx(MOMENT)
    assert script.run_for(10) == []
    assert script.now == pytest.approx(10 + MOMENT)


def test_log_lines_are_those_that_a_server_would_write(load_script: Load) -> None:
    text = small('xlog("L_INFO", "quiet"); xlog("loud");')
    script = load_script(text)
    script.send("OPTIONS", BOB)
    assert script.log[0] == LogLine(ERROR, "script", "loud")
    louder = load_script(text, core={"debug": 4})
    louder.send("OPTIONS", BOB)
    assert LogLine(INFO, "script", "quiet") in louder.log
    assert louder.printed[:2] == ["quiet", "loud"]


def test_watchers_answer_by_themselves_unless_they_shall_not(load_script: Load) -> None:
    script = load_script(PRESENCE)
    script.send("SUBSCRIBE", BOB)
    assert script.run_for(10) == []
    assert script.statistic("presence:notifies_sent") == 1
    script.answers.clear()
    script.send("PUBLISH", BOB)
    again = script.run_for(1.2)
    assert [(sent.method, sent.again) for sent in again] == [("NOTIFY", True)]
    script.answers["NOTIFY"] = 481
    script.run_for(4)
    assert script.rows("active_watchers") == []
    assert len(script.requests("NOTIFY")) == len(script.requests()) == 2


def test_rows_and_statements(load_script: Load) -> None:
    script = load_script(PRESENCE)
    for user in ("bob", "carol"):
        script.send("PUBLISH", f"sip:{user}@example.com")
    assert [row["username"] for row in script.rows("presentity")] == ["bob", "carol"]
    assert [row["username"] for row in script.rows("presentity", username="carol", event="presence")] == [
        "carol"
    ]
    assert script.sql("UPDATE presentity SET domain = ? RETURNING username", "x")[1] == {"username": "carol"}
    assert [row["domain"] for row in script.rows("presentity")] == ["x", "x"]
    with pytest.raises(LookupError, match='no database of this script has a table "nothing"'):
        script.rows("nothing")


def test_statistics_and_management_commands(load_script: Load) -> None:
    script = load_script(PRESENCE)
    script.send("OPTIONS", BOB)
    assert script.statistic("core:rcv_requests") == 1
    answer = script.mi("get_statistics", "rcv_requests")
    assert answer is not None
    assert [node.value for node in answer.nodes] == ["core:rcv_requests = 1"]
    failed = script.mi("refreshWatchers", "sip:x", "nothing", 1)
    assert failed is None or failed.code != 200
    with pytest.raises(LookupError, match="no statistic core:nothing"):
        script.statistic("core:nothing")
    with pytest.raises(LookupError, match="no management command nothing"):
        script.mi("nothing")


def test_an_error_of_a_function_is_in_the_log_and_answered(load_script: Load) -> None:
    script = load_script(small('sl_send_reply("200", "OK");'))
    script.stub("sl_send_reply", returns=lambda *_: 1 // 0)
    assert script.send("OPTIONS", BOB).status == 500
    assert "ZeroDivisionError" in script.log[-1].text
    assert "script.text" in script.log[-1].text


def test_replies_go_through_the_onreply_route(load_script: Load) -> None:
    script = load_script(small("t_relay();") + 'onreply_route { xlog("$rs"); }')
    call = script.send("OPTIONS", "sip:bob@192.0.2.9")
    call.relayed[0].answer(200)
    assert script.printed == ["200"]
    assert "    onreply_route" in str(script)


def test_two_runs_do_the_same() -> None:
    told = []
    for _ in range(2):
        with Script(PRESENCE) as script:
            script.send("SUBSCRIBE", BOB)
            script.send("PUBLISH", BOB)
            script.run_for(4000)
            told.append((str(script), [sent.data for sent in script.sent]))
    assert told[0] == told[1]


def test_after_a_reload_routes_and_spies_are_heard_of_again(tmp_path: Path) -> None:
    path = tmp_path / "x.cfg"
    text = 'loadmodule "sl.so"\nroute {{ {} route(1); }}\nroute[1] {{ sl_send_reply("200", "{}"); }}\n'
    path.write_text(text.format("setflag(1);", "One"))
    with Script(path) as script:
        replies, flags = script.spy("sl_send_reply"), script.stub("setflag", returns=1)
        script.send("OPTIONS", "sip:bob@example.com")
        path.write_text(text.format("", "Two"))
        reply = script.mi("reload")
        assert reply is not None
        assert reply.code == 200
        second = script.send("OPTIONS", "sip:bob@example.com")
        assert second.routes == ["route", "route[1]"]
        assert replies == [(200, "One"), (200, "Two")]
        assert flags == [(1,)]
        path.write_text(text.format("setflag(2);", "Two"))
        script.mi("reload")
        script.send("OPTIONS", "sip:bob@example.com")
        assert flags == [(1,), (2,)]


def test_what_only_keeps_a_way_open_is_no_message(load_script: Load) -> None:
    script = load_script("route { exit; }\n")
    way = script.server.flow("udp", "192.0.2.9", 5062)
    assert way is not None
    way.send(b"\0\0\0\0")
    assert script.sent == []
    assert "<-- keep-alive" in str(script)
    assert "to udp:192.0.2.9:5062" in str(script)
