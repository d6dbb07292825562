"""siptrace: parameters and the command."""

from __future__ import annotations

from pathlib import Path

import pytest

from openpy.engine.module import ModuleError
from openpy.modules.siptrace.rows import Rows
from openpy.script.diagnostics import ScriptError
from openpy.testing.script import Script
from tests.modules.siptrace.traced import BOB, Traced, script_of


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        ("trace_flag=32", "is no flag"),
        ("trace_on=2", "0 or 1 expected"),
        ('traced_user_avp="x"', "is no AVP"),
        ('trace_table_avp="x"', "is no AVP"),
        ('duplicate_uri="x"', "is no URI that copies could be sent to"),
        ('duplicate_uri="tel:1"', "is no URI that copies could be sent to"),
        ('db_url=""', "neither a database nor a duplicate_uri"),
    ],
)
def test_what_cannot_be_meant(setting: str, text: str) -> None:
    with pytest.raises(ScriptError, match=text):
        Traced(setting)


def test_a_database_only_where_it_is_used(tmp_path: Path) -> None:
    path = tmp_path / "none.cfg"
    text = script_of().replace('loadmodule "sqlite.so"\n', "")
    path.write_text(text)
    with pytest.raises(ScriptError, match="database"):
        Script(path)
    path.write_text(
        text.replace('"sqlite:///trace.db"', '""') + 'modparam("siptrace", "duplicate_uri", "sip:x")'
    )
    Script(path).close()


def test_a_database_that_cannot_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Traced(folder=tmp_path) as script:
        script.sql("DROP TABLE sip_trace")
        script.sql("CREATE TABLE sip_trace (id INTEGER PRIMARY KEY, date datetime)")
    with pytest.raises(ModuleError, match="siptrace cannot use its database"):
        Traced(folder=tmp_path)


def test_without_tm() -> None:
    route = 'route { setflag(22); sip_trace(); sl_send_reply("200", "OK"); }'
    text = script_of(route=route).replace('loadmodule "tm.so"\n', "").replace('loadmodule "rr.so"\n', "")
    with Script(text) as script:
        script.send("MESSAGE", BOB)
        script.run_for(1)
        assert [row["direction"] for row in script.rows("sip_trace")] == ["in", "out"]


def test_without_a_flag_nothing_is_asked_for() -> None:
    with Traced("trace_flag=-1") as script:
        script.invite()
        assert script.kept() == []


@pytest.mark.parametrize(
    ("arguments", "code"), [(("on",), 200), (("OFF",), 200), (("maybe",), 400), ((), 400), (("on", "x"), 400)]
)
def test_the_command(arguments: tuple[str, ...], code: int) -> None:
    with Traced("trace_on=0") as script:
        answer = script.mi("sip_trace", *arguments)
        assert answer is not None
        assert answer.code == code
        assert script.module._tracing.is_on is (arguments == ("on",))


def test_what_waits_is_written_at_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openpy.modules.siptrace.rows.MOST_UNDER_WAY", 1)
    with Traced(
        folder=tmp_path, route='route { setflag(22); sip_trace(); sl_send_reply("200", "OK"); }'
    ) as script:
        assert isinstance(script.module._rows, Rows)
        for _ in range(20):
            script.server.wheel.on_error = script.server.report
            script.send("MESSAGE", BOB)
        assert script.module._rows.most_under_way == 1
    with Traced(folder=tmp_path) as script:
        assert len(script.kept()) == 40
