"""What the idioms do with messages: users, passwords, presence. `idiom` is the one with the number of the test."""

from __future__ import annotations

from openpy.sip.digest import digest_ha1
from openpy.testing.exchange import Exchange
from openpy.testing.script import Script
from tests.language.test_idioms_routing import BOB, TO_BOB, targets
from tests.modules.accounts import Caller, fill

US = "127.0.0.1"
ALICE = {"username": "alice", "domain": "example.com", "password": "secret"}


def register(script: Script, contact: str = f"<{BOB}>", user: str = "bob", **fields: str) -> Exchange:
    owner = f"<sip:{user}@{US}>"
    given = {"From": f"{owner};tag=1", "To": owner, "Contact": contact, **fields}
    return script.send("REGISTER", f"sip:{US}", given)


def keep(script: Script, user: str, contact: str, table: str = "location") -> None:
    """A contact, for an idiom that takes no REGISTER."""
    assert script.mi("ul_add", table, f"{user}@{US}", contact, 3600, "1", "0", 0, 0, 8191)


def account(realm: str) -> dict[str, str]:
    """A row of `subscriber` with no password but what it makes in a realm."""
    return {"username": "alice", "domain": realm, "ha1": digest_ha1("alice", realm, "secret")}


def signed(caller: Caller, uri: str, **fields: str) -> Exchange:
    """Her INVITE that answers a challenge."""
    caller.be_asked("INVITE", uri, **fields)
    proof = caller.credentials("INVITE", uri)
    return caller.send("INVITE", uri, Proxy_Authorization=proof, To=f"<{uri}>", **fields)


def test_05_registrar(idiom: Script) -> None:
    assert register(idiom).get("Contact") == f"<{BOB}>;expires=3600"
    assert targets(idiom.send("INVITE", f"sip:bob@{US}")) == [TO_BOB]
    assert idiom.send("INVITE", f"sip:carol@{US}").status == 404
    assert targets(idiom.send("INVITE", "sip:carol@192.0.2.77")) == ["udp:192.0.2.77:5060"]
    keep(idiom, "sales", f"sip:bob@{US}", "aliases")
    keep(idiom, "gateway", "sip:0049@192.0.2.50", "aliases")
    assert targets(idiom.send("INVITE", f"sip:sales@{US}")) == [TO_BOB]
    assert targets(idiom.send("INVITE", f"sip:gateway@{US}")) == ["udp:192.0.2.50:5060"]


def test_06_lookup_codes(idiom: Script) -> None:
    assert idiom.send("INVITE", f"sip:bob@{US}").status == 404
    keep(idiom, "bob", BOB)
    assert targets(idiom.send("INVITE", f"sip:bob@{US}")) == [TO_BOB]


def test_07_digest_register(idiom: Script) -> None:
    fill(idiom, "subscriber", ALICE)
    alice = Caller(idiom)
    asked = alice.be_asked()
    assert (asked.realm, asked.qop) == ("example.com", ())
    assert alice.answer().status == 200
    alice.be_asked()
    other = alice.send(Authorization=alice.credentials(), To="<sip:bob@example.com>")
    assert (other.status, other.reason) == (403, "Forbidden auth ID")


def test_08_digest_call(idiom: Script) -> None:
    fill(idiom, "subscriber", {**account(US), "uuid": "u-1"})
    own = {"From": f"<sip:alice@{US}>;tag=1"}
    call = signed(Caller(idiom), BOB, **own)
    assert (targets(call), call.avps["caller_uuid"]) == ([TO_BOB], ["u-1"])
    assert call.relayed[0].all("Proxy-Authorization") == []
    other = signed(Caller(idiom), BOB, From=f"<sip:carol@{US}>;tag=1")
    assert (other.status, other.reason) == (403, "Forbidden auth ID")


def test_09_group_acl(idiom: Script) -> None:
    gateway = ["udp:192.168.0.10:5060"]
    assert targets(idiom.send("INVITE", f"sip:4321@{US}")) == gateway
    abroad = f"sip:0049301@{US}"
    assert targets(idiom.send("INVITE", abroad, source="192.168.0.10")) == gateway
    assert idiom.printed == ["from the gateway"]
    fill(idiom, "subscriber", account("gateway"))
    refused = signed(Caller(idiom), abroad)
    assert (refused.status, refused.reason) == (403, "No permission")
    fill(idiom, "grp", {"username": "alice", "domain": "gateway", "grp": "longdist"})
    assert targets(signed(Caller(idiom), abroad)) == gateway
    fill(idiom, "grp", {"username": "0049302", "domain": US, "grp": "local"})
    assert targets(idiom.send("INVITE", f"sip:0049302@{US}")) == gateway


def test_12_fork_serial_q(idiom: Script) -> None:
    register(idiom, "<sip:bob@192.0.2.11>;q=0.3, <sip:bob@192.0.2.12>;q=0.9, <sip:bob@192.0.2.13>;q=0.3")
    call = idiom.send("INVITE", f"sip:bob@{US}")
    assert targets(call) == ["udp:192.0.2.12:5060"]
    call.relayed[0].answer(486)
    assert sorted(targets(call)[1:]) == ["udp:192.0.2.11:5060", "udp:192.0.2.13:5060"]
    for branch in call.relayed[1:]:
        branch.answer(480)
    assert call.status == 480


def test_18_nat_register(idiom: Script) -> None:
    register(idiom, "<sip:bob@10.0.0.7>")
    shown = idiom.mi("ul_show_contact", "location", f"bob@{US}")
    assert shown is not None
    assert "received=<sip:192.0.2.1:5060>" in str(shown.nodes[0].value)


def test_20_alg_two_sides(idiom: Script) -> None:
    assert register(idiom).status == 200
    assert idiom.mi("ul_show_contact", "inside", f"bob@{US}")


def test_26_presence(idiom: Script) -> None:
    bob = f"sip:bob@{US}"
    assert idiom.send("SUBSCRIBE", bob).status == 200
    assert idiom.send("PUBLISH", bob).status == 200
    handled = idiom.spy("handle_publish")
    idiom.send("PUBLISH", bob, Sender="sip:desk@192.0.2.1")
    assert handled == [("sip:desk@192.0.2.1",)]
    assert b"open" in idiom.requests("NOTIFY")[-1].body
    assert idiom.send("OPTIONS", bob).status == 488


def test_27_mwi(idiom: Script) -> None:
    box, summary = f"sip:bob@{US}", "Messages-Waiting: yes\r\n"
    fields = {"Event": "message-summary", "Content_Type": "application/simple-message-summary"}
    assert idiom.send("PUBLISH", box, fields, summary).status == 403
    assert idiom.send("PUBLISH", box, fields, summary, source=US).status == 200
    owner = f"<{box}>;tag=1"
    assert idiom.send("SUBSCRIBE", box, Event="message-summary", From=owner).status == 200
    assert idiom.requests("NOTIFY")[-1].body == summary.encode()


def test_29_pua_usrloc(idiom: Script) -> None:
    register(idiom)
    assert [item.uri for item in idiom.requests("PUBLISH")] == ["sip:bob@example.com"]


def test_30_silo(idiom: Script) -> None:
    bob = f"sip:bob@{US}"
    assert idiom.send("MESSAGE", bob, body="Lunch?", Content_Type="text/plain").status == 202
    register(idiom)
    delivered = idiom.requests("MESSAGE")[-1]  # it comes to the server itself first
    assert delivered.target == TO_BOB
    assert delivered.body.startswith(b"[Offline message - ")
    assert delivered.body.endswith(b"] Lunch?")


def test_33_permissions(idiom: Script) -> None:
    assert idiom.send("INVITE", BOB).status == 403


def test_35_replicate(idiom: Script) -> None:
    fill(idiom, "subscriber", account("example.com"))
    alice = Caller(idiom)
    assert alice.be_asked().realm == "example.com"
    done = alice.answer()
    assert (done.status, targets(done)) == (200, ["udp:127.0.0.2:5060"])
    elsewhere = done.relayed[0].data.replace(
        b"Call-ID: ", b"Call-ID: other-"
    )  # this server has served that one
    copy = idiom.send(elsewhere, source="127.0.0.2")
    assert (copy.status, copy.relayed) == (200, [])


def test_38_preferences(idiom: Script) -> None:
    idiom.sql("CREATE TABLE subscriber (username VARCHAR(64), uuid VARCHAR(64))")
    idiom.sql("INSERT INTO subscriber VALUES ('bob', 'u-1')")
    fill(
        idiom,
        "usr_preferences",
        {"username": "bob", "attribute": "cfu", "value": "sip:carol@192.0.2.77", "type": 0},
        {"username": "bob", "attribute": "ringtimeout", "value": "5", "type": 1},
    )
    call = idiom.send("INVITE", BOB)
    assert (targets(call), call.avps["uuid"]) == (["udp:192.0.2.77:5060"], ["u-1"])
    call.relayed[0].answer(180)
    idiom.run_for(6)
    assert [item.target for item in idiom.requests("CANCEL")] == ["udp:192.0.2.77:5060"]
    assert targets(idiom.send("INVITE", "sip:dave@192.0.2.44")) == ["udp:192.0.2.44:5060"]


def test_41_multi_domain(idiom: Script) -> None:
    assert idiom.send("INVITE", "sip:bob@peer.example").status == 403
    for domain in ("example.com", "peer.example"):
        fill(idiom, "domain", {"domain": domain})
    idiom.mi("domain_reload")
    assert targets(idiom.send("INVITE", "sip:bob@peer.example")) == ["tcp:127.0.0.1:5070"]
    assert idiom.send("INVITE", "sip:bob@example.com").relayed == []
    assert targets(idiom.send("INVITE", BOB, source="tcp:192.0.2.1:5060")) == [TO_BOB]


def test_42_db_text(idiom: Script) -> None:
    keep(idiom, "bob", BOB)
    short = {"sd_username": "12", "sd_domain": US, "new_uri": f"sip:sales@{US}"}
    fill(idiom, "speed_dial", {"username": "alice", "domain": "example.com", **short})
    alias = {"alias_username": "sales", "alias_domain": US}
    fill(idiom, "dbaliases", {**alias, "username": "bob", "domain": US})
    assert targets(idiom.send("INVITE", f"sip:12@{US}")) == [TO_BOB]
    assert targets(idiom.send("INVITE", f"sip:sales@{US}")) == [TO_BOB]
    assert idiom.send("INVITE", f"sip:13@{US}").status == 404
