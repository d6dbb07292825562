from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from openpy.db.url import DatabaseUrl
from openpy.modules.alias_db.module import AliasDb
from openpy.modules.alias_db.tables import DbAliases
from openpy.script.diagnostics import ScriptError
from openpy.testing.script import Script
from tests.engine.kit import request
from tests.modules.accounts import fill, printed, script_of, setting

ROUTE = '$var(c) = alias_db_lookup("dbaliases"); xlog("$var(c) $ru"); sl_send_reply("200", "OK");'
DOMAINS = setting("alias_db", "use_domain", 1)
ROW: dict[str, object] = {
    "alias_username": "sales",
    "alias_domain": "example.com",
    "username": "bob",
    "domain": "home.example",
}


def looked_up(uri: str, settings: str = "", **changes: Any) -> str:
    with Script(script_of(ROUTE, "alias_db", settings=settings)) as script:
        fill(script, "dbaliases", {**ROW, **changes})
        script.send("INVITE", uri)
        return script.printed[-1]


def test_the_parameters() -> None:
    assert {name: item.default for name, item in AliasDb.parameters().items()} == {
        "db_url": "mysql://openserro:openserro@localhost/openser",
        "user_column": "username",
        "domain_column": "domain",
        "alias_user_column": "alias_username",
        "alias_domain_column": "alias_domain",
        "use_domain": 0,
        "domain_prefix": "",
    }


def test_wrong_parameters_stop_the_start() -> None:
    with pytest.raises(ScriptError, match="0 or 1"):
        Script(script_of("exit;", "alias_db", settings=setting("alias_db", "use_domain", 2)))
    with pytest.raises(ScriptError, match="name of a table"):
        Script(script_of('alias_db_lookup("");', "alias_db"))
    with pytest.raises(ScriptError, match="cannot be used"):
        Script(script_of('exit; }\nbranch_route[1] { alias_db_lookup("a");', "alias_db"))


@pytest.mark.parametrize(
    ("uri", "settings", "result"),
    [
        ("sip:sales@anywhere.example;x=y", "", "1 sip:bob@home.example"),
        ("sips:sales@anywhere.example", "", "1 sips:bob@home.example"),
        ("tel:sales", "", "1 sip:bob@home.example"),
        ("sip:Sales@example.com", "", "-1 sip:Sales@example.com"),
        ("sip:example.com", "", "-1 sip:example.com"),
        ("sip:sales@elsewhere.example", DOMAINS, "-1 sip:sales@elsewhere.example"),
        ("sip:sales@example.com", DOMAINS, "1 sip:bob@home.example"),
        ("sip:sales@Example.COM", DOMAINS, "1 sip:bob@home.example"),
        ("sip:Sales@example.com", DOMAINS, "-1 sip:Sales@example.com"),
        ("tel:sales", DOMAINS, "-1 tel:sales"),
        (
            "sip:sales@SIP.example.com",
            DOMAINS + setting("alias_db", "domain_prefix", "sip."),
            "1 sip:bob@home.example",
        ),
    ],
)
def test_a_lookup(uri: str, settings: str, result: str) -> None:
    assert looked_up(uri, settings) == result


@pytest.mark.parametrize(
    "changes", [{"username": ""}, {"domain": ""}, {"domain": "x y"}, {"username": "a\r\nX: y"}]
)
def test_a_row_that_makes_no_uri(changes: dict[str, Any]) -> None:
    assert looked_up("sip:sales@example.com", **changes) == "-1 sip:sales@example.com"


def test_what_is_no_uri_and_no_answer() -> None:
    with Script(script_of('$ru = "x";' + ROUTE, "alias_db")) as script:
        script.send("INVITE", "sip:a@b")
        assert script.printed == ["-1 x"]
    with Script(script_of(ROUTE, "alias_db")) as script:
        script.sql("DROP TABLE dbaliases")
        script.send("INVITE", "sip:a@b")
        assert script.printed == ["-1 sip:a@b"]


def test_in_a_failure_route() -> None:
    route = """t_on_failure("1"); t_relay(); }
    failure_route[1] { if (alias_db_lookup("dbaliases")) { $du = "sip:192.0.2.8"; t_relay(); }"""
    with Script(script_of(route, "alias_db")) as script:
        fill(script, "dbaliases", ROW)
        call = script.send("INVITE", "sip:sales@192.0.2.9")
        call.relayed[0].answer(404)
        assert script.requests("INVITE")[-1].uri == "sip:bob@home.example"


def test_each_database(tmp_path: Path, kind: str, url: DatabaseUrl) -> None:
    script = script_of(ROUTE, "alias_db", settings=DOMAINS, url=str(url), database=kind)
    messages = [
        request("OPTIONS", uri, call_id=f"c{n}", branch=f"z9hG4bK{n}")
        for n, uri in enumerate(("sip:sales@example.com", "sip:'OR'1'='1@example.com"))
    ]
    assert printed(tmp_path, kind, url, script, [(DbAliases, ROW)], *messages) == [
        "1 sip:bob@home.example",
        "-1 sip:'OR'1'='1@example.com",
    ]
