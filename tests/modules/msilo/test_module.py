from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from openpy.modules.msilo.module import NO_PLACE, Msilo
from openpy.script.diagnostics import ScriptError
from openpy.testing.script import Script
from tests.modules.accounts import script_of, setting
from tests.modules.msilo.kit import BOB, REGISTRAR, ROUTE, STORE, arriving, bodies, come_back, silo, write


def whose(script: Script) -> list[str]:
    return [f"{row['username']}@{row['domain']}" for row in script.rows("silo")]


def test_the_parameters() -> None:
    assert {name: item.default for name, item in Msilo.parameters().items()} == {
        "db_url": "mysql://openser:openserrw@localhost/openser",
        "db_table": "silo",
        "registrar": "",
        "reminder": "",
        "outbound_proxy": "",
        "expire_time": 259200,
        "check_time": 30,
        "send_time": 0,
        "clean_period": 5,
        "use_contact": 1,
        "add_date": 1,
        "max_messages": 0,
        "snd_time_avp": "",
        "sc_mid": "id",
        "sc_from": "src_addr",
        "sc_to": "dst_addr",
        "sc_uri_user": "username",
        "sc_uri_host": "domain",
        "sc_body": "body",
        "sc_ctype": "ctype",
        "sc_exp_time": "exp_time",
        "sc_inc_time": "inc_time",
        "sc_snd_time": "snd_time",
    }


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("registrar", "registrar@example.com", "is no SIP URI"),
        ("reminder", "tel:+1", "is no SIP URI"),
        ("outbound_proxy", "192.0.2.1", "is no SIP URI"),
        ("expire_time", 0, "1 or more"),
        ("check_time", 0, "1 or more"),
        ("clean_period", -1, "1 or more"),
        ("send_time", -1, "0 or more expected"),
        ("max_messages", -1, "0 or more expected"),
        ("use_contact", 2, "0 or 1"),
        ("add_date", 2, "0 or 1"),
        ("snd_time_avp", "$ru", "is no AVP"),
    ],
)
def test_wrong_parameters_stop_the_start(name: str, value: Any, why: str) -> None:
    with pytest.raises(ScriptError, match=why):
        silo(ROUTE, **{name: value})


def test_it_needs_tm_and_a_database() -> None:
    text = setting("msilo", "db_url", "sqlite:///x.db") + "route { m_store(); }"
    with pytest.raises(ScriptError, match="tm"):
        Script('loadmodule "sqlite.so"\nloadmodule "msilo.so"\n' + text)
    with pytest.raises(ScriptError, match="database"):
        Script('loadmodule "tm.so"\nloadmodule "msilo.so"\n' + text)


# --- m_store --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "uri", "owner"),
    [
        ("m_store()", BOB, "bob@example.com"),
        ("m_store()", "sip:Bob@Example.com:5070;x", "Bob@example.com"),
        ('m_store("$tu")', "sip:bob@192.0.2.7", "sales@example.com"),
        ('m_store("$avp(s:who)")', BOB, "carol@example.com"),
    ],
)
def test_whose_message_it_is(call: str, uri: str, owner: str) -> None:
    with silo('$avp(s:who) = "sip:carol@example.com"; ' + STORE.replace("m_store()", call)) as script:
        assert write(script, to=uri, To="<sip:sales@example.com>").status == 202
        assert whose(script) == [owner]


@pytest.mark.parametrize(("case_sensitive", "owner"), [(0, "bob@example.com"), (1, "Bob@example.com")])
def test_a_user_is_found_as_registrar_finds_it(case_sensitive: int, owner: str) -> None:
    text = setting("registrar", "case_sensitive", case_sensitive)
    with Script(script_of(ROUTE, "usrloc", "registrar", "msilo", settings=text)) as script:
        write(script, to="sip:Bob@example.com")
        assert whose(script) == [owner]


@pytest.mark.parametrize("call", ['m_store("$avp(s:none)")', 'm_store("$rd")'])
def test_nobodys_message(call: str) -> None:
    with silo(STORE.replace("m_store()", call)) as script:
        assert write(script).status == 503
        assert script.rows("silo") == []
        assert "is nobody's address" in script.printed[0]


def test_the_answer_follows_the_commit() -> None:
    with silo() as script:
        held = script.send("MESSAGE", BOB, body=b"x", Content_Type="text/plain")
        assert held.status == 202
        assert len(script.rows("silo")) == 1
        assert script.statistic("msilo:stored_messages") == 1


def test_a_message_that_could_not_be_relayed() -> None:
    route = """$avp(i:11) = $ru; t_on_failure("1"); $du = "sip:192.0.2.8"; t_relay(); }
    failure_route[1] { if (m_store("$avp(i:11)")) t_reply("202", "Accepted"); else t_reply("503", "No");"""
    with silo(route) as script:
        exchange = write(script)
        exchange.relayed[0].answer(480)
        assert exchange.status == 202
        assert whose(script) == ["bob@example.com"]


def test_a_notice_is_not_kept() -> None:
    with silo(registrar=REGISTRAR) as script:
        assert write(script, From=f"<{REGISTRAR};x>;tag=1").status == 503
        assert write(script, to=REGISTRAR).status == 503
        assert script.rows("silo") == []
        assert script.requests("MESSAGE") == []


# --- m_dump -------------------------------------------------------------------------------------------------------


def test_who_is_sent_nothing() -> None:
    route = 'm_dump(); $var(c) = m_dump("$ou"); xlog("$var(c)"); sl_send_reply("200", "OK");'
    with silo(STORE + route) as script:
        write(script)
        script.send("OPTIONS", BOB)
        come_back(script, Expires="0")
        come_back(script, Allow="INVITE")
        come_back(script)  # the Request-URI names no user
        assert script.printed[1:] == ["-1"] * 3 + [
            'm_dump: "sip:example.com" is nobody\'s address',
            "-1",
        ]
        assert len(arriving(script)) == 1  # by the first m_dump


def test_another_owner() -> None:
    with silo(STORE + 'm_dump("$avp(s:who)"); sl_send_reply("200", "OK");', add_date=0) as script:
        write(script)
        come_back(script)
        assert bodies(script) == []
    with silo(
        '$avp(s:who) = "sip:bob@example.com";' + STORE + 'm_dump("$avp(s:who)");', add_date=0
    ) as script:
        write(script)
        come_back(script, "sip:carol@example.com")
        assert bodies(script) == [b"hello"]


# --- reminders ----------------------------------------------------------------------------------------------------

WITH_AVP = "$avp(s:when) = $hdr(X-When); " + ROUTE


@pytest.mark.parametrize("when", ["soon", "20261399000000", "99999999999999"])
def test_what_is_no_time(when: str) -> None:
    with silo(WITH_AVP, snd_time_avp="s:when", reminder=REGISTRAR, send_time=1) as script:
        assert write(script, **{"X-When": when}).status == 202
        assert script.rows("silo")[0]["snd_time"] == 0
        assert script.printed[0].startswith(f'm_store: "{when}" is no time')


@pytest.mark.parametrize("settings", [{"reminder": REGISTRAR}, {"send_time": 1}])
def test_without_reminders_m_dump_sends_all(settings: dict[str, Any]) -> None:
    with silo(WITH_AVP, snd_time_avp="$avp(s:when)", add_date=0, **settings) as script:
        assert NO_PLACE in [line.text for line in script.log]
        write(script, **{"X-When": "20200101000000"})
        script.run_for(5)
        assert bodies(script) == []
        come_back(script)
        assert bodies(script) == [b"hello"]


# --- life ---------------------------------------------------------------------------------------------------------


def test_a_message_waits_for_the_next_server(tmp_path: Path) -> None:
    with silo(folder=tmp_path) as script:
        write(script)
        come_back(script)
    with silo(folder=tmp_path) as script:
        come_back(script)
        arriving(script)[0].answer(200)
        assert script.rows("silo") == []
