"""The check of digests, and the tricks that it is to see through; the codes are those of the script functions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from openpy.modules.auth.api import (
    AUTHORIZED,
    ERROR,
    NO_CREDENTIALS,
    STALE_NONCE,
    USER_UNKNOWN,
    AuthApi,
)
from openpy.sip.digest import Challenge, authorize, digest_ha1, parse_challenge, parse_credentials
from openpy.testing.script import Script
from tests.modules.accounts import ALICE, DOMAIN, Caller, challenge_in, script_of, setting

ROUTE = """
    $avp(s:user) = "alice"; $avp(s:password) = "secret";
    $var(c) = pv_www_authorize("");
    xlog("code $var(c) $Au");
    if ($var(c) < 0) { www_challenge("", "QOP"); exit; }
    sl_send_reply("200", "OK");
"""
SPECS = (
    setting("auth", "username_spec", "$avp(s:user)")
    + setting("auth", "password_spec", "$avp(s:password)")
    + setting("auth", "calculate_ha1", 1)
)


def loaded(qop: str = "1", settings: str = "") -> Script:
    return Script(script_of(ROUTE.replace("QOP", qop), "auth", settings=SPECS + settings))


@pytest.fixture
def script() -> Iterator[Script]:
    with loaded() as script:
        yield script


@pytest.fixture
def alice(script: Script) -> Caller:
    return Caller(script)


def code(caller: Caller, **fields: Any) -> int:
    """The code for a REGISTER; 0 where the function ended the script."""
    before = len(caller.script.printed)
    caller.send(**fields)
    return _code(caller.script, before)


def _code(script: Script, before: int) -> int:
    lines = script.printed[before:]
    return int(lines[0].split()[1]) if lines else 0


def answered(caller: Caller, **changes: Any) -> int:
    return code(caller, Authorization=caller.credentials(**changes))


# --- codes ----------------------------------------------------------------------------------------------------------


def test_the_right_password(alice: Caller) -> None:
    assert alice.be_asked() == Challenge("example.com", alice.challenge.nonce, qop=("auth",))
    assert answered(alice) == AUTHORIZED
    assert alice.script.printed[-1] == "code 1 alice@example.com"


def test_a_wrong_password(alice: Caller) -> None:
    alice.be_asked()
    assert answered(alice, password="Secret") == ERROR
    assert answered(alice) == AUTHORIZED  # the count was not used up


def test_another_user(alice: Caller) -> None:
    alice.be_asked()
    for name in ("bob", "Alice", "alice ", "alice\0"):
        assert answered(alice, username=name) == USER_UNKNOWN


def test_no_credentials(alice: Caller) -> None:
    assert code(alice) == NO_CREDENTIALS
    alice.be_asked()
    alice.challenge = alice.challenge._replace(realm="elsewhere.example")
    assert answered(alice) == NO_CREDENTIALS
    assert code(alice, Authorization="Basic YWxpY2U6c2VjcmV0") == NO_CREDENTIALS


def test_who_has_no_nonce_yet_is_asked(alice: Caller) -> None:
    first = 'Digest username="alice", realm="example.com", nonce="", uri="sip:example.com", response=""'
    assert code(alice, Authorization=first) == STALE_NONCE
    assert alice.send(Authorization=first).status == 401


def test_a_malformed_header_is_answered_400(alice: Caller) -> None:
    assert code(alice, Authorization='Digest username="alice') == 0
    assert alice.send(Authorization='Digest username="alice').status == 400
    assert (
        any("are refused: Malformed" in line.text for line in alice.script.log) is False
    )  # INFO is not shown
    assert alice.send(From="<tel:+1>;tag=1", To="<tel:+1>").status == 400


@pytest.mark.parametrize("method", ["ACK", "CANCEL"])
def test_nobody_can_ask_these(alice: Caller, method: str) -> None:
    before = len(alice.script.printed)
    alice.send(method)
    assert _code(alice.script, before) == AUTHORIZED


# --- nonces ---------------------------------------------------------------------------------------------------------


def test_the_nonce_of_another_server(alice: Caller) -> None:
    with loaded(settings=setting("auth", "secret", "another")) as other:
        alice.challenge = Caller(other).be_asked()
    reply = alice.answer()
    assert alice.script.printed == [f"code {STALE_NONCE} alice@example.com"]
    assert not challenge_in(reply).stale  # as in 1.3: it may not even have been right


def test_the_nonce_of_a_server_that_shares_the_secret() -> None:
    shared = setting("auth", "secret", "shared by both")
    with loaded(settings=shared) as one, loaded(settings=shared) as two:
        alice = Caller(two)
        alice.challenge = Caller(one).be_asked()
        assert answered(alice) == AUTHORIZED


def test_a_made_up_nonce(alice: Caller) -> None:
    alice.be_asked()
    for nonce in ("x", "0" * 57, "f" * 40, alice.challenge.nonce[::-1], "ÿ" * 57):
        alice.challenge = alice.challenge._replace(nonce=nonce)
        assert answered(alice) == STALE_NONCE


def test_a_clock_that_is_set_back_keeps_nobody_out(alice: Caller) -> None:
    alice.script._world.wall_offset -= 3600
    alice.be_asked()
    assert answered(alice) == AUTHORIZED
    assert answered(alice) == STALE_NONCE


def test_an_old_nonce_is_stale_and_the_next_challenge_says_so(alice: Caller) -> None:
    alice.be_asked()
    alice.script.run_for(301)
    reply = alice.answer()
    assert alice.script.printed[-1].startswith("code -3 ")
    assert challenge_in(reply).stale
    assert answered(alice, password="wrong") == ERROR  # only who knows the password is told


def test_nonce_expire() -> None:
    with loaded(settings=setting("auth", "nonce_expire", 10)) as script:
        alice = Caller(script)
        alice.be_asked()
        script.run_for(9)
        assert answered(alice) == AUTHORIZED
        script.run_for(3)
        assert answered(alice, nc=2) == STALE_NONCE


# --- replay ---------------------------------------------------------------------------------------------------------


def test_the_same_credentials_again_are_a_replay(alice: Caller) -> None:
    alice.be_asked()
    value = alice.credentials()
    assert code(alice, Authorization=value) == AUTHORIZED
    reply = alice.send(Authorization=value, Contact="<sip:eve@203.0.113.9>")
    assert alice.script.printed[-1].startswith("code -3 ")
    assert challenge_in(reply).stale
    assert alice.script.statistic("auth:replays") == 1


def test_a_reused_count_is_refused_whatever_it_is_for(alice: Caller) -> None:
    alice.be_asked()
    assert answered(alice) == AUTHORIZED
    assert answered(alice, cnonce="another") == STALE_NONCE
    assert answered(alice, nc=2) == AUTHORIZED
    assert answered(alice, nc=1) == STALE_NONCE


def test_counts_may_come_out_of_order(alice: Caller) -> None:
    alice.be_asked()
    assert [answered(alice, nc=count) for count in (3, 1, 2, 70, 6)] == [1, 1, 1, 1, -3]


def test_a_retransmission_is_let_in(alice: Caller) -> None:
    alice.be_asked()
    exchange = alice.send(Authorization=alice.credentials())
    before = len(alice.script.printed)
    alice.script.send(exchange.message.raw)
    assert _code(alice.script, before) == AUTHORIZED
    alice.script.send(exchange.message.raw, source="udp:203.0.113.9:5060")  # but not from anywhere else
    assert alice.script.printed[-1].startswith("code -3 ")


def test_without_qop_a_nonce_is_good_for_one_request() -> None:
    with loaded(qop="0") as script:
        alice = Caller(script)
        assert alice.be_asked().qop == ()
        assert answered(alice) == AUTHORIZED
        assert answered(alice) == STALE_NONCE
        alice.be_asked()
        assert answered(alice) == AUTHORIZED


def test_who_was_offered_qop_may_leave_it_out_once(alice: Caller) -> None:
    alice.be_asked()
    assert answered(alice) == AUTHORIZED
    alice.challenge = alice.challenge._replace(qop=())
    assert answered(alice) == AUTHORIZED
    assert answered(alice) == STALE_NONCE


def test_as_in_1_3_with_nonce_count_0() -> None:
    with loaded(settings=setting("auth", "nonce_count", 0)) as script:
        alice = Caller(script)
        alice.be_asked()
        assert [answered(alice) for _ in range(3)] == [AUTHORIZED] * 3


def test_max_nonces_are_kept() -> None:
    with loaded(settings=setting("auth", "max_nonces", 2)) as script:
        callers = [Caller(script) for _ in range(4)]
        for caller in callers:
            caller.be_asked()
            script.run_for(2)
        assert [answered(caller) for caller in callers] == [AUTHORIZED] * 4
        assert answered(callers[0], nc=2) == STALE_NONCE  # it was forgotten, so it is not taken anew
        assert answered(callers[3], nc=2) == AUTHORIZED


# --- what the digest is about ---------------------------------------------------------------------------------------


def test_the_digest_of_another_method(alice: Caller) -> None:
    alice.be_asked()
    assert code(alice, Authorization=alice.credentials("INVITE")) == ERROR


def test_a_foreign_uri_is_refused(alice: Caller) -> None:
    alice.be_asked()
    value = alice.credentials(uri="sip:eve@elsewhere.example")
    assert alice.send(Authorization=value).status == 400
    with loaded(settings=setting("auth", "uri_check", 0)) as script:  # as in 1.3
        caller = Caller(script)
        caller.be_asked()
        assert answered(caller, uri="sip:eve@elsewhere.example") == AUTHORIZED


def test_a_uri_that_was_not_what_the_digest_was_made_of(alice: Caller) -> None:
    alice.be_asked()
    value = alice.credentials(uri="sip:bob@example.com").replace("sip:bob@example.com", DOMAIN)
    assert code(alice, Authorization=value) == ERROR


def test_auth_int_protects_the_body() -> None:
    with loaded(qop="auth-int") as script:
        alice = Caller(script)
        alice.be_asked()
        value = alice.credentials(body=b"hello")
        fields: dict[str, Any] = {"Content_Type": "text/plain", "Authorization": value}
        assert (
            alice.script.send("REGISTER", DOMAIN, body="hellO", From=ALICE, To=ALICE, **fields).status == 401
        )
        assert (
            alice.script.send("REGISTER", DOMAIN, body="hello", From=ALICE, To=ALICE, **fields).status == 200
        )
        assert alice.script.printed[1].startswith("code -5 ")


def test_auth_int_cannot_be_lowered_to_auth() -> None:
    with loaded(qop="auth-int") as script:
        alice = Caller(script)
        challenge = alice.be_asked()
        for qop in (("auth",), ()):
            alice.challenge = challenge._replace(qop=qop)
            assert answered(alice) == ERROR


# --- algorithms -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256", "SHA-512-256"])
@pytest.mark.parametrize("session", ["", "-sess"])
def test_rfc_8760_any_of_several_algorithms(algorithm: str, session: str) -> None:
    with loaded(settings=setting("auth", "algorithms", "SHA-512-256,SHA-256,MD5")) as script:
        alice = Caller(script)
        exchange = alice.send()
        offered = {one.algorithm: one for one in map(parse_challenge, exchange.all("WWW-Authenticate"))}
        assert list(offered) == ["SHA-512-256", "SHA-256", "MD5"]
        alice.challenge = offered[algorithm]._replace(algorithm=algorithm + session)
        assert answered(alice) == AUTHORIZED


def test_an_algorithm_that_was_not_offered_is_refused_with_the_right_password() -> None:
    with loaded(settings=setting("auth", "algorithms", "SHA-256")) as script:
        alice = Caller(script)
        challenge = alice.be_asked()
        for name in ("MD5", "MD5-sess", "SHA-512-256"):
            alice.challenge = challenge._replace(algorithm=name)
            assert answered(alice) == ERROR
        alice.challenge = challenge
        assert (
            code(alice, Authorization=alice.credentials().replace("algorithm=SHA-256", "algorithm=SHA-1"))
            == ERROR
        )
        without = alice.credentials().replace(", algorithm=SHA-256", "")
        assert code(alice, Authorization=without) == ERROR


def test_an_offer_cannot_be_changed_in_the_nonce() -> None:
    with loaded(settings=setting("auth", "algorithms", "SHA-256")) as script:
        alice = Caller(script)
        nonce = alice.be_asked().nonce
        forged = nonce[:24] + "1" + nonce[25:]
        alice.challenge = alice.challenge._replace(nonce=forged, algorithm="MD5")
        assert answered(alice) == STALE_NONCE


# --- several headers ------------------------------------------------------------------------------------------------


def test_credentials_for_others_are_passed_over(alice: Caller) -> None:
    alice.be_asked()
    theirs = Challenge("elsewhere.example", "n", qop=("auth",))
    same_realm = Challenge("example.com", "theirs", qop=("auth",))
    others = [
        authorize(one, method="REGISTER", uri=DOMAIN, username="x", password="y", cnonce="c")
        for one in (theirs, same_realm)
    ]
    assert code(alice, Authorization=[*others, alice.credentials()]) == AUTHORIZED


# --- the object itself ----------------------------------------------------------------------------------------------


def test_ha1_of_a_password(script: Script) -> None:
    api = script.server.modules["auth"].bind()
    assert isinstance(api, AuthApi)
    alice = Caller(script)
    alice.be_asked()
    credentials = parse_credentials(alice.credentials())
    assert api.calc_ha1(credentials, "secret") == digest_ha1("alice", "example.com", "secret")
