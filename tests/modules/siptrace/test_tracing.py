"""Which messages are traced."""

from __future__ import annotations

import pytest

from openpy.engine.mi import Node
from openpy.modules.siptrace import tracing
from openpy.modules.siptrace.tracing import MOST_REQUESTS, MOST_USERS, REMEMBERED, Call
from tests.modules.siptrace.traced import BOB, ROUTE, Traced

CALL = [
    *("in INVITE", "out 100 INVITE", "out INVITE", "in 180 INVITE", "out 180 INVITE"),
    *("in 200 INVITE", "out 200 INVITE", "in ACK", "out ACK"),
]


def test_a_call() -> None:
    with Traced() as script:
        invite = script.invite()
        invite.relayed[0].answer(180)
        invite.relayed[0].answer(200, Contact="<sip:bob@192.0.2.9>")
        script.send("ACK", within=invite)
        assert (script.flow, script.printed) == (CALL, ["1", "1"])
        assert script.figures == (4, 5, 0)
        bye = script.send("BYE", within=invite)
        bye.relayed[0].answer(200)
        assert script.flow[len(CALL) :] == ["in BYE", "out BYE", "in 200 BYE", "out 200 BYE"]


def test_only_what_the_script_chooses() -> None:
    with Traced(route=ROUTE.replace("setflag(22);", 'if (is_method("INVITE")) setflag(22);')) as script:
        invite = script.invite()
        invite.relayed[0].answer(200, Contact="<sip:bob@192.0.2.9>")
        script.send("ACK", within=invite)
        bye = script.send("BYE", within=invite)
        bye.relayed[0].answer(200)
        script.send("OPTIONS", BOB)
        assert "in ACK" in script.flow
        assert "in BYE" not in script.flow
        assert script.printed == ["1", "-1", "-1", "-1"]


def test_a_call_that_is_taken_back() -> None:
    with Traced(route=ROUTE.replace("setflag(22);", 'if (is_method("INVITE")) setflag(22);')) as script:
        invite = script.invite()
        invite.relayed[0].answer(180)
        via = {"Via": invite.message.get("Via"), "Call-ID": invite.message.get("Call-ID")}
        script.send("CANCEL", BOB, via, "")
        (cancel,) = script.requests("CANCEL")
        cancel.answer(200)
        invite.relayed[0].answer(487)
        script.send("ACK", BOB, {**via, "To": invite.get("To")}, "")
        assert script.flow == [
            *CALL[:5],
            *("in CANCEL", "out 200 CANCEL", "out CANCEL", "in 200 CANCEL"),
            *("in 487 INVITE", "out ACK", "out 487 INVITE", "in ACK"),
        ]


def test_retransmissions_and_what_nobody_answers() -> None:
    with Traced(more='modparam("tm", "fr_timer", 2)\n') as script:
        invite = script.invite()
        script.send(invite.message.raw)
        script.run_for(3)
        assert script.flow[:5] == ["in INVITE", "out 100 INVITE", "out INVITE", "in INVITE", "out 100 INVITE"]
        assert script.flow.count("out INVITE") == 3
        assert "out 408 INVITE" in script.flow


@pytest.mark.parametrize(
    ("answer", "sent"),
    [
        ('sl_send_reply("404", "No");', "out 404 MESSAGE"),
        ('t_newtran(); t_reply("403", "No");', "out 403 MESSAGE"),
        ('forward("udp:192.0.2.9:5060");', "out MESSAGE"),
        ("exit;", None),
    ],
)
def test_whoever_sends(answer: str, sent: str | None) -> None:
    with Traced(route=f"route {{ setflag(22); sip_trace(); {answer} }}") as script:
        script.send("MESSAGE", BOB)
        assert script.flow == ["in MESSAGE", *([sent] if sent else [])]


def test_a_fork() -> None:
    route = ROUTE.replace("t_relay();", 'append_branch("sip:carol@192.0.2.8"); t_relay();')
    with Traced(route=route) as script:
        script.invite()
        assert [row["toip"] for row in script.kept(direction="out", method="INVITE", status="")] == [
            "udp:192.0.2.9:5060",
            "udp:192.0.2.8:5060",
        ]


def test_by_tcp() -> None:
    with Traced() as script:
        script.send("MESSAGE", f"{BOB};transport=tcp", source="tcp:192.0.2.7:4000").relayed[0].answer(200)
        assert script.flow == ["in MESSAGE", "out MESSAGE", "in 200 MESSAGE", "out 200 MESSAGE"]
        assert [row["fromip"] for row in script.kept()][::2] == ["tcp:192.0.2.7:4000", "tcp:192.0.2.9:5060"]


def test_the_flag_alone_where_a_transaction_begins() -> None:
    with Traced(route="route { setflag(22); t_relay(); }") as script:
        script.invite()
        assert script.flow == ["in INVITE", "out 100 INVITE", "out INVITE"]


def test_twice_is_once() -> None:
    with Traced(route=ROUTE.replace("t_relay();", "sip_trace(); t_newtran(); t_relay();")) as script:
        script.invite()
        assert script.flow == ["in INVITE", "out 100 INVITE", "out INVITE"]


def test_from_a_reply_on() -> None:
    more = "onreply_route[1] { setflag(22); sip_trace(); }\n"
    with Traced(route=more + 'route { t_on_reply("1"); t_relay(); }') as script:
        script.invite().relayed[0].answer(180)
        assert script.flow == ["in 180 INVITE", "out 180 INVITE"]
        assert script.kept()[0]["fromip"] == "udp:192.0.2.9:5060"


def test_a_request_of_our_own_in_a_traced_call() -> None:
    with Traced() as script:
        invite = script.invite()
        invite.relayed[0].answer(200)
        parts = f"From: <{BOB}>;tag=peer\r\nTo: <sip:alice@x>;tag=alice\r\n"
        parts += f"Call-ID: {invite.message.get('Call-ID')}\r\nCSeq: 55 BYE\r\n"
        before = len(script.flow)
        _ask(script, "BYE", "sip:alice@192.0.2.1", ".", ".", parts)
        script.requests("BYE")[0].answer(200)
        _ask(script, "OPTIONS", "sip:alice@192.0.2.1", ".", ".", parts.replace("Call-ID: ", "Call-ID: x"))
        assert script.flow[before:] == ["out BYE", "in 200 BYE"]


def _ask(script: Traced, *values: str) -> None:
    """Give t_uac_dlg, which answers later."""
    command = script.server.commands.find("t_uac_dlg")
    assert command is not None
    script.server.commands.run(command, [Node(value=value) for value in values])
    script.run_for(0.05)


# --- for whom -----------------------------------------------------------------------------------------------------


def test_users_of_an_avp() -> None:
    route = 'route { $avp(s:who) = "bob"; $avp(s:who) = "eve"; $var(c) = sip_trace(); xlog("$var(c)"); t_relay(); }'
    with Traced('traced_user_avp="$avp(s:who)"', route=route) as script:
        script.invite()
        assert script.printed == ["1"]
        assert [(row["traced_user"], row["direction"]) for row in script.kept()] == [
            *(("eve", "in"), ("bob", "in"), ("eve", "out"), ("bob", "out"), ("eve", "out"), ("bob", "out"))
        ]
        assert script.figures == (2, 1, 0)


def test_a_user_who_comes_later_gets_the_request_too() -> None:
    route = (
        'route { setflag(22); sip_trace(); $avp(s:who) = "eve"; sip_trace(); sl_send_reply("200", "OK"); }'
    )
    with Traced('traced_user_avp="$avp(s:who)"', route=route) as script:
        script.send("MESSAGE", BOB)
        assert [(row["traced_user"], row["status"]) for row in script.kept()] == [
            *(("", ""), ("eve", ""), ("", "200"), ("eve", "200"))
        ]


def test_users_are_bounded() -> None:
    sets = "".join(f'$avp(s:who) = "u{number}"; ' for number in range(MOST_USERS + 5))
    route = f'route {{ {sets} sip_trace(); sl_send_reply("200", "OK"); }}'
    with Traced('traced_user_avp="$avp(s:who)"', route=route) as script:
        script.send("MESSAGE", BOB)
        assert len(script.kept(status="200")) == MOST_USERS


# --- bounds -------------------------------------------------------------------------------------------------------


def test_calls_are_forgotten() -> None:
    with Traced() as script:
        script.send("MESSAGE", BOB).relayed[0].answer(200)
        script.run_for(REMEMBERED - 10)
        script.send("MESSAGE", BOB).relayed[0].answer(200)
        assert len(script.module._tracing) == 2
        script.run_for(20)
        assert len(script.module._tracing) == 1
        script.run_for(2 * REMEMBERED)
        assert len(script.module._tracing) == 0


def test_calls_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "MOST_CALLS", 2)
    with Traced() as script:
        for _ in range(4):
            script.send("MESSAGE", BOB)
        assert len(script.module._tracing) == 2
        assert script.figures == (4, 0, 2)


def test_requests_of_a_call_are_bounded() -> None:
    call = Call((), "", 0.0)
    for number in range(MOST_REQUESTS + 3):
        call.trace(number)
    assert list(call.numbers) == list(range(3, MOST_REQUESTS + 3))


def test_off_is_off() -> None:
    with Traced("trace_on=0") as script:
        script.invite()
        assert (script.flow, script.printed) == ([], ["-1"])
        script.mi("sip_trace", "on")
        invite = script.invite()
        script.mi("sip_trace", "off")
        invite.relayed[0].answer(180)
        assert script.flow == ["in INVITE", "out 100 INVITE", "out INVITE"]


def test_a_message_that_cannot_be_read() -> None:
    with Traced() as script:
        script.send(b"MESSAGE sip:bob@192.0.2.9 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1\r\n\r\n")
        assert script.kept() == []
