from __future__ import annotations

from typing import Any

import pytest

from openpy.modules.auth.module import Auth
from openpy.script.diagnostics import ScriptError
from openpy.sip.digest import digest_ha1
from openpy.testing.script import Script
from tests.modules.accounts import Caller, challenge_in, script_of, setting

SPECS = setting("auth", "username_spec", "$avp(s:user)") + setting(
    "auth", "password_spec", "$avp(s:password)"
)


def loaded(route: str, settings: str = "", *modules: str) -> Script:
    return Script(script_of(route, "auth", *modules, settings=settings))


def test_the_parameters() -> None:
    declared = {name: (item.type, item.default) for name, item in Auth.parameters().items()}
    assert declared == {
        "secret": (str, ""),
        "nonce_expire": (int, 300),
        "rpid_prefix": (str, ""),
        "rpid_suffix": (str, ";party=calling;id-type=subscriber;screen=yes"),
        "realm_prefix": (str, ""),
        "rpid_avp": (str, "$avp(s:rpid)"),
        "username_spec": (str, ""),
        "password_spec": (str, ""),
        "calculate_ha1": (int, 0),
        "algorithms": (str, "MD5"),
        "nonce_count": (int, 1),
        "max_nonces": (int, 100_000),
        "uri_check": (int, 1),
    }
    assert Auth.needs == ("sl",)
    assert Auth.function_names() == {
        *(
            "www_challenge",
            "proxy_challenge",
            "pv_www_authorize",
            "pv_proxy_authorize",
            "consume_credentials",
        ),
        *("is_rpid_user_e164", "append_rpid_hf"),
    }


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("nonce_expire", 0, "1 or more"),
        ("max_nonces", -1, "1 or more"),
        ("calculate_ha1", 2, "0 or 1"),
        ("nonce_count", 2, "0 or 1"),
        ("uri_check", -1, "0 or 1"),
        ("rpid_avp", "$avp(i:x)", "bad avp name"),
        ("rpid_avp", "$fu", "is no AVP"),
        ("username_spec", "alice", "is no pseudo-variable"),
        ("password_spec", "$nonsense", "error searching pvar"),
        ("algorithms", "MD4", "are no algorithms"),
        ("secret", 5, "takes a quoted string"),
    ],
)
def test_wrong_parameters_stop_the_start(name: str, value: Any, text: str) -> None:
    with pytest.raises(ScriptError, match=text):
        loaded("exit;", setting("auth", name, value))


def test_what_it_needs_and_wrong_arguments() -> None:
    with pytest.raises(ScriptError, match="auth needs sl"):
        Script('loadmodule "auth.so"\nroute { exit; }')
    for call in ('www_challenge("", "x")', 'proxy_challenge("", "-2")', 'www_challenge("$nope", "1")'):
        with pytest.raises(ScriptError, match=r"is no qop|searching pvar"):
            loaded(f"{call};")


@pytest.mark.parametrize("name", ["username_spec", "password_spec"])
def test_pv_authorize_needs_both_specs(name: str) -> None:
    settings = "".join(line + "\n" for line in SPECS.splitlines() if name not in line)
    with pytest.raises(ScriptError, match=f"auth has no {name}"):
        loaded('pv_www_authorize("");', settings)
    loaded('www_challenge("", "0");', settings).close()


@pytest.mark.parametrize(
    "call",
    ['www_challenge("", "0")', 'proxy_challenge("", "0")', "consume_credentials()", "is_rpid_user_e164()"],
)
def test_what_only_the_main_route_can_call(call: str) -> None:
    with pytest.raises(ScriptError, match="cannot be used"):
        loaded(f"exit; }}\nfailure_route[1] {{ {call};")


# --- challenges -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "method", "status", "header", "realm"),
    [
        ('www_challenge("", "0")', "REGISTER", 401, "WWW-Authenticate", "to.example"),
        ('www_challenge("", "0")', "INVITE", 401, "WWW-Authenticate", "from.example"),
        ('proxy_challenge("", "0")', "REGISTER", 407, "Proxy-Authenticate", "from.example"),
        ('proxy_challenge("gateway", "0")', "INVITE", 407, "Proxy-Authenticate", "gateway"),
        ('www_challenge("$rd", "0")', "INVITE", 401, "WWW-Authenticate", "uri.example"),
    ],
)
def test_a_challenge_ends_the_script(call: str, method: str, status: int, header: str, realm: str) -> None:
    with loaded(f'{call}; xlog("not reached");') as script:
        reply = script.send(
            method, "sip:uri.example", From="<sip:a@from.example>;tag=1", To="<sip:a@to.example>"
        )
        assert (reply.status, script.printed) == (status, [])
        assert reply.reason == {401: "Unauthorized", 407: "Proxy Authentication Required"}[status]
        challenge = challenge_in(reply, header)
        assert (challenge.realm, challenge.qop, challenge.stale) == (realm, (), False)
        assert "algorithm" not in (reply.get(header) or "")
        assert script.statistic("sl:4xx_replies") == 1


def test_an_ack_is_not_challenged() -> None:
    with loaded('$var(c) = www_challenge("", "1"); xlog("code $var(c)");') as script:
        assert not script.send("ACK", "sip:b@example.com").replies
        assert script.printed == ["code -1"]


def test_the_realm_prefix() -> None:
    with loaded('www_challenge("", "1");', setting("auth", "realm_prefix", "sip.")) as script:
        reply = script.send("REGISTER", "sip:x", To="<sip:a@SIP.example.com>")
        assert challenge_in(reply).realm == "example.com"


def test_a_realm_that_would_break_the_header() -> None:
    with loaded('www_challenge("$hdr(X-Realm)", "1");') as script:
        reply = script.send("REGISTER", "sip:x", headers={"X-Realm": 'a", nonce="mine'})
        assert challenge_in(reply).realm == 'a", nonce="mine'
        assert script.send("REGISTER", "sip:x", headers={"X-Realm": "a\x01b"}).status == 400


# --- pv_*_authorize -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("calculate", [0, 1])
@pytest.mark.parametrize(
    ("function", "challenge", "header"),
    [
        ("pv_www_authorize", "www_challenge", "Authorization"),
        ("pv_proxy_authorize", "proxy_challenge", "Proxy_Authorization"),
    ],
)
def test_passwords_from_variables(calculate: int, function: str, challenge: str, header: str) -> None:
    password = "secret" if calculate else digest_ha1("alice", "r", "secret")
    route = f"""
        $avp(s:user) = "alice"; $avp(s:password) = "{password}";
        if ({function}("r")) {{ sl_send_reply("200", "OK"); exit; }}
        {challenge}("r", "1");
    """
    with loaded(route, SPECS + setting("auth", "calculate_ha1", calculate)) as script:
        alice = Caller(script)
        alice.be_asked()
        assert alice.send(**{header: alice.credentials(password="wrong")}).status in (401, 407)
        assert alice.send(**{header: alice.credentials()}).status == 200


def test_without_a_user_nobody_is_known() -> None:
    with loaded(
        '$var(c) = pv_www_authorize("r"); xlog("$var(c)"); www_challenge("r", "1");', SPECS
    ) as script:
        alice = Caller(script)
        alice.be_asked()
        alice.answer()
        assert script.printed == ["-4", "-1"]


# --- consume_credentials ----------------------------------------------------------------------------------------------


def test_only_what_was_right_is_consumed() -> None:
    route = """
        $avp(s:user) = "alice"; $avp(s:password) = "secret";
        $var(c) = consume_credentials(); xlog("$var(c)");
        if (!pv_proxy_authorize("r")) { proxy_challenge("r", "1"); exit; }
        $var(c) = consume_credentials(); xlog("$var(c)");
        $var(c) = consume_credentials(); xlog("$var(c)");
        t_relay();
    """
    with loaded(route, SPECS + setting("auth", "calculate_ha1", 1)) as script:
        alice = Caller(script)
        uri = "sip:bob@192.0.2.9"
        alice.be_asked("INVITE", uri)
        theirs = 'Digest username="alice", realm="next", nonce="n", uri="sip:x", response="r"'
        ours = alice.credentials("INVITE", uri)
        call = alice.send("INVITE", uri, Proxy_Authorization=[theirs, ours, theirs], Authorization=theirs)
        assert script.printed == ["-1", "-1", "1", "-1"]
        (relayed,) = call.relayed
        assert relayed.all("Proxy-Authorization") == [theirs, theirs]
        assert relayed.get("Authorization") == theirs


# --- Remote-Party-ID --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "code"), [("sip:+1234@x", 1), ("sip:1234@x", -1), ("nonsense", -1), ("", -1)]
)
def test_is_rpid_user_e164(value: str, code: int) -> None:
    assign = f'$avp(s:rpid) = "{value}";' if value else ""
    with loaded(f'{assign} $var(c) = is_rpid_user_e164(); xlog("$var(c)");') as script:
        script.send("INVITE", "sip:b@x")
        assert script.printed == [str(code)]


@pytest.mark.parametrize(
    ("settings", "call", "header"),
    [
        ("", "append_rpid_hf()", "sip:+1@x;party=calling;id-type=subscriber;screen=yes"),
        (
            setting("auth", "rpid_prefix", "<") + setting("auth", "rpid_suffix", ">"),
            "append_rpid_hf()",
            "<sip:+1@x>",
        ),
        ("", 'append_rpid_hf("Bob <", ">;screen=no")', "Bob <sip:+1@x>;screen=no"),
    ],
)
def test_append_rpid_hf(settings: str, call: str, header: str) -> None:
    with loaded(f'$avp(s:rpid) = "sip:+1@x"; {call}; t_relay();', settings) as script:
        call_ = script.send("INVITE", "sip:b@192.0.2.9")
        assert call_.relayed[0].all("Remote-Party-ID") == [header]


def test_another_rpid_avp_and_none() -> None:
    route = '$avp(i:7) = "sip:+12@x"; $var(c) = append_rpid_hf(); xlog("$var(c)");'
    with loaded(route, setting("auth", "rpid_avp", "$avp(i:7)")) as script:
        script.send("INVITE", "sip:b@x")
        assert script.printed == ["1"]
    with loaded('$avp(s:rpid) = 5; $var(c) = append_rpid_hf(); xlog("$var(c)");') as script:
        script.send("INVITE", "sip:b@x")
        assert script.printed == ["-1"]
    with loaded('$avp(s:rpid) = $hdr(X); $var(c) = append_rpid_hf(); xlog("$var(c)");') as script:
        script.send("INVITE", "sip:b@x")
        assert script.printed[1:] == ["-1"]
