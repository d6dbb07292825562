"""The blocks of 1.3's stock script that its comments offer, once they are no comments any more."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from openpy.testing.script import Script
from tests.modules.accounts import ALICE, URL, Caller, challenge_in, fill, script_of, setting

SETTINGS = (
    'modparam("alias_db|auth_db|usrloc|uri_db", "use_domain", 1)\n'
    'modparam("auth_db", "calculate_ha1", yes)\n'
    + setting("auth_db", "password_column", "password")
    + setting("auth_db", "load_credentials", "")
    + setting("uri_db", "use_uri_table", 0)
    + setting("domain", "db_mode", 1)
    + "alias=example.com\n"
)

ROUTE = """
    if (!(method=="REGISTER") && from_uri==myself) {
        if (!proxy_authorize("", "subscriber")) { proxy_challenge("", "0"); exit; }
        if (!check_from()) { sl_send_reply("403","Forbidden auth ID"); exit; }
        consume_credentials();
    }
    if (!is_uri_host_local()) { xlog("outbound"); t_relay(); exit; }
    if (method=="REGISTER") {
        if (!www_authorize("", "subscriber")) { www_challenge("", "0"); exit; }
        if (!check_to()) { sl_send_reply("403","Forbidden auth ID"); exit; }
        sl_send_reply("200", "OK");
        exit;
    }
    alias_db_lookup("dbaliases");
    xlog("$ru");
    $du = "sip:192.0.2.9";
    t_relay();
"""


@pytest.fixture
def script() -> Iterator[Script]:
    modules = ("auth", "auth_db", "uri_db", "alias_db", "domain")
    with Script(script_of(ROUTE, *modules, settings=SETTINGS)) as script:
        fill(script, "subscriber", {"username": "alice", "domain": "example.com", "password": "secret"})
        fill(script, "domain", {"domain": "example.com"})
        fill(
            script,
            "dbaliases",
            {
                "alias_username": "sales",
                "alias_domain": "example.com",
                "username": "bob",
                "domain": "example.com",
            },
        )
        script.mi("domain_reload")
        yield script


def test_a_register(script: Script) -> None:
    alice = Caller(script)
    alice.be_asked()
    assert alice.answer().status == 200
    alice.be_asked()
    assert alice.send(Authorization=alice.credentials(), To="<sip:bob@example.com>").status == 403


def test_a_call(script: Script) -> None:
    alice = Caller(script)
    uri = "sip:sales@example.com"
    alice.be_asked("INVITE", uri)
    call = alice.send("INVITE", uri, To=f"<{uri}>", Proxy_Authorization=alice.credentials("INVITE", uri))
    (relayed,) = call.relayed
    assert relayed.uri == "sip:bob@example.com"
    assert relayed.all("Proxy-Authorization") == []
    assert script.printed == ["sip:bob@example.com"]


def test_a_call_by_another_name(script: Script) -> None:
    alice = Caller(script)
    uri = "sip:sales@example.com"
    alice.be_asked("INVITE", uri)
    fields = {"From": "<sip:bob@example.com>;tag=1", "To": ALICE}
    assert (
        alice.send("INVITE", uri, Proxy_Authorization=alice.credentials("INVITE", uri), **fields).status
        == 403
    )


def test_a_call_from_elsewhere_and_one_to_there(script: Script) -> None:
    script.send("INVITE", "sip:sales@example.com", From="<sip:carol@elsewhere.example>;tag=1")
    script.send("INVITE", "sip:carol@elsewhere.example", From="<sip:dave@third.example>;tag=1")
    assert script.printed == ["sip:bob@example.com", "outbound"]


KEPT = """
    if (!www_authorize("", "subscriber")) { www_challenge("", "0"); exit; }
    if (method=="PUBLISH") handle_publish(); else save("location");
"""


@pytest.mark.parametrize("method", ["REGISTER", "PUBLISH"])
def test_on_a_quiet_server_what_is_kept_after_a_password_was_looked_up_is_answered_at_once(
    method: str,
) -> None:
    modules = ("auth", "auth_db", "usrloc", "registrar", "presence", "presence_xml")
    settings = (
        setting("auth_db", "calculate_ha1", 1)
        + setting("auth_db", "password_column", "password")
        + setting("usrloc", "db_mode", 1)
        + setting("usrloc|presence|presence_xml", "db_url", URL)
        + setting("presence_xml", "force_active", 1)
    )
    with Script(script_of(KEPT, *modules, settings=settings)) as script:
        fill(script, "subscriber", {"username": "alice", "domain": "example.com", "password": "secret"})
        alice = Caller(script)
        alice.challenge = challenge_in(alice.send(method))
        assert alice.send(method, Authorization=alice.credentials(method)).status == 200
