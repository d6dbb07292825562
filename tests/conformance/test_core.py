"""Rows of docs/conformance-core.md that no other test shows, and what is done instead where one is not met."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from openpy.modules.tm.requests import OwnRequest
from openpy.testing.script import Script
from tests.engine.kit import Bench, answer, request
from tests.modules.presence.kit import House, presence
from tests.modules.tm.forking import Call, branches, uri
from tests.modules.usrloc.kit import contacts_of, register
from tests.modules.usrloc.kit import script as registrar

NEXT = "sip:bob@192.0.2.9"
LOADS = "".join(f'loadmodule "{name}.so"\n' for name in ("sl", "tm", "rr", "maxfwd", "textops"))


def proxy(route: str) -> Script:
    """A script that forwards, in virtual time."""
    return Script(f"listen=udp:127.0.0.1:5060\n{LOADS}route {{ {route} }}\n")


# --- section 8 ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "sent"),
    [
        (199, ["SIP/2.0 199 Reason"]),
        (299, ["SIP/2.0 299 Reason", f"CANCEL {uri(2)} SIP/2.0"]),
        (499, [f"ACK {uri(1)} SIP/2.0"]),
        (699, [f"ACK {uri(1)} SIP/2.0", f"CANCEL {uri(2)} SIP/2.0"]),
    ],
)
def test_a_status_that_nobody_knows_is_one_of_its_class(tmp_path: Path, status: int, sent: list[str]) -> None:
    with Call(tmp_path, f"{branches(1, 2)} t_relay();") as call:
        call.answer(2, 180)
        assert call.answer(1, status) == sent


@pytest.mark.parametrize(
    ("transport", "contact"),
    [("tls", "<sips:192.0.2.1:5060>"), ("udp", "<sip:192.0.2.1:5060;transport=udp>")],
)
def test_the_contact_in_a_secure_dialog_is_a_sips_uri_where_that_leads_here(
    transport: str, contact: str
) -> None:
    house = House()
    house.listening.add(("192.0.2.7", 5070))
    watcher = f"<sip:bob@192.0.2.7:5070;transport={transport}>"
    exchange = house.subscribe(uri="sips:alice@example.org", contact=watcher, transport=transport)
    assert exchange["Contact"] == house.take_one().get("Contact") == contact


def own(bench: Bench, method: str) -> tuple[OwnRequest, list[int]]:
    """Send a request of our own; the statuses of its answers so far."""
    made = OwnRequest(method, NEXT, "<sip:us@example.com>;tag=ours", f"<{NEXT}>", "own-1", 3)
    statuses: list[int] = []
    module = bench.server.module("tm")
    assert module is not None
    wait = module.bind().request(made)
    wait.on_done(lambda: statuses.append(wait.value.status))
    return made, statuses


def test_a_reply_to_our_own_request_with_two_vias_is_taken(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        _, statuses = own(bench, "MESSAGE")
        reply = answer(bench.sent[0], 200)
        bench.receive(
            reply.replace(b"\r\nFrom:", b"\r\nVia: SIP/2.0/UDP 192.0.2.66;branch=z9hG4bKx\r\nFrom:")
        )
        assert statuses == [200]


def test_a_script_refuses_a_method_and_says_which_it_serves() -> None:
    route = """if (!is_method("OPTIONS")) { append_to_reply("Allow: OPTIONS\\r\\n");
        sl_send_reply("405", "Method Not Allowed"); exit; } sl_send_reply("200", "OK");"""
    with proxy(route) as script:
        refused = script.send("MESSAGE", "sip:example.org")
        assert (refused.status, refused.get("Allow")) == (405, "OPTIONS")
        assert script.send("OPTIONS", "sip:example.org").status == 200


def test_what_a_cancel_requires_is_ignored(tmp_path: Path) -> None:
    needs = "Require: 100rel", "Proxy-Require: sec-agree"
    with Bench(tmp_path, "t_relay();") as bench:
        _, invite = bench.receive(request("INVITE", NEXT, "Route: <sip:p.example;lr>", *needs))
        bench.receive(answer(invite, 180))
        ok, cancel = bench.receive(request("CANCEL", NEXT, *needs))
        assert ok.start.startswith("SIP/2.0 200 ")
        assert cancel.get("Route") == invite.get("Route") != ""
        assert (invite.get("Require"), cancel.get("Require"), cancel.get("Proxy-Require")) == (
            "100rel",
            "",
            "",
        )


def test_every_language_is_taken() -> None:
    assert House().publish(presence("open"), "Content-Language: tlh").status == 200


# --- section 9 ----------------------------------------------------------------------------------------------------


def test_the_answers_to_invite_and_cancel_have_one_tag(tmp_path: Path) -> None:
    with Bench(tmp_path, "t_relay();") as bench:
        bench.receive(request("INVITE", NEXT))
        ok, terminated = bench.receive(request("CANCEL", NEXT))
        assert (ok.start[8:11], terminated.start[8:11]) == ("200", "487")
        assert ok.get("To") == terminated.get("To")
        assert ";tag=" in ok.get("To")


# --- section 10 ---------------------------------------------------------------------------------------------------


def test_record_route_means_nothing_in_a_register() -> None:
    with registrar() as server:
        accepted = register(server, headers={"Record-Route": "<sip:p.example;lr>"})
        refused = register(server, "*", headers={"Record-Route": "<sip:p.example;lr>"}, cseq=2)
        assert (accepted.status, refused.status) == (200, 400)
        assert accepted.all("Record-Route") + refused.all("Record-Route") == []
        (call,) = server.send("INVITE", "sip:bob@example.org").relayed
        assert (call.target, call.all("Route")) == ("udp:192.0.2.7:5060", [])


@pytest.mark.parametrize("route", ['save("location");', 'append_time(); save("location");'])
def test_the_200_to_a_register_says_what_time_it_is(route: str) -> None:
    with Script(f'{LOADS}loadmodule "usrloc.so"\nloadmodule "registrar.so"\nroute {{ {route} }}\n') as script:
        (date,) = register(script).all("Date")
        assert parsedate_to_datetime(date).timestamp() == int(script.server.clock.wall())


@pytest.mark.parametrize("contact", ["*, <sip:bob@192.0.2.8>", "<sip:bob@192.0.2.8>, *", "*;q=1", "**"])
def test_star_comes_alone(contact: str) -> None:
    with registrar() as server:
        register(server)
        assert register(server, contact, cseq=2, expires=0).status == 400
        assert contacts_of(server) == ["sip:bob@192.0.2.7"]


def test_a_script_refuses_a_register_for_another_domain() -> None:
    route = """if (uri!=myself) { sl_send_reply("404", "Not Found"); exit; } save("location");"""
    with registrar(route=f'{route} }} route[1] {{ lookup("location");') as server:
        assert register(server).status == 404


# --- section 12 ---------------------------------------------------------------------------------------------------


def test_a_watcher_without_a_from_tag() -> None:
    house = House()
    exchange = house.subscribe(from_="<sip:bob@example.org>")
    assert exchange.status == 200
    notify = house.take_one()
    assert (notify.get("To"), notify.from_.tag) == ("<sip:bob@example.org>", exchange.reply.to.tag)


# --- section 13 ---------------------------------------------------------------------------------------------------


def test_an_ack_of_ours_has_no_body(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        own(bench, "INVITE")
        reply = answer(bench.sent[0], 200).replace(
            b"Content-Length: 0\r\n\r\n",
            b"Contact: <sip:bob@192.0.2.9>\r\nContent-Type: application/sdp\r\nContent-Length: 3\r\n\r\nv=0",
        )
        (ack,) = bench.receive(reply)
        assert ack.start.startswith("ACK ")
        assert ack.data.endswith(b"Content-Length: 0\r\n\r\n")


# --- section 16 ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["t_relay", "forward"])
def test_a_request_that_came_by_two_ways_is_forwarded_twice(tmp_path: Path, call: str) -> None:
    with Bench(tmp_path, f"{call}();") as bench:
        for branch in ("z9hG4bKone", "z9hG4bKtwo"):
            bench.receive(request("INVITE", NEXT, branch=branch))
        sent = [each for each in bench.sent if each.start.startswith("INVITE ")]
        assert len({each.get("Via") for each in sent}) == 2


HOPS = 'if (!mf_process_maxfwd_header("70")) { sl_send_reply("483", "Too Many Hops"); exit; } t_relay();'


@pytest.mark.parametrize(("came", "left"), [(None, "70"), (70, "69"), (1, "0")])
def test_hops(came: int | None, left: str) -> None:
    with proxy(HOPS) as script:
        (relayed,) = script.send("OPTIONS", NEXT, Max_Forwards=came).relayed
        assert relayed.all("Max-Forwards") == [left]
        refused = script.send("OPTIONS", NEXT, Max_Forwards=0)
        assert (refused.status, refused.relayed) == (483, [])


def test_a_script_refuses_what_a_proxy_should_know() -> None:
    route = """if (is_present_hf("Proxy-Require")) {
        append_to_reply("Unsupported: $hdr(Proxy-Require)\\r\\n"); sl_send_reply("420", "Bad Extension"); exit; }
        t_relay();"""
    with proxy(route) as script:
        refused = script.send("OPTIONS", NEXT, Proxy_Require="sec-agree")
        assert (refused.status, refused.get("Unsupported"), refused.relayed) == (420, "sec-agree", [])
        assert len(script.send("OPTIONS", NEXT).relayed) == 1


def test_a_maddr_of_ours_leads_here_and_any_other_there() -> None:
    route = """if (uri == "sip:bob@example.org") { sl_send_reply("404", "Nobody"); exit; } t_relay();"""
    with proxy(route) as script:
        assert script.send("OPTIONS", "sip:bob@example.org;maddr=127.0.0.1").status == 404
        (relayed,) = script.send("OPTIONS", "sip:bob@example.org;maddr=192.0.2.9").relayed
        assert (relayed.uri, relayed.target) == (
            "sip:bob@example.org;maddr=192.0.2.9",
            "udp:192.0.2.9:5060",
        )


@pytest.mark.parametrize(("call", "status"), [("t_relay", 183), ("t_relay", 404), ("forward", 200)])
def test_what_comes_back_is_left_as_it_is(call: str, status: int) -> None:
    kept = "X-Other: a,  b\r\nX-OTHER: c\r\nRecord-Route: <sip:p.example;lr>\r\nSubject:\r\n folded\r\n"
    with proxy(f"{call}();") as script:
        exchange = script.send("INVITE", NEXT, Via="SIP/2.0/UDP phone.example;branch=z9hG4bKx")
        (relayed,) = exchange.relayed
        ours, theirs = relayed.all("Via")
        assert ";received=192.0.2.1" in theirs
        rest = (
            f"From: {relayed.get('From')}\r\nTo: {relayed.get('To')};tag=Theirs;x=1\r\n"
            f"Call-ID: {relayed.get('Call-ID')}\r\nCSeq: {relayed.get('CSeq')}\r\n{kept}"
            "Content-Length: 4\r\n\r\n\0\xff\r\n"
        ).encode("latin-1")
        head = f"SIP/2.0 {status}  odd  reason\r\n".encode()
        script.send(head + f"Via: {ours}\r\nVia: {theirs}\r\n".encode() + rest, source="udp:192.0.2.9:5060")
        assert exchange.reply.data == head + f"Via: {theirs}\r\n".encode() + rest


def test_without_state_there_is_one_target_and_a_repetition_is_the_same(tmp_path: Path) -> None:
    modules = ("sl", "tm", "maxfwd", "textops", "xlog", "rr")
    route = (
        'append_branch("sip:carol@192.0.2.21"); mf_process_maxfwd_header("10"); record_route(); forward();'
    )
    with Bench(tmp_path, route, modules=modules) as bench:
        data = request("INVITE", NEXT)
        (first,), (again,) = bench.receive(data), bench.receive(data)
        assert first.data == again.data
        assert first.to == again.to == "udp:192.0.2.9:5060"
        assert first.get("Record-Route") != ""


# --- section 18 ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "to"), [("", "udp:192.0.2.1:5066"), ("reply_to_via=yes", "udp:192.0.2.66:5066")]
)
def test_replies_go_where_maddr_says_if_the_script_says_so(tmp_path: Path, more: str, to: str) -> None:
    with Bench(tmp_path, 'sl_send_reply("200", "OK");', more=more) as bench:
        (sent,) = bench.receive(request(via="SIP/2.0/UDP 192.0.2.1:5066;maddr=192.0.2.66;branch=z9hG4bKx"))
        assert sent.to == to


def test_a_reply_that_was_cut_off_is_discarded(tmp_path: Path) -> None:
    with Bench(tmp_path, "t_relay();") as bench:
        _, invite = bench.receive(request("INVITE", NEXT))
        reply = answer(invite, 200)
        assert bench.receive(reply.replace(b"Content-Length: 0", b"Content-Length: 9")) == []
        assert bench.value("drop_replies") == 1
        assert [sent.start for sent in bench.receive(reply)] == ["SIP/2.0 200 Reason"]
