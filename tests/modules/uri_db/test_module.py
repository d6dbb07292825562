from __future__ import annotations

from pathlib import Path

import pytest

from openpy.db.url import DatabaseUrl
from openpy.modules.auth_db.tables import Subscriber
from openpy.modules.uri_db.module import UriDb
from openpy.modules.uri_db.tables import Uri
from openpy.script.diagnostics import ScriptError
from openpy.testing.script import Script
from tests.engine.kit import request
from tests.modules.accounts import Caller, fill, printed, script_of, setting

SPECS = "".join(
    setting("auth", name, value)
    for name, value in (("username_spec", "$avp(s:u)"), ("password_spec", "$avp(s:p)"), ("calculate_ha1", 1))
)
CHECK = """
    $avp(s:u) = "alice"; $avp(s:p) = "secret";
    if (!pv_www_authorize("example.com")) { www_challenge("example.com", "1"); exit; }
    $var(f) = check_from(); $var(t) = check_to(); xlog("$var(f) $var(t)");
    sl_send_reply("200", "OK");
"""
EXISTS = '$var(c) = does_uri_exist(); xlog("$var(c)"); sl_send_reply("200", "OK");'
TABLE = setting("uri_db", "use_uri_table", 1)
ROWS: tuple[dict[str, object], ...] = ({"username": "alice", "domain": "example.com", "uri_user": "sales"},)


def checked(script: Script, from_: str, to: str) -> str:
    alice = Caller(script)
    alice.be_asked()
    alice.send(Authorization=alice.credentials(), From=f"<{from_}>;tag=1", To=f"<{to}>")
    return script.printed[-1]


def test_the_parameters() -> None:
    declared = {name: item.default for name, item in UriDb.parameters().items()}
    assert declared == {
        "db_url": "mysql://openserro:openserro@localhost/openser",
        "uri_table": "uri",
        "uri_user_column": "username",
        "uri_domain_column": "domain",
        "uri_uriuser_column": "uri_user",
        "subscriber_table": "subscriber",
        "subscriber_user_column": "username",
        "subscriber_domain_column": "domain",
        "use_uri_table": 0,
        "use_domain": 0,
    }


@pytest.mark.parametrize(
    ("settings", "route", "text"),
    [
        (setting("uri_db", "use_domain", 3), "exit;", "0 or 1"),
        (setting("uri_db", "use_uri_table", -1), "exit;", "0 or 1"),
        (setting("uri_db", "db_url", "") + TABLE, "exit;", "use_uri_table is set"),
        (setting("uri_db", "db_url", ""), EXISTS, "uri_db has no database"),
    ],
)
def test_wrong_parameters_stop_the_start(settings: str, route: str, text: str) -> None:
    with pytest.raises(ScriptError, match=text):
        Script(script_of(route, "uri_db", settings=settings))


def test_without_a_url_no_database_is_needed() -> None:
    text = f'loadmodule "uri_db.so"\n{setting("uri_db", "db_url", "")}route {{ check_to(); }}'
    Script(text).close()
    with pytest.raises(ScriptError, match="uri_db needs a database module"):
        Script('loadmodule "uri_db.so"\nroute { check_to(); }')


@pytest.mark.parametrize(
    ("from_", "to", "codes"),
    [
        ("sip:alice@example.com", "sip:ALICE@elsewhere.example", "1 1"),
        ("sip:bob@example.com", "sip:example.com", "-10 -4"),
        ("tel:+1", "sip:alice@x", "-10 1"),
        ("tel:alice;phone-context=x", "urn:service:sos", "1 -4"),
    ],
)
def test_names_are_compared_without_a_table(from_: str, to: str, codes: str) -> None:
    settings = SPECS + setting("uri_db", "db_url", "")
    with Script(script_of(CHECK, "auth", "uri_db", settings=settings)) as script:
        assert checked(script, from_, to) == codes


def test_who_was_not_authenticated() -> None:
    route = '$var(f) = check_from(); $var(t) = check_to(); xlog("$var(f) $var(t)");'
    with Script(script_of(route, "uri_db")) as script:
        script.send("INVITE", "sip:a@x")
        assert script.printed == ["-2 -2"]


def test_the_table_says_which_uris_an_account_may_use() -> None:
    with Script(script_of(CHECK, "auth", "uri_db", settings=SPECS + TABLE)) as script:
        fill(script, "uri", *ROWS)
        assert checked(script, "sip:sales@x", "sip:alice@x") == "1 -9"
        script.sql("DROP TABLE uri")
        assert checked(script, "sip:sales@x", "sip:x") == "-8 -4"


@pytest.mark.parametrize(
    ("settings", "uri", "code"),
    [
        ("", "sip:bob@anywhere.example", 1),
        ("", "sip:nobody@x", -5),
        ("", "sip:x", -5),
        (setting("uri_db", "use_domain", 1), "sip:bob@example.com", 1),
        (setting("uri_db", "use_domain", 1), "sip:bob@Example.COM", 1),
        (setting("uri_db", "use_domain", 1), "sip:Bob@example.com", -5),
        (setting("uri_db", "use_domain", 1), "sip:bob@elsewhere.example", -5),
        (TABLE, "sip:sales@anywhere.example", 1),
        (TABLE, "sip:bob@example.com", -5),
        (TABLE + setting("uri_db", "use_domain", 1), "sip:sales@elsewhere.example", -5),
        (TABLE + setting("uri_db", "use_domain", 1), "sip:sales@example.com", 1),
    ],
)
def test_does_uri_exist(settings: str, uri: str, code: int) -> None:
    with Script(script_of(EXISTS, "uri_db", settings=settings)) as script:
        if TABLE in settings:
            fill(script, "uri", *ROWS)
        else:
            fill(script, "subscriber", {"username": "bob", "domain": "example.com"})
        script.send("OPTIONS", uri)
        assert script.printed == [str(code)]


def test_does_uri_exist_of_what_is_no_uri_and_without_an_answer() -> None:
    with Script(script_of('$ru = "x";' + EXISTS, "uri_db")) as script:
        script.send("OPTIONS", "sip:a@b")
        assert script.printed == ["-1"]
    with Script(script_of(EXISTS, "uri_db")) as script:
        script.sql("DROP TABLE subscriber")
        script.send("OPTIONS", "sip:a@b")
        assert script.printed == ["-4"]


def test_an_older_subscriber_table_serves(tmp_path: Path) -> None:
    with Script(script_of(EXISTS, "uri_db"), folder=tmp_path) as script:
        script.sql("UPDATE version SET table_version = 3")
    Script(script_of(EXISTS, "uri_db"), folder=tmp_path).close()


@pytest.mark.parametrize("settings", ["", TABLE])
def test_each_database(tmp_path: Path, kind: str, url: DatabaseUrl, settings: str) -> None:
    script = script_of(EXISTS, "uri_db", settings=settings, url=str(url), database=kind)
    rows = [
        (Subscriber, {"username": "bob", "domain": "example.com"}),
        (Uri, {"username": "alice", "domain": "example.com", "uri_user": "bob"}),
    ]
    messages = [
        request("OPTIONS", uri, call_id=f"c{n}", branch=f"z9hG4bK{n}")
        for n, uri in enumerate(("sip:bob@example.com", "sip:zoë'@x", "sip:Bob@example.com"))
    ]
    assert printed(tmp_path, kind, url, script, rows, *messages) == ["1", "-5", "-5"]
