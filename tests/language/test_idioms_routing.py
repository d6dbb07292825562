"""What the idioms do with messages: ways of requests and replies. `idiom` is the one with the number of the test."""

from __future__ import annotations

import pytest

from openpy.testing.exchange import Exchange
from openpy.testing.script import Script

BOB = "sip:bob@192.0.2.9"
TO_BOB = "udp:192.0.2.9:5060"


def targets(exchange: Exchange) -> list[str]:
    """Where a request went on to."""
    return [item.target for item in exchange.relayed]


def cancel(script: Script, call: Exchange) -> Exchange:
    uri = str(call.message.get("To")).strip("<>")
    return script.send("CANCEL", uri, Via=call.message.get("Via"), Call_ID=call.message.get("Call-ID"))


def accounted(script: Script) -> list[str]:
    return [line.text.removeprefix("ACC: ") for line in script.log if line.origin == "acc"]


def test_01_sanity(idiom: Script) -> None:
    assert idiom.send("OPTIONS", BOB, Max_Forwards=0).status == 483
    assert idiom.send("OPTIONS", BOB, body="x" * 3000, Content_Type="text/plain").status == 513
    assert idiom.send("OPTIONS", BOB).sent == []


def test_02_in_dialog(idiom: Script) -> None:
    call = idiom.send("INVITE", BOB)
    (invite,) = call.relayed
    assert (invite.target, invite.get("P-hint")) == (TO_BOB, "outbound")
    assert invite.get("Record-Route") == "<sip:127.0.0.1;lr;ftag=alice>"
    invite.answer(200, Contact=f"<{BOB}>")
    (bye,) = idiom.send("BYE", within=call).relayed
    assert (bye.target, bye.get("P-hint"), bye.get("Route")) == (TO_BOB, "rr-enforced", None)
    assert idiom.send("REGISTER", "sip:127.0.0.1").sent == []


def test_03_cancel_ack(idiom: Script) -> None:
    call = idiom.send("INVITE", BOB)
    assert targets(call) == [TO_BOB]
    assert [item.status for item in idiom.send(call.message.raw).sent] == [100]
    call.relayed[0].answer(180)
    assert cancel(idiom, call).status == 200
    assert [item.target for item in idiom.requests("CANCEL")] == [TO_BOB]
    assert idiom.send("CANCEL", BOB).sent == []
    assert idiom.send("ACK", BOB).sent == []


def test_04_newtran(idiom: Script) -> None:
    message = idiom.send("MESSAGE", BOB)
    assert (message.status, message.reason) == (202, "Accepted")
    assert [item.status for item in idiom.send(message.message.raw).sent] == [202]
    assert idiom.send("OPTIONS", BOB).status == 404


def test_10_redirect(idiom: Script) -> None:
    reply = idiom.send("INVITE", BOB)
    assert (reply.status, reply.reason) == (300, "Redirect")
    contacts = ", ".join(reply.all("Contact"))
    assert contacts.index("sip:first@127.0.0.1:9") < contacts.index("sip:second@127.0.0.1:9")


def test_11_fork_static(idiom: Script) -> None:
    call = idiom.send("INVITE", BOB)
    assert [item.uri for item in call.relayed] == [
        "sip:a@127.0.0.1:5071",
        "sip:b@127.0.0.1:5072",
        "sip:c@127.0.0.1:5073",
    ]
    for branch in call.relayed[:3]:
        branch.answer(486)
    assert [item.uri for item in call.relayed[3:]] == ["sip:d@127.0.0.1:5074"]
    call.relayed[3].answer(486)
    assert [item.uri for item in call.relayed[4:]] == ["sip:e@127.0.0.1:5075"]
    call.relayed[4].answer(486)
    assert [reply.status for reply in call.replies] == [100, 486]


def test_13_disarm_on_ringing(idiom: Script) -> None:
    silent = idiom.send("INVITE", BOB)
    silent.relayed[0].answer(486)
    assert [item.uri for item in silent.relayed] == ["sip:x@127.0.0.1:5064", "sip:y@127.0.0.1:5065"]
    rung = idiom.send("INVITE", BOB)
    rung.relayed[0].answer(180)
    rung.relayed[0].answer(486)
    assert (rung.status, len(rung.relayed)) == (486, 1)


@pytest.mark.parametrize("status", [486, 408])
def test_14_voicemail(idiom: Script, status: int) -> None:
    call = idiom.send("INVITE", BOB)
    call.relayed[0].answer(status)
    assert (call.relayed[1].uri, call.relayed[1].target) == (
        "sip:vm-bob@127.0.0.1:5090",
        "udp:127.0.0.1:5090",
    )
    call.relayed[1].answer(200)
    assert call.status == 200


def test_14_voicemail_of_a_redirect_and_of_a_cancelled_call(idiom: Script) -> None:
    redirected = idiom.send("INVITE", BOB)
    redirected.relayed[0].answer(302, Contact="<sip:bob@192.0.2.77>")
    assert (redirected.status, len(redirected.relayed)) == (404, 1)
    given_up = idiom.send("INVITE", BOB)
    given_up.relayed[0].answer(180)
    cancel(idiom, given_up)
    given_up.relayed[0].answer(487)
    assert (given_up.status, len(given_up.relayed)) == (487, 1)


def test_15_redirect_follow(idiom: Script) -> None:
    call = idiom.send("INVITE", BOB)
    call.relayed[0].answer(302, Contact=["<sip:bob@192.0.2.31>;q=0.9", "<sip:bob@192.0.2.32>;q=0.5"])
    assert targets(call)[1:] == ["udp:192.0.2.31:5060"]  # one of each reply
    call.relayed[1].answer(486)
    assert (call.status, call.reason) == (480, "Temporarily Unavailable")


def test_16_acc_flags(idiom: Script) -> None:
    idiom.send("INVITE", BOB, User_Agent="Phone 1").relayed[0].answer(486)
    idiom.send("BYE", BOB, User_Agent="Phone 1").relayed[0].answer(481)
    idiom.send("MESSAGE", BOB).relayed[0].answer(200)
    missed, failed = accounted(idiom)
    for line in (missed, failed):
        assert line.endswith("from=alice;domain=example.com;agent=Phone 1")
    assert missed.startswith("call missed: ")
    assert failed.startswith("transaction answered: ")
    assert ";code=481;" in failed


def test_17_acc_manual(idiom: Script) -> None:
    assert idiom.send("INVITE", BOB).status == 404
    idiom.run_for(0.1)
    assert [(row["method"], row["sip_code"]) for row in idiom.rows("acc")] == [("INVITE", "404")]
    (line,) = accounted(idiom)
    assert ";code=404;reason=user unknown" in line


def test_19_nat_call(idiom: Script) -> None:
    assert idiom.send("INVITE", "sip:bob@10.0.0.7").status == 479
    call = idiom.send("INVITE", BOB, Contact="<sip:alice@10.0.0.8>")
    assert call.relayed[0].get("Contact") == "<sip:alice@192.0.2.1:5060>"


def test_21_keepalive(idiom: Script) -> None:
    alive = idiom.send("NOTIFY", "sip:127.0.0.1", Event="keep-alive")
    assert (alive.status, alive.reason) == (200, "Keep-alive")
    asked = idiom.send("OPTIONS", "sip:127.0.0.1")
    assert (asked.status, asked.get("Accept-Language")) == (200, "en")
    told = idiom.send("INFO", BOB, User_Agent="X-Lite release 1")
    assert (told.status, told.dropped) == (200, True)
    assert idiom.send("INFO", BOB, User_Agent="Other").sent == []


def test_23_dispatcher(idiom: Script) -> None:
    call = idiom.send("INVITE", "sip:service@127.0.0.1")
    call.relayed[0].answer(503)
    assert sorted(targets(call)) == ["udp:192.0.2.21:5060", "udp:192.0.2.22:5060"]


def test_24_dispatcher_stateless(idiom: Script) -> None:
    call = idiom.send("INVITE", "sip:service@127.0.0.1")
    assert targets(call)[0] in ("udp:192.0.2.21:5060", "udp:192.0.2.22:5060")
    assert idiom.send("INVITE", "sip:service@127.0.0.1", source="192.0.2.21").sent == []


def test_32_pike(idiom: Script) -> None:
    for _ in range(200):
        idiom.send("OPTIONS", BOB)
    assert "pike: source blocked" in "".join(idiom.printed)


def test_34_exec(idiom: Script) -> None:
    commands = idiom.stub("exec_msg", returns=-1)
    assert idiom.send("INVITE", BOB).status == 404
    assert [command.shell for (command,) in commands] == ['test -n "$SIP_OUSER"']
    idiom.stub("exec_msg")
    idiom.stub("exec_dset")
    idiom.stub("exec_avp")
    assert targets(idiom.send("INVITE", BOB)) == [TO_BOB]


def test_36_identity(idiom: Script) -> None:
    for headers in ({}, {"P-Preferred-Identity": "<sip:pref@a>"}, {"P-Asserted-Identity": "<sip:ass@a>"}):
        idiom.send("REGISTER", "sip:127.0.0.1", headers)
    assert idiom.printed == ["alice tag alice", "pref tag alice", "ass tag alice"]


def test_37_anonymise(idiom: Script) -> None:
    asserted = {"P-Asserted-Identity": "<sip:alice@example.com>", "Privacy": "none"}
    call = idiom.send("INVITE", BOB, asserted)
    (invite,) = call.relayed
    assert invite.get("From") == '"Anonymous" <sip:anonymous@anonymous.invalid>;tag=alice'
    assert (invite.all("Privacy"), invite.all("P-Asserted-Identity")) == (["id"], [])
    invite.answer(200, Contact=f"<{BOB}>")
    assert call.get("From") == "<sip:alice@example.com>;tag=alice"


def test_39_flags_across(idiom: Script) -> None:
    call = idiom.send("INVITE", BOB)
    assert targets(call) == ["udp:127.0.0.1:5070"]
    call.relayed[0].answer(486)
    assert idiom.printed == ["reply: set", "failure: set"]


def test_40_switches(idiom: Script) -> None:
    idiom.mi("set_gflag", 1 << 4)
    assert idiom.send("INVITE", BOB).status == 503
    assert idiom.statistic("script:maintenance") == 1
    idiom.mi("reset_gflag", 1 << 4)
    idiom.mi("rand_set_prob", 0)
    assert targets(idiom.send("INVITE", BOB)) == ["udp:127.0.0.1:5070"]
    idiom.mi("rand_set_prob", 100)
    assert targets(idiom.send("INVITE", BOB)) == [TO_BOB]
