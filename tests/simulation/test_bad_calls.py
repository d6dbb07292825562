"""Who cheats at a proxy: the blocks of 1.3's stock script, with authentication on, in virtual time.

Whatever a test does: the server meets no error of its own, answers the next request, and keeps nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from openpy.testing.exchange import Exchange, Sent
from openpy.testing.script import Script
from tests.modules.accounts import Caller, fill, script_of, setting

US = "127.0.0.1:5060"
HOME = "sip:example.com"
ALICE = "sip:alice@example.com"
MALLORY = "udp:192.0.2.66:5060"

MODULES = ("rr", "maxfwd", "uri", "usrloc", "registrar", "auth", "auth_db", "uri_db")

SETTINGS = (
    "listen=udp:127.0.0.1:5060\nalias=example.com\n"
    + setting("auth_db", "calculate_ha1", 1)
    + setting("auth_db", "password_column", "password")
    + setting("uri_db", "use_uri_table", 0)
)

ROUTE = """
    if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
    if (has_totag()) {
        if (loose_route()) route(1);
        sl_send_reply("404", "Not here");
        exit;
    }
    if (is_method("CANCEL")) { if (t_check_trans()) t_relay(); exit; }
    t_check_trans();
    if (!is_method("REGISTER") && from_uri==myself) {
        if (!proxy_authorize("", "subscriber")) { proxy_challenge("", "QOP"); exit; }
        if (!check_from()) { sl_send_reply("403", "Forbidden auth ID"); exit; }
        consume_credentials();
    }
    if (!is_method("REGISTER|MESSAGE")) record_route();
    if (!uri==myself) { FOREIGN }
    if (is_method("REGISTER")) {
        if (!www_authorize("", "subscriber")) { www_challenge("", "QOP"); exit; }
        if (!check_to()) { sl_send_reply("403", "Forbidden auth ID"); exit; }
        if (!save("location")) sl_reply_error();
        exit;
    }
    if (!lookup("location")) { t_newtran(); t_reply("404", "Not Found"); exit; }
    route(1);
}
route[1] {
    if (!t_relay()) sl_reply_error();
    exit;
"""


@contextmanager
def serving(qop: str = "1", *, foreign: str = "route(1);", route: str = "") -> Iterator[Script]:
    """The script; at its end it is seen to be unharmed. `foreign` is done with requests for other domains."""
    text = (route or ROUTE).replace("QOP", qop).replace("FOREIGN", foreign)
    with Script(script_of(text, *MODULES, settings=SETTINGS), core={"debug": 1}) as script:
        fill(script, "subscriber", *({"username": name, "password": "secret"} for name in ("alice", "bob")))
        yield script
        script.run_for(200)
        assert script.server.transactions.servers_in_use == 0
        assert script.server.transactions.clients_in_use == 0
        assert script.send("OPTIONS", ALICE, Max_Forwards=0).status == 483
        assert [line.text for line in script.log if "Traceback" in line.text] == []


def registered(script: Script, contact: str = "<sip:alice@192.0.2.9>", **fields: Any) -> Caller:
    """Alice, whose phone is registered."""
    alice = Caller(script)
    alice.be_asked(uri=HOME)
    reply = alice.send(Authorization=alice.credentials(), Contact=contact, **fields)
    assert reply.status == 200
    return alice


def call(script: Script, uri: str = ALICE, **fields: Any) -> Exchange:
    """A call of somebody from elsewhere, whom nobody asks for a password."""
    return script.send("INVITE", uri, From="<sip:carol@elsewhere.example>;tag=c", **fields)


# --- digest -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("qop", ["0", "1"])
def test_credentials_that_were_overheard_are_worth_nothing(qop: str) -> None:
    with serving(qop) as script:
        alice = Caller(script)
        alice.be_asked()
        heard = alice.credentials()
        assert alice.send(Authorization=heard, Contact="<sip:alice@192.0.2.9>").status == 200
        again = alice.send(Authorization=heard, Contact="<sip:mallory@192.0.2.66>", source=MALLORY)
        assert (again.status, again.get("Contact")) == (401, None)
        assert "stale=true" in (again.get("WWW-Authenticate") or "")
        call_ = script.send("INVITE", HOME, From=f"<{ALICE}>;tag=1", Proxy_Authorization=heard)
        assert call_.status == 407
        assert script.statistic("auth:replays") == 1


def test_a_count_is_used_once() -> None:
    with serving() as script:
        alice = Caller(script)
        alice.be_asked()
        statuses = [alice.answer(nc=count).status for count in (1, 3, 3, 2, 1, 4)]
        assert statuses == [200, 200, 401, 200, 401, 200]
        assert len(script.server.modules["auth"].bind()._counts) == 1


def test_a_nonce_has_its_time() -> None:
    with serving() as script:
        alice = Caller(script)
        alice.be_asked()
        script.run_for(301)
        assert alice.answer().status == 401


@pytest.mark.parametrize(
    "uri", ["sip:elsewhere.example", "sip:bob@example.com", "*", "http://example.com", ""]
)
def test_a_digest_for_another_uri_is_refused(uri: str) -> None:
    with serving() as script:
        alice = Caller(script)
        alice.be_asked()
        reply = alice.send(Authorization=alice.credentials(uri=uri), Contact="<sip:alice@192.0.2.66>")
        assert (reply.status, reply.get("Contact")) == (400, None)


GOOD = 'username="alice", realm="example.com", nonce="NONCE", uri="sip:example.com", response="RESPONSE", algorithm=MD5'


@pytest.mark.parametrize(
    ("old", "new", "status"),
    [
        ('username="alice"', 'username="alice@elsewhere.example"', 400),
        ('username="alice"', 'username="alice", username="bob"', 400),
        ('username="alice"', 'username=""', 401),
        ('username="alice", ', "", 400),
        ('username="alice"', 'username="alice\\0"', 401),
        ('username="alice"', "username=\"' OR ''='\"", 401),
        ('username="alice"', f'username="{"a" * 20_000}"', 401),
        ('realm="example.com"', 'realm="elsewhere.example"', 401),
        ('realm="example.com"', 'realm="example.com', 400),
        ("NONCE", "", 401),
        ("NONCE", "0" * 57, 401),
        ("NONCE", "f" * 30_000, 401),
        ("algorithm=MD5", "algorithm=MD4", 401),
        ("algorithm=MD5", "qop=auth", 400),
        ("algorithm=MD5", 'qop=auth, cnonce="x", nc=00000000', 400),
        ("algorithm=MD5", 'qop=auth, cnonce="x", nc=zzzzzzzz', 400),
        ("algorithm=MD5", 'qop=auth, cnonce="x", nc=-0000001', 400),
        ("algorithm=MD5", 'qop=auth, cnonce="x", nc=' + "1" * 5000, 400),
        ("algorithm=MD5", 'qop=none, cnonce="x", nc=00000001', 401),
        ("algorithm=MD5", ", ".join(f"x{number}=y" for number in range(5000)), 400),
        ("RESPONSE", "", 401),
        ("RESPONSE", "é" * 32, 401),
        ("RESPONSE", "g" * 32, 401),
        (GOOD, "", 400),
        (GOOD, "=", 400),
        (GOOD, '"' * 999, 400),
        (GOOD, "," * 9999, 400),
    ],
)
def test_malformed_credentials_let_nobody_in(old: str, new: str, status: int) -> None:
    with serving() as script:
        alice = Caller(script)
        alice.be_asked()
        text = GOOD.replace(old, new).replace("NONCE", alice.challenge.nonce).replace("RESPONSE", "0" * 32)
        reply = alice.send(Authorization=f"Digest {text}", Contact="<sip:alice@192.0.2.66>")
        assert (reply.status, reply.get("Contact")) == (status, None)


def test_one_account_registers_nobody_else() -> None:
    with serving() as script:
        bob = Caller(script, user="bob")
        bob.be_asked()
        reply = bob.send(Authorization=bob.credentials(), To=f"<{ALICE}>", Contact="<sip:bob@192.0.2.66>")
        assert reply.status == 403
        assert call(script).status == 404


# --- Route --------------------------------------------------------------------------------------------------------

LR = f"<sip:{US};lr>"


def from_mallory(script: Script, *routes: str, tag: str = "", **fields: Any) -> Exchange:
    to = f"<sip:victim@192.0.2.77>{tag and f';tag={tag}'}"
    return call(script, "sip:victim@192.0.2.77", To=to, Route=list(routes), source=MALLORY, **fields)


def test_a_foreign_route_is_not_followed_before_a_dialog() -> None:
    with serving(foreign='sl_send_reply("403", "No relaying"); exit;') as script:
        assert from_mallory(script, "<sip:192.0.2.78;lr>").status == 403
        assert from_mallory(script, LR, "<sip:192.0.2.78;lr>").status == 403
        registered(script)
        exchange = call(script, Route="<sip:192.0.2.78;lr>", source=MALLORY)
        assert [sent.target for sent in exchange.relayed] == ["udp:192.0.2.9:5060"]


def test_a_script_follows_only_routes_that_begin_here() -> None:
    """Who makes a To tag up is taken for a dialog by 1.3's script; our own Route shows who came this way before."""
    route = ROUTE.replace("if (loose_route())", 'if (loose_route() && check_route_param("lr"))')
    with serving(route=route) as script:
        assert from_mallory(script, "<sip:192.0.2.78;lr>", tag="made-up").status == 404
        within = from_mallory(script, LR, "<sip:192.0.2.78;lr>", tag="made-up")
        assert [sent.target for sent in within.relayed] == ["udp:192.0.2.78:5060"]


def hops(script: Script) -> int:
    """How often the server sent an INVITE to itself."""
    return len([sent for sent in script.requests("INVITE") if sent.target == f"udp:{US}"])


@pytest.mark.parametrize("routes", [[LR] * 60, [", ".join([LR] * 60)], [f"<sip:{US};lr;r2=on>"] * 60])
def test_routes_that_lead_back_here_end(routes: list[str]) -> None:
    with serving() as script:
        exchange = from_mallory(script, *routes, tag="made-up", Max_Forwards=70)
        script.run_for(5)
        assert hops(script) <= len(routes) * 60
        assert hops(script) == len({sent.data for sent in exchange.relayed}) - 1
        assert script.sent[-1].target == "udp:192.0.2.77:5060", "the end of the way"
        script.run_for(30)
        assert exchange.status == 408


def test_a_strict_router_that_names_us_ends() -> None:
    with serving() as script:
        exchange = call(script, f"sip:{US};lr", To="<sip:x@y>;tag=z", Route=[f"<sip:{US}>"] * 60)
        script.run_for(5)
        assert exchange.status in (404, 483)


def test_a_route_set_that_is_too_long_is_refused() -> None:
    with serving() as script:
        assert from_mallory(script, *[LR] * 400, tag="made-up").status == 400
        assert from_mallory(script, ", ".join([LR] * 400), tag="made-up").status == 400
        assert from_mallory(script, "<sip:" + "x" * 60_000 + ";lr>", tag="made-up").status in (
            404,
            478,
            475,
            476,
            500,
        )


@pytest.mark.parametrize("route", ["nonsense", "<sip:[::1;lr>", "<>", "<tel:+1>;lr", '"', "<sip:h;lr", "*"])
def test_a_route_that_cannot_be_read_leads_nowhere(route: str) -> None:
    with serving() as script:
        exchange = from_mallory(script, route, tag="made-up")
        assert exchange.relayed == []
        assert exchange.status >= 400


# --- hops and Vias ------------------------------------------------------------------------------------------------


ROUND = "sip:x@round.example"
BACK_HERE = f'$du = "sip:{US}"; route(1);'
"""What leads here, and is not known to be ours."""


def test_seventy_hops() -> None:
    with serving(foreign=BACK_HERE) as script:
        exchange = call(script, ROUND, Max_Forwards=70)
        script.run_for(10)
        assert exchange.status == 483
        assert hops(script) == 70


def test_hops_are_few_where_nobody_says_how_many() -> None:
    with serving(foreign=BACK_HERE) as script:
        exchange = call(script, ROUND, Max_Forwards=None)
        script.run_for(10)
        assert exchange.status == 483
        assert hops(script) == 11


def test_a_maddr_of_ours_leads_round_no_more() -> None:
    with serving() as script:
        exchange = call(script, f"{ROUND};maddr=127.0.0.1", Max_Forwards=70)
        script.run_for(10)
        assert (exchange.status, hops(script)) == (476, 0), "nobody has that name"


@pytest.mark.parametrize("count", [60, 200])
def test_many_vias_come_back_as_they_were(count: int) -> None:
    vias = [f"SIP/2.0/UDP 198.51.100.{number % 250};branch=z9hG4bK{number}" for number in range(count)]
    with serving() as script:
        registered(script)
        for lines in (vias, [", ".join(vias)]):
            exchange = call(script, Via=lines)
            (relayed,) = exchange.relayed
            relayed.answer(486)
            values = exchange.reply.message.values("Via")
            assert [value.partition(";received")[0] for value in values] == vias
            script.run_for(40)


def test_more_vias_than_a_message_may_have() -> None:
    vias = ", ".join(f"SIP/2.0/UDP 198.51.100.1;branch=z9hG4bK{number}" for number in range(300))
    with serving() as script:
        assert call(script, Via=vias).status == 400


# --- branches -----------------------------------------------------------------------------------------------------


def invites(sent: list[Sent]) -> list[str]:
    return [item.uri for item in sent if item.method == "INVITE" and item.uri]


def test_of_many_contacts_twelve_ring() -> None:
    contacts = ", ".join(f"<sip:alice@192.0.2.{number}>" for number in range(10, 210))
    with serving() as script:
        registered(script, contacts)
        exchange = call(script)
        assert len(invites(exchange.sent)) == 12
        for sent in exchange.relayed:
            sent.answer(486)
        assert exchange.status == 486


def test_a_script_that_appends_without_end() -> None:
    appends = "".join(f'append_branch("sip:x@192.0.2.{number}"); ' for number in range(90))
    with serving(foreign=f"{appends} route(1);") as script:
        assert len(invites(call(script, "sip:x@192.0.2.99").sent)) == 12


BACK = ", ".join(f"<sip:alice@127.0.0.1{more}>" for more in ("", ";transport=udp", ";user=phone"))
"""Contacts that lead back to the same contacts: without a bound each turn makes three times as many requests."""


def test_contacts_that_lead_back_here_do_not_multiply() -> None:
    with serving() as script:
        registered(script, BACK)
        exchange = call(script, Max_Forwards=12)
        script.run_for(10)
        assert exchange.status == 483
        assert len(invites(script.sent)) <= 60 * 13


def test_nor_do_those_of_a_route_that_relays_twice() -> None:
    twice = "".join(f'$rU = "{user}"; $du = "sip:{US}"; t_relay(); ' for user in "xy")
    with serving(foreign=f"{twice} exit;") as script:
        exchange = call(script, ROUND, Max_Forwards=20)
        script.run_for(10)
        assert exchange.status == 483
        assert len(invites(script.sent)) < 2_000, "not 2 ** 20"


def test_where_no_more_branches_are_allowed() -> None:
    with serving() as script:
        registered(script, "<sip:alice@192.0.2.9>, <sip:alice@192.0.2.10>")
        assert len(call(script, Max_Breadth=1).relayed) == 1
        refused = call(script, Max_Breadth=0)
        assert (refused.status, refused.reason, refused.relayed) == (440, "Max-Breadth Exceeded (440/TM)", [])


# --- CANCEL -------------------------------------------------------------------------------------------------------


def cancel_of(exchange: Exchange, **changes: Any) -> dict[str, Any]:
    """The headers of the CANCEL of an INVITE, with changes."""
    invite = exchange.message
    headers = {name: invite.get(name) for name in ("Via", "From", "To", "Call-ID")}
    return {**headers, "CSeq": f"{invite.cseq.number} CANCEL", **changes}


@pytest.mark.parametrize(
    "changes",
    [
        {"Call-ID": "another"},
        {"From": "<sip:carol@elsewhere.example>;tag=other"},
        {"CSeq": "99 CANCEL"},
        {"Via": "SIP/2.0/UDP 192.0.2.66:5060;branch=z9hG4bKguess"},
    ],
)
def test_a_forged_cancel_ends_no_call(changes: dict[str, str]) -> None:
    with serving() as script:
        registered(script)
        exchange = call(script)
        (relayed,) = exchange.relayed
        relayed.answer(180)
        script.send("CANCEL", ALICE, cancel_of(exchange, **changes), source=MALLORY)
        assert script.requests("CANCEL") == [] or script.requests("CANCEL")[0].get("Via") != relayed.get(
            "Via"
        )
        assert exchange.status == 180
        relayed.answer(200)
        assert exchange.status == 200


def test_the_callers_own_cancel_ends_it() -> None:
    with serving() as script:
        registered(script)
        exchange = call(script)
        (relayed,) = exchange.relayed
        relayed.answer(180)
        assert script.send("CANCEL", ALICE, cancel_of(exchange)).status == 200
        (sent,) = script.requests("CANCEL")
        assert sent.get("Via") == relayed.get("Via")
        relayed.answer(487)
        assert exchange.status == 487
