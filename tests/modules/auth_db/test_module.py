from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from openpy.db import schema
from openpy.db.dialect import execute
from openpy.db.url import DatabaseUrl
from openpy.engine.module import ModuleError
from openpy.modules.auth.nonces import Nonces
from openpy.modules.auth_db.module import AuthDb
from openpy.modules.auth_db.tables import Subscriber
from openpy.script.diagnostics import ScriptError
from openpy.sip.digest import Challenge, authorize, digest_ha1, parse_challenge
from openpy.testing.script import MOMENT, Script
from tests.engine.kit import KeptFlow
from tests.modules.accounts import ALICE, DOMAIN, Caller, fill, printed, script_of, setting
from tests.servers import DIALECTS, Databases

ROUTE = """
    $var(c) = www_authorize("REALM", "subscriber");
    xlog("code $var(c)");
    if ($var(c) < 0) { www_challenge("REALM", "1"); exit; }
    xlog("$avp(s:rpid) $avp(s:id) $avp(i:5)");
    sl_send_reply("200", "OK");
"""
PLAIN = setting("auth_db", "calculate_ha1", 1) + setting("auth_db", "password_column", "password")


def loaded(settings: str = PLAIN, *rows: dict[str, object], route: str = ROUTE, realm: str = "") -> Script:
    script = Script(script_of(route.replace("REALM", realm), "auth", "auth_db", settings=settings))
    fill(script, "subscriber", *(rows or ({"username": "alice", "password": "secret", "rpid": "sip:+1@x"},)))
    return script


def codes(script: Script) -> list[int]:
    return [int(line.split()[1]) for line in script.printed if line.startswith("code ")]


def test_the_parameters() -> None:
    declared = {name: (item.type, item.default) for name, item in AuthDb.parameters().items()}
    assert declared == {
        "db_url": (str, "mysql://openserro:openserro@localhost/openser"),
        "user_column": (str, "username"),
        "domain_column": (str, "domain"),
        "password_column": (str, "ha1"),
        "password_column_2": (str, "ha1b"),
        "hash_column_sha256": (str, "ha1_sha256"),
        "hash_column_sha512t256": (str, "ha1_sha512t256"),
        "calculate_ha1": (int, 0),
        "use_domain": (int, 0),
        "load_credentials": (str, "rpid"),
    }


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("calculate_ha1", 5, "0 or 1"),
        ("use_domain", 2, "0 or 1"),
        ("load_credentials", "x=y", "bad load_credentials"),
        ("db_url", "nonsense", "a database URL reads"),
        ("db_url", "oracle://a/b", "no database module for oracle"),
    ],
)
def test_wrong_parameters_stop_the_start(name: str, value: Any, text: str) -> None:
    with pytest.raises(ScriptError, match=text):
        Script(script_of("exit;", "auth", "auth_db", settings=setting("auth_db", name, value)))


def test_what_it_needs() -> None:
    with pytest.raises(ScriptError, match="auth_db needs auth"):
        Script(script_of("exit;", "auth_db"))
    with pytest.raises(ScriptError, match="auth_db needs a database module"):
        Script('loadmodule "sl.so"\nloadmodule "auth.so"\nloadmodule "auth_db.so"\nroute { exit; }')
    with pytest.raises(ScriptError, match="name of a table"):
        Script(script_of('www_authorize("", "");', "auth", "auth_db"))


# --- codes ----------------------------------------------------------------------------------------------------------


def test_each_code() -> None:
    with loaded() as script:
        alice = Caller(script)
        alice.be_asked()
        alice.answer(password="wrong")
        alice.answer(username="nobody")
        assert alice.answer().status == 200
        alice.answer()
        alice.send(Authorization="Digest nonsense")
        script.send("ACK", "sip:b@example.com")
        assert codes(script) == [-4, -5, -1, 1, -3, 1]


def test_a_database_that_fails_is_answered_500_and_ends_the_script() -> None:
    with loaded() as script:
        alice = Caller(script)
        alice.be_asked()
        script.sql("DROP TABLE subscriber")
        assert alice.answer().status == 500
        assert codes(script) == [-4]
        assert any("no such table" in line.text for line in script.log)


def test_proxy_authorize() -> None:
    route = 'if (!proxy_authorize("", "subscriber")) { proxy_challenge("", "1"); exit; } sl_send_reply("200", "OK");'
    with loaded(route=route) as script:
        alice = Caller(script)
        uri = "sip:bob@example.com"
        alice.be_asked("MESSAGE", uri)
        assert alice.send("MESSAGE", uri, Authorization=alice.credentials("MESSAGE", uri)).status == 407
        assert alice.send("MESSAGE", uri, Proxy_Authorization=alice.credentials("MESSAGE", uri)).status == 200


def test_what_comes_while_the_database_is_asked() -> None:
    """A retransmission is absorbed; a replay is none, and refused once the first was found right."""
    with loaded() as script:
        alice = Caller(script)
        alice.be_asked()
        value = alice.credentials()
        receive = script.server.dispatcher.receive
        for number in (1, 1, 2):
            receive(_register(number, value), KeptFlow([]))
        assert codes(script) == [-4]
        script.run_for(MOMENT)
        assert codes(script) == [-4, 1, -3]


def test_a_retransmission_of_what_was_answered_is_let_in() -> None:
    with loaded() as script:
        alice = Caller(script)
        alice.be_asked()
        exchange = alice.send(Authorization=alice.credentials())
        assert script.send(exchange.message.raw).status == 200
        assert codes(script) == [-4, 1]  # the transaction that was made for the query answers
        script.run_for(40)
        assert script.send(exchange.message.raw).status == 200
        assert codes(script) == [-4, 1, 1]  # it is over, so the script sees the request again


# --- passwords ------------------------------------------------------------------------------------------------------


def test_hashed_passwords() -> None:
    row: dict[str, object] = {
        "username": "alice",
        "ha1": digest_ha1("alice", "example.com", "secret"),
        "ha1b": digest_ha1("alice@example.com", "example.com", "secret"),
    }
    with loaded("", row) as script:
        alice = Caller(script)
        alice.be_asked()
        assert alice.answer().status == 200
        assert alice.answer(username="alice@example.com", nc=2).status == 200
        assert alice.answer(username="alice@elsewhere.example", nc=3).status == 400


def test_a_username_with_a_domain_and_plain_passwords() -> None:
    with loaded() as script:
        alice = Caller(script)
        alice.be_asked()
        assert alice.answer(username="alice@example.com").status == 200


@pytest.mark.parametrize("algorithm", ["SHA-256", "SHA-512-256"])
def test_hashes_of_rfc_8760_have_columns_of_their_own(algorithm: str) -> None:
    name = {"SHA-256": "ha1_sha256", "SHA-512-256": "ha1_sha512t256"}[algorithm]
    row: dict[str, object] = {
        "username": "alice",
        name: digest_ha1("alice", "example.com", "secret", algorithm),
    }
    with loaded(setting("auth", "algorithms", "SHA-512-256,SHA-256"), row) as script:
        alice = Caller(script)
        offered = [parse_challenge(text) for text in alice.send().all("WWW-Authenticate")]
        alice.challenge = next(one for one in offered if one.algorithm == algorithm)
        assert alice.answer().status == 200
        alice.answer(username="alice@example.com", nc=2)
        assert codes(script)[-1] == -1


NOTHING: dict[str, object] = {"username": "alice", "ha1": "", "password": ""}


@pytest.mark.parametrize(
    ("settings", "row"),
    [
        ("", NOTHING),
        (PLAIN, NOTHING),
        (setting("auth", "algorithms", "SHA-256,MD5"), {**NOTHING, "ha1": "0" * 32}),
        (setting("auth", "algorithms", "SHA-256,MD5"), {**NOTHING, "ha1": "0" * 32, "ha1_sha256": ""}),
    ],
)
def test_nobody_proves_a_password_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch, settings: str, row: dict[str, object]
) -> None:
    """Who knows that a column is empty knows H(A1) too."""
    with loaded(settings, row) as script:
        alice = Caller(script)
        alice.be_asked()
        alice.answer(password="")
        monkeypatch.setattr("openpy.sip.digest.digest_ha1", lambda *values: "")
        alice.answer()
        assert codes(script) == [-4, -1, -1]


# --- domains --------------------------------------------------------------------------------------------------------


def test_use_domain() -> None:
    rows: list[dict[str, object]] = [
        {"username": "alice", "domain": "elsewhere.example", "password": "theirs"},
        {"username": "alice", "domain": "example.com", "password": "secret"},
    ]
    with loaded(PLAIN + setting("auth_db", "use_domain", 1), *rows) as script:
        alice = Caller(script)
        alice.be_asked()
        assert alice.answer().status == 200
        assert alice.answer(username="alice@example.com", nc=2).status == 200
        assert alice.answer(password="theirs", nc=3).status == 401
    with loaded(PLAIN + setting("auth_db", "use_domain", 1), rows[0]) as script:
        alice = Caller(script)
        alice.be_asked()
        alice.answer(password="theirs")
        assert codes(script)[-1] == -1


def test_hosts_have_no_letter_case() -> None:
    row: dict[str, object] = {"username": "alice", "domain": "example.com", "password": "secret"}
    with loaded(PLAIN + setting("auth_db", "use_domain", 1), row) as script:
        alice = Caller(script)
        fields = {"From": "<sip:alice@Example.COM>;tag=1", "To": "<sip:alice@Example.COM>"}
        assert alice.be_asked(**fields).realm == "Example.COM"
        assert alice.send(Authorization=alice.credentials(), **fields).status == 200


def test_a_named_realm() -> None:
    with loaded(realm="gateway") as script:
        alice = Caller(script)
        assert alice.be_asked().realm == "gateway"
        assert alice.answer().status == 200


# --- load_credentials -----------------------------------------------------------------------------------------------


def test_columns_become_avps() -> None:
    settings = PLAIN + setting("auth_db", "load_credentials", "rpid;$avp(s:id)=uuid;$avp(i:5)=id")
    with loaded(settings, {"username": "alice", "password": "secret", "rpid": "", "uuid": "u1"}) as script:
        alice = Caller(script)
        alice.be_asked()
        alice.answer()
        assert script.printed[-1] == "<null> u1 1"


def test_only_of_who_is_authorized() -> None:
    with loaded(route=ROUTE.replace("exit;", 'xlog("$avp(s:rpid)"); exit;')) as script:
        alice = Caller(script)
        alice.be_asked()
        alice.answer(password="wrong")
        alice.answer()
        assert "sip:+1@x <null> <null>" in script.printed
        assert script.printed.count("<null>") == 0


# --- tables ---------------------------------------------------------------------------------------------------------


def test_other_names() -> None:
    settings = (
        setting("auth_db", "user_column", "login")
        + setting("auth_db", "password_column", "word")
        + setting("auth_db", "calculate_ha1", 1)
        + setting("auth_db", "load_credentials", "")
    )
    text = script_of(
        ROUTE.replace("REALM", "").replace("subscriber", "people"), "auth", "auth_db", settings=settings
    )
    with Script(text) as script:
        fill(script, "people", {"login": "alice", "word": "secret"})
        alice = Caller(script)
        alice.be_asked()
        assert alice.answer().status == 200


def test_values_are_bound() -> None:
    with loaded() as script:
        alice = Caller(script)
        alice.be_asked()
        for name in (
            "' OR 1=1 --",
            'x" OR "1"="1',
            "alice'; DROP TABLE subscriber; --",
            "%",
            "\udcff",
            "x" * 30_000,
        ):
            alice.answer(username=name)
        assert codes(script) == [-4, *[-1] * 6]
        assert alice.answer().status == 200


def test_a_table_that_cannot_serve_stops_the_start(tmp_path: Path, kind: str, url: DatabaseUrl) -> None:
    text = script_of('www_authorize("", "subscriber");', "auth", "auth_db", url=str(url), database=kind)
    with closing(DIALECTS[kind].connect(url, patience=20.0)) as connection:
        schema.create(DIALECTS[kind], connection, [Subscriber])
        execute(connection, "UPDATE version SET table_version = 5 WHERE table_name = 'subscriber'")
        connection.commit()
    with pytest.raises(ModuleError, match="subscriber has version 5, needed is at least 6"):
        printed(tmp_path, kind, url, text, [])


def test_a_table_that_openser_made(tmp_path: Path, databases: Databases) -> None:
    """1.3's columns, in a table without transactions."""
    url = databases.empty("mysql", tmp_path)
    text = "VARCHAR(64) NOT NULL DEFAULT ''"
    with closing(DIALECTS["mysql"].connect(url, patience=20.0)) as connection:
        execute(
            connection, "CREATE TABLE version (table_name VARCHAR(32) NOT NULL, table_version INT UNSIGNED)"
        )
        execute(connection, "INSERT INTO version VALUES ('subscriber', 6)")
        execute(
            connection,
            f"CREATE TABLE subscriber (id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, username {text}, domain {text}, "
            f"password VARCHAR(25) NOT NULL DEFAULT '', first_name {text}, last_name {text}, email_address {text}, "
            f"datetime_created DATETIME NOT NULL DEFAULT '1900-01-01 00:00:01', ha1 {text}, ha1b {text}, "
            "timezone VARCHAR(64), rpid VARCHAR(64), UNIQUE KEY account_idx (username, domain)) ENGINE=MyISAM",
        )
        execute(connection, "INSERT INTO subscriber (username, password) VALUES ('alice', 'secret')")
        connection.commit()
        assert schema.check(DIALECTS["mysql"], connection, [Subscriber]) == []
    lines = printed(
        tmp_path,
        "mysql",
        url,
        _with_shared_secret("mysql", url),
        [],
        _register(1, _answered("alice", "secret", 1)),
    )
    assert lines[0] == "code 1"


# --- every database -------------------------------------------------------------------------------------------------


def test_each_database(tmp_path: Path, kind: str, url: DatabaseUrl) -> None:
    tries = [("alice", "secret"), ("alice", "wrong"), ("Alice", "secret"), ("zo\u00eb", "geheim")]
    messages = [_register(n, _answered(user, word, n)) for n, (user, word) in enumerate(tries, 1)]
    rows = [
        (Subscriber, {"username": "alice", "password": "secret", "rpid": "sip:+1@x"}),
        (Subscriber, {"username": "zo\u00eb", "password": "geheim"}),
    ]
    lines = printed(tmp_path, kind, url, _with_shared_secret(kind, url), rows, *messages)
    assert lines == [
        "code 1",
        "sip:+1@x <null> <null>",
        "code -5",
        "code -1",
        "code 1",
        "<null> <null> <null>",
    ]


def _with_shared_secret(kind: str, url: DatabaseUrl) -> str:
    """A script that takes the nonce below as that of another server, and challenges nobody."""
    settings = PLAIN + setting("auth", "secret", "shared")
    route = ROUTE.replace("REALM", "").replace('www_challenge("", "1");', 'sl_send_reply("403", "No");')
    return script_of(route, "auth", "auth_db", settings=settings, url=str(url), database=kind)


def _answered(user: str, word: str, number: int) -> str:
    nonce = Nonces(b"shared", 1000, lambda: "0" * 16).make(time.time(), 1)
    return authorize(
        Challenge("example.com", nonce, qop=("auth",)),
        method="REGISTER",
        uri=DOMAIN,
        username=user,
        password=word,
        cnonce="c",
        nc=number,
    )


def _register(number: int, credentials: str) -> bytes:
    lines = [
        f"REGISTER {DOMAIN} SIP/2.0",
        f"Via: SIP/2.0/UDP 192.0.2.1:5066;branch=z9hG4bK{number}",
        f"From: {ALICE};tag=a1",
        f"To: {ALICE}",
        f"Call-ID: call-{number}",
        "CSeq: 1 REGISTER",
        f"Authorization: {credentials}",
        "Content-Length: 0",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"
