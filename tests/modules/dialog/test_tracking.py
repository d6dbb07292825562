"""Which dialogs there are, and how they go on."""

from __future__ import annotations

import pytest

from openpy.modules.dialog.directory import Directory
from openpy.modules.dialog.states import State
from openpy.modules.dialog.tracking import LINGER, MOST_ANSWERS
from tests.modules.dialog.calls import BOB, ROUTE, Calls, accept

FORKS = ROUTE.replace("record_route();", 'record_route(); append_branch("sip:carol@192.0.2.8");')


def is_empty(directory: Directory) -> bool:
    return not (directory._named or directory._tagged or len(directory))


# --- how a call goes ----------------------------------------------------------------------------------------------


def test_a_call() -> None:
    with Calls() as calls:
        invite = calls.invite()
        assert (calls.states, calls.figures) == ([State.UNCONFIRMED], (0, 0, 1, 0, 0))
        accept(invite, 180)
        assert (calls.states, calls.figures) == ([State.EARLY], (0, 1, 1, 0, 0))
        accept(invite, 183)
        accept(invite)
        assert (calls.states, calls.figures) == ([State.ANSWERED], (1, 0, 1, 0, 0))
        calls.send("ACK", within=invite)
        assert calls.states == [State.CONFIRMED]
        calls.run_for(60)
        calls.send("BYE", within=invite)
        assert (calls.states, calls.figures) == ([State.ENDED], (0, 0, 1, 0, 0))
        assert calls.printed == ["ACK 4 1", "BYE 5 0"]
        calls.run_for(LINGER)
        assert is_empty(calls.module.tracking.dialogs)


def test_the_callee_hangs_up() -> None:
    with Calls() as calls:
        invite = calls.call()
        calls.from_callee(invite, "BYE")
        assert calls.states == [State.ENDED]


def test_both_hang_up_at_once() -> None:
    with Calls() as calls:
        invite = calls.call()
        calls.send("BYE", within=invite)
        calls.from_callee(invite, "BYE")
        assert calls.printed[1:] == ["BYE 5 0", "BYE 5 0"]
        assert calls.figures == (0, 0, 1, 0, 0)


def test_a_bye_that_is_lost() -> None:
    with Calls("default_timeout=600") as calls:
        calls.call()
        calls.run_for(595)
        assert calls.figures == (1, 0, 1, 0, 0)
        calls.run_for(10)
        assert calls.figures == (0, 0, 1, 1, 0)
        calls.run_for(LINGER)
        assert is_empty(calls.module.tracking.dialogs)


@pytest.mark.parametrize("status", [302, 404, 486, 603])
def test_a_refusal(status: int) -> None:
    with Calls() as calls:
        invite = calls.invite()
        accept(invite, 180)
        accept(invite, status)
        assert calls.figures == (0, 0, 1, 0, 1)
        assert is_empty(calls.module.tracking.dialogs)


def test_a_call_that_is_taken_back() -> None:
    with Calls() as calls:
        invite = calls.invite()
        accept(invite, 180)
        via = invite.message.get("Via") or ""
        calls.send("CANCEL", BOB, {"Via": via, "Call-ID": invite.message.get("Call-ID")})
        assert calls.states == [State.EARLY]
        accept(invite, 487)
        assert (calls.figures, calls.dialogs) == ((0, 0, 1, 0, 1), [])


def test_a_call_that_nobody_answers() -> None:
    with Calls(more='modparam("tm", "fr_timer", 2)\n') as calls:
        calls.invite()
        calls.run_for(5)
        assert (calls.figures, calls.dialogs) == ((0, 0, 1, 0, 1), [])


def test_a_failure_route_goes_on() -> None:
    route = ROUTE.replace("record_route();", 'record_route(); t_on_failure("1");')
    with Calls(route=route + f'failure_route[1] {{ append_branch("{BOB}"); t_relay(); }}') as calls:
        invite = calls.invite()
        accept(invite, 486)
        assert calls.states == [State.UNCONFIRMED]
        accept(invite, which=1)
        assert calls.figures == (1, 0, 1, 0, 0)


@pytest.mark.parametrize("answer", ['t_reply("404", "No");', 'sl_send_reply("404", "No");', ";", "drop();"])
def test_a_call_that_goes_nowhere(answer: str) -> None:
    with Calls(route=f"route {{ setflag(4); t_newtran(); {answer} }}") as calls:
        calls.invite()
        calls.run_for(40)
        assert (calls.figures, calls.dialogs) == ((0, 0, 1, 0, 1), [])


def test_a_call_that_is_answered_here() -> None:
    with Calls(route='route { setflag(4); t_newtran(); record_route(); t_reply("200", "OK"); }') as calls:
        invite = calls.invite()
        (dialog,) = calls.dialogs
        assert dialog.callee.tag == invite.reply.message.to.tag
        assert (dialog.state, dialog.callee.socket) == (State.ANSWERED, "udp:127.0.0.1:5060")


@pytest.mark.parametrize(
    ("route", "method"),
    [
        (ROUTE.replace("setflag(4);", ""), "INVITE"),
        (ROUTE.replace("setflag(4);", "setflag(5);"), "INVITE"),
        ("route { setflag(4); t_relay(); }", "MESSAGE"),
        ("route { setflag(4); forward(); }", "INVITE"),
        ('route { setflag(4); t_replicate("sip:192.0.2.3"); }', "INVITE"),
    ],
)
def test_what_makes_no_dialog(route: str, method: str) -> None:
    with Calls(route=route) as calls:
        calls.send(method, BOB)
        assert calls.figures == (0, 0, 0, 0, 0)


def test_an_invite_of_a_dialog_makes_none() -> None:
    with Calls() as calls:
        calls.send("INVITE", BOB, To=f"<{BOB}>;tag=b")
        assert calls.dialogs == []


def test_made_once_by_t_newtran_and_t_relay() -> None:
    with Calls(route=ROUTE.replace("record_route();", "t_newtran(); record_route();")) as calls:
        invite = calls.call()
        assert calls.figures == (1, 0, 1, 0, 0)
        assert (invite.relayed[0].get("Record-Route") or "").count("did=") == 1


# --- answers ------------------------------------------------------------------------------------------------------


def test_what_is_known_of_both_sides() -> None:
    with Calls() as calls:
        calls.call({"Record-Route": "<sip:192.0.2.5;lr>"})
        (listed,) = calls.listed()
        assert listed["caller_route_set"] == "<sip:192.0.2.5;lr>"
        assert (listed["callee_contact"], listed["to_tag"]) == ("sip:bob@192.0.2.9:5070", "bob")
        assert listed["callee_bind_addr"] == listed["caller_bind_addr"] == "udp:127.0.0.1:5060"


def test_two_accept_and_the_first_is_let_go() -> None:
    with Calls(route=FORKS) as calls:
        invite = calls.invite()
        accept(invite, tag="bob")
        calls.send("ACK", within=invite)
        accept(invite, tag="carol", which=1)
        assert calls.figures == (1, 0, 1, 0, 0)
        calls.send("ACK", within=invite)
        assert calls.figures == (2, 0, 2, 0, 0)
        assert {dialog.callee.tag for dialog in calls.dialogs} == {"bob", "carol"}
        assert len({dialog.name for dialog in calls.dialogs}) == 1
        first = {"To": f"<{BOB}>;tag=bob"}
        calls.send("BYE", "", first, within=invite)
        assert [(d.callee.tag, d.state) for d in calls.dialogs] == [
            ("bob", State.ENDED),
            ("carol", State.CONFIRMED),
        ]
        calls.send("BYE", within=invite)
        assert calls.figures == (0, 0, 2, 0, 0)
        calls.run_for(LINGER + 1)
        assert is_empty(calls.module.tracking.dialogs)


def test_the_first_is_let_go_before_the_other_is_acknowledged() -> None:
    with Calls(route=FORKS) as calls:
        invite = calls.answered()
        first = {"To": f"<{BOB}>;tag=bob"}
        accept(invite, tag="carol", which=1)
        calls.send("ACK", "", first, within=invite)
        calls.send("BYE", "", first, within=invite)
        calls.send("ACK", within=invite)
        assert calls.figures == (1, 0, 2, 0, 0)
        calls.send("BYE", within=invite)
        assert calls.figures == (0, 0, 2, 0, 0)


def test_a_bye_to_who_was_not_acknowledged_ends_nothing() -> None:
    with Calls(route=FORKS) as calls:
        invite = calls.answered()
        accept(invite, tag="carol", which=1)
        calls.send("BYE", within=invite)
        assert calls.states == [State.ANSWERED]


def test_a_caller_cannot_make_dialogs_without_end() -> None:
    with Calls() as calls:
        invite = calls.call()
        for number in range(MOST_ANSWERS + 5):
            calls.send("ACK", "", {"To": f"<{BOB}>;tag=x{number}"}, within=invite)
        assert len(calls.dialogs) == MOST_ANSWERS


def test_a_reinvite_moves_both_sides() -> None:
    with Calls() as calls:
        invite = calls.call()
        again = calls.send("INVITE", "", {"Contact": "<sip:alice@192.0.2.77>"}, within=invite)
        again.relayed[0].answer(200, Contact="<sip:bob@192.0.2.78>")
        (dialog,) = calls.dialogs
        assert (dialog.caller.contact, dialog.callee.contact) == (
            "sip:alice@192.0.2.77",
            "sip:bob@192.0.2.78",
        )
        assert (dialog.caller.cseq, dialog.state) == (2, State.CONFIRMED)
        update = calls.from_callee(invite, "UPDATE", 9)
        update.relayed[0].answer(200, Contact="<sip:alice@192.0.2.79>")
        assert (dialog.caller.contact, dialog.callee.cseq) == ("sip:alice@192.0.2.79", 9)
        refused = calls.send("INVITE", "", {"Contact": "<sip:alice@192.0.2.80>"}, within=invite)
        refused.relayed[0].answer(488)
        assert dialog.caller.contact == "sip:alice@192.0.2.79"


# --- finding ------------------------------------------------------------------------------------------------------


def test_a_call_that_comes_twice() -> None:
    """A spiral: the INVITE passes here, goes to a server that sends it back, and leaves for the callee then."""
    with Calls() as calls:
        first = calls.invite({"Via": "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKone"})
        out = first.relayed[0]
        second = calls.send(
            "INVITE",
            BOB,
            {
                "Via": ["SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKtwo", *out.all("Via")],
                "Record-Route": out.all("Record-Route"),
                "Call-ID": out.get("Call-ID"),
            },
            source="192.0.2.9",
        )
        assert calls.figures == (0, 0, 2, 0, 0)
        accept(second)
        accept(first)
        assert calls.figures == (2, 0, 2, 0, 0)
        routes = [route.strip("<>") for route in second.reply.message.values("Record-Route")][::-1]
        for method in ("ACK", "BYE"):
            for number, route in enumerate(routes):
                calls.send(
                    method,
                    f"{BOB}:5070",
                    {
                        "Via": f"SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK{method}{number}",
                        "To": f"<{BOB}>;tag=bob",
                        "Call-ID": out.get("Call-ID"),
                        "CSeq": f"{1 if method == 'ACK' else 2} {method}",
                        "Route": f"<{route}>",
                    },
                )
        assert calls.printed == ["ACK 4 2", "ACK 4 2", "BYE 5 1", "BYE 5 0"]


@pytest.mark.parametrize(
    ("mode", "route", "is_found"),
    [
        (0, "<sip:127.0.0.1:5060;lr;did={did}>", True),
        (0, "<sip:127.0.0.1:5060;lr>", False),
        (0, "<sip:127.0.0.1:5060;lr;did=1.2>", False),
        (0, "<sip:127.0.0.1:5060;lr;did=x>", False),
        (1, "<sip:127.0.0.1:5060;lr;did={did}>", True),
        (1, "<sip:127.0.0.1:5060;lr>", True),
        (1, "<sip:127.0.0.1:5060;lr;did=1.2>", True),
        (2, "<sip:127.0.0.1:5060;lr>", True),
        (2, "<sip:127.0.0.1:5060;lr;did=1.2>", True),
    ],
)
def test_how_a_request_is_known(mode: int, route: str, is_found: bool) -> None:
    with Calls(f"dlg_match_mode={mode}") as calls:
        invite = calls.call()
        recorded = invite.relayed[0].get("Record-Route") or ""
        assert ("did=" in recorded) is (mode != 2)
        did = recorded.partition("did=")[2].rstrip(">")
        bye = calls.send("BYE", "", {"Route": route.replace("{did}", did)}, within=invite)
        assert bye.value("$DLG_status") == (5 if is_found else None)


@pytest.mark.parametrize(
    "changed", [{"Call-ID": "other"}, {"From": "<sip:x@y>;tag=x"}, {"To": "<sip:x@y>;tag=x"}]
)
def test_a_cookie_alone_ends_no_call(changed: dict[str, str]) -> None:
    with Calls("dlg_match_mode=1") as calls:
        invite = calls.call()
        bye = calls.send("BYE", "", changed, within=invite)
        assert (bye.value("$DLG_status"), calls.states) == (None, [State.CONFIRMED])


def test_another_name_of_the_cookie() -> None:
    with Calls('rr_param="Call"') as calls:
        invite = calls.call()
        assert ";Call=" in (invite.relayed[0].get("Record-Route") or "")
        assert calls.states == [State.CONFIRMED]


def test_a_provisional_reply_may_be_acknowledged() -> None:
    with Calls() as calls:
        invite = calls.answered(183)
        prack = calls.send("PRACK", within=invite)
        assert (prack.value("$DLG_status"), calls.states) == (2, [State.EARLY])
        assert calls.send("BYE", within=invite).value("$DLG_status") == 2


def test_requests_before_the_answer_count_for_those_of_ours_after_it() -> None:
    with Calls() as calls:
        invite = calls.answered(183)
        for cseq in (2, 3):
            calls.send("PRACK", headers={"CSeq": f"{cseq} PRACK"}, within=invite)
        calls.from_callee(invite, "UPDATE", 700)
        accept(invite)
        calls.send("ACK", within=invite)
        (dialog,) = calls.dialogs
        assert (dialog.caller.cseq, dialog.callee.cseq) == (3, 700)


def test_a_caller_who_moves_before_the_answer_is_found_after_it() -> None:
    with Calls() as calls:
        invite = calls.answered(183)
        update = calls.send("UPDATE", headers={"Contact": "<sip:alice@192.0.2.77>"}, within=invite)
        update.relayed[0].answer(200, Contact=f"<{BOB}:5071>")
        accept(invite)
        (dialog,) = calls.dialogs
        assert (dialog.caller.contact, dialog.callee.contact) == ("sip:alice@192.0.2.77", f"{BOB}:5070")


# --- time ---------------------------------------------------------------------------------------------------------


def test_an_avp_says_how_long() -> None:
    route = ROUTE.replace("setflag(4);", "setflag(4); $avp(s:long) = 100;")
    with Calls('timeout_avp="$avp(s:long)"', route=route) as calls:
        calls.call()
        calls.run_for(98)
        assert calls.figures == (1, 0, 1, 0, 0)
        calls.run_for(4)
        assert calls.figures == (0, 0, 1, 1, 0)


def test_a_later_request_may_begin_the_time_anew() -> None:
    route = 'route { if (is_method("INFO")) $avp(s:long) = 500; ' + ROUTE.replace("route {", "", 1)
    with Calls('timeout_avp="$avp(s:long)"', "default_timeout=100", route=route) as calls:
        invite = calls.call()
        calls.run_for(90)
        calls.send("OPTIONS", within=invite)
        calls.send("INFO", within=invite)
        calls.run_for(490)
        assert calls.figures[:1] == (1,)
        calls.run_for(20)
        assert calls.figures == (0, 0, 1, 1, 0)


def test_how_long_ago_it_was_answered_is_unknown_before() -> None:
    with Calls() as calls:
        invite = calls.answered(183)
        assert calls.send("PRACK", within=invite).value("$DLG_lifetime") is None


def test_how_long_ago_it_was_answered() -> None:
    with Calls() as calls:
        invite = calls.call()
        calls.run_for(77)
        bye = calls.send("BYE", within=invite)
        assert bye.value("$DLG_lifetime") == 77
