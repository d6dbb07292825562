"""The tests of openser-full.cfg, which is openser.cfg with all of its blocks on."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from openpy.sip.digest import authorize, parse_challenge
from openpy.testing.exchange import Exchange
from openpy.testing.script import Script

ALICE, BOB = "sip:alice@example.com", "sip:bob@example.com"
PHONE = "sip:bob@192.0.2.9:5070"
MAILBOX = "sip:vm-bob@voicemail.example.com:5060"
HOSTS = {
    "voicemail.example.com": "192.0.2.50",
    "partner.example.com": "192.0.2.60",
    "elsewhere.example": "192.0.2.70",
}

pytestmark = pytest.mark.script("openser-full.cfg", hosts=HOSTS)


class User:
    """Somebody with a phone and a password; `send` answers the challenge."""

    def __init__(self, script: Script, name: str, domain: str, password: str = "secret") -> None:
        self.script = script
        self.name = name
        self.uri = f"sip:{name}@{domain}"
        self.password = password

    def send(self, method: str, uri: str, **fields: str) -> Exchange:
        given = {"From": f"<{self.uri}>;tag={self.name}", **fields}
        asked = self.script.send(method, uri, given)
        if asked.status not in (401, 407):
            return asked
        kind = "WWW" if asked.status == 401 else "Proxy"
        challenge = parse_challenge(asked.get(f"{kind}-Authenticate") or "")
        name = "Authorization" if kind == "WWW" else "Proxy-Authorization"
        given[name] = authorize(
            challenge, method=method, uri=uri, username=self.name, password=self.password, cnonce="", nc=1
        )
        return self.script.send(method, uri, given)

    def register(self, contact: str = PHONE) -> Exchange:
        registrar = f"sip:{self.uri.partition('@')[2]}"
        return self.send("REGISTER", registrar, To=f"<{self.uri}>", Contact=f"<{contact}>")

    def call(self, uri: str = BOB) -> Exchange:
        return self.send("INVITE", uri)


@pytest.fixture(autouse=True)
def accounts(script: Script) -> None:
    """Alice, Bob, and another Bob in another domain."""
    for user, domain in (("alice", "example.com"), ("bob", "example.com"), ("bob", "example.net")):
        script.sql(
            "INSERT INTO subscriber (username, domain, password) VALUES (?, ?, 'secret')", user, domain
        )
    script.sql("INSERT INTO domain (domain) VALUES ('example.net')")
    script.mi("domain_reload")


@pytest.fixture
def alice(script: Script) -> User:
    return User(script, "alice", "example.com")


@pytest.fixture
def bob(script: Script) -> User:
    """Bob, whose phone has registered."""
    bob = User(script, "bob", "example.com")
    assert bob.register().status == 200
    return bob


# --- passwords ----------------------------------------------------------------------------------------------------


def test_who_registers_is_asked_for_a_password(script: Script, alice: User) -> None:
    assert script.send("REGISTER", "sip:example.com", To=f"<{ALICE}>").status == 401
    assert alice.register("sip:alice@192.0.2.1").status == 200


def test_a_wrong_password_is_asked_for_again(script: Script) -> None:
    assert User(script, "alice", "example.com", "guessed").register().status == 401
    assert script.rows("location") == []


def test_nobody_registers_for_another(alice: User) -> None:
    reply = alice.send("REGISTER", "sip:example.com", To=f"<{BOB}>")
    assert (reply.status, reply.reason) == (403, "Forbidden auth ID")


def test_who_calls_is_asked_too_and_the_callee_does_not_see_the_answer(
    script: Script, alice: User, bob: User
) -> None:
    assert script.send("INVITE", BOB).status == 407
    call = alice.call()
    (invite,) = call.relayed
    assert invite.get("Proxy-Authorization") is None
    invite.answer(200, Contact=f"<{PHONE}>")
    assert call.status == 200


def test_nobody_calls_in_the_name_of_another(alice: User) -> None:
    assert alice.send("INVITE", BOB, From=f"<{BOB}>;tag=alice").status == 403


@pytest.mark.parametrize(("method", "status"), [("PUBLISH", 200), ("SUBSCRIBE", 200), ("MESSAGE", 404)])
def test_whatever_our_users_send_is_asked_about(
    script: Script, alice: User, method: str, status: int
) -> None:
    assert script.send(method, ALICE).status == 407
    assert alice.send(method, ALICE).status == status


def test_strangers_have_no_password_here(script: Script, bob: User) -> None:
    assert len(script.send("INVITE", BOB, From="<sip:dave@elsewhere.example>;tag=dave").relayed) == 1


def test_strangers_publish_nothing(script: Script) -> None:
    sent = script.send(
        "PUBLISH", ALICE, {"From": "<sip:eve@elsewhere.example>;tag=e"}, Event="presence", Expires="60"
    )
    assert (sent.status, script.rows("presentity")) == (403, [])


def test_a_register_for_elsewhere_needs_a_password_here(script: Script, alice: User) -> None:
    away = "sip:elsewhere.example"
    assert script.send("REGISTER", away, {"From": f"<{ALICE}>;tag=a"}).status == 407
    assert script.requests("REGISTER") == []
    assert [item.target for item in alice.send("REGISTER", away).relayed] == ["udp:192.0.2.70:5060"]


# --- names --------------------------------------------------------------------------------------------------------


def test_an_alias_stands_for_a_user(script: Script, alice: User, bob: User) -> None:
    script.sql(
        "INSERT INTO dbaliases (alias_username, alias_domain, username, domain) "
        "VALUES ('sales', 'example.com', 'bob', 'example.com')"
    )
    assert [item.uri for item in alice.call("sip:sales@example.com").relayed] == [PHONE]


def test_an_alias_may_stand_for_somebody_elsewhere(script: Script, alice: User) -> None:
    script.sql(
        "INSERT INTO dbaliases (alias_username, alias_domain, username, domain) "
        "VALUES ('agency', 'example.com', 'dave', 'elsewhere.example')"
    )
    (invite,) = alice.call("sip:agency@example.com").relayed
    assert (invite.uri, invite.target) == ("sip:dave@elsewhere.example", "udp:192.0.2.70:5060")


def test_two_digits_are_whom_the_caller_likes(script: Script, alice: User, bob: User) -> None:
    script.sql(
        "INSERT INTO speed_dial (username, domain, sd_username, sd_domain, new_uri) "
        "VALUES ('alice', 'example.com', '12', 'example.com', ?)",
        BOB,
    )
    assert [item.uri for item in alice.call("sip:12@example.com").relayed] == [PHONE]
    assert bob.call("sip:12@example.com").status == 404


# --- domains ------------------------------------------------------------------------------------------------------


def test_a_user_of_a_further_domain_is_another(script: Script, alice: User, bob: User) -> None:
    other = User(script, "bob", "example.net")
    assert other.register("sip:bob@192.0.2.20").status == 200
    assert [item.target for item in alice.call("sip:bob@example.net").relayed] == ["udp:192.0.2.20:5060"]
    assert [item.target for item in alice.call().relayed] == ["udp:192.0.2.9:5070"]


def test_a_domain_of_nobody_here_is_elsewhere(script: Script, alice: User) -> None:
    (invite,) = alice.call("sip:dave@elsewhere.example").relayed
    assert invite.get("P-hint") == "outbound"
    stranger = "<sip:dave@elsewhere.example>;tag=dave"
    assert script.send("INVITE", "sip:erin@third.example", From=stranger).status == 403


# --- accounts -----------------------------------------------------------------------------------------------------


def test_a_call_has_rows(script: Script, alice: User, bob: User) -> None:
    call = alice.call()
    call.relayed[0].answer(200, Contact=f"<{PHONE}>")
    script.send("ACK", within=call)
    script.send("BYE", within=call).relayed[0].answer(200)
    rows = [(row["method"], row["sip_code"], row["callid"]) for row in script.rows("acc")]
    call_id = call.message.get("Call-ID")
    assert rows == [("INVITE", "200", call_id), ("ACK", "200", call_id), ("BYE", "200", call_id)]
    assert script.rows("missed_calls") == []


def test_a_missed_call_has_one(script: Script, alice: User, bob: User) -> None:
    alice.call().relayed[0].answer(480)
    (row,) = script.rows("missed_calls")
    assert (row["method"], row["sip_code"], row["sip_reason"]) == ("INVITE", "480", "Temporarily Unavailable")
    assert script.rows("acc") == []


# --- when a phone refuses -----------------------------------------------------------------------------------------


def busy(script: Script, call: Exchange) -> None:
    call.relayed[0].answer(486)


def silent(script: Script, call: Exchange) -> None:
    call.relayed[0].answer(180)
    script.run_for(125)


@pytest.mark.parametrize("unreached", [busy, silent])
def test_whom_nobody_reaches_has_a_mailbox(
    script: Script, alice: User, bob: User, unreached: Callable[[Script, Exchange], None]
) -> None:
    call = alice.call()
    unreached(script, call)
    mailbox = call.relayed[-1]
    assert (mailbox.uri, mailbox.target) == (MAILBOX, "udp:192.0.2.50:5060")
    mailbox.answer(200, Contact=f"<{MAILBOX}>")
    assert call.status == 200


def test_who_gives_up_does_not_get_to_the_mailbox(script: Script, alice: User, bob: User) -> None:
    call = alice.call()
    call.relayed[0].answer(180)
    script.send(
        "CANCEL",
        BOB,
        Via=call.message.get("Via"),
        Call_ID=call.message.get("Call-ID"),
        From=call.message.get("From"),
    )
    call.relayed[0].answer(487)
    assert (call.status, len(call.relayed)) == (487, 1)


def test_a_phone_cannot_send_callers_elsewhere(alice: User, bob: User) -> None:
    call = alice.call()
    call.relayed[0].answer(302, Contact="<sip:bob@192.0.2.77>")
    assert (call.status, call.reason, len(call.relayed)) == (404, "Not found", 1)
