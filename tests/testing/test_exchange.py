"""One request, and what came of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from openpy.script.environment import ArgumentError
from openpy.testing.exchange import peer_of
from openpy.testing.script import Script

BOB = "sip:bob@192.0.2.9"
MODULES = 'loadmodule "sl.so"\nloadmodule "tm.so"\nloadmodule "textops.so"\n'

Load = Callable[..., Script]


@pytest.fixture
def relaying(load_script: Load) -> Script:
    return load_script(f"{MODULES}route {{ t_relay(); }}")


def test_what_was_relayed_and_what_came_back(relaying: Script) -> None:
    call = relaying.send("INVITE", BOB)
    assert (call.status, call.reason) == (100, "Giving a try")
    assert repr(call) == f"<Exchange INVITE {BOB}: 100 Giving a try>"
    (invite,) = call.relayed
    assert (invite.method, invite.uri, invite.target) == ("INVITE", BOB, "udp:192.0.2.9:5060")
    assert (invite.status, invite.reason) == (0, "")
    assert invite.body == call.message.body
    ringing = invite.answer(180)
    assert [str(sent) for sent in ringing] == ["180 Ringing (1 INVITE) to udp:192.0.2.1:5060"]
    invite.answer(200, "Fine", {"Contact": "<sip:bob@192.0.2.9:5099>"}, b"sdp", X_Token="a")
    assert [item.status for item in call.replies] == [100, 180, 200]
    assert (call.status, call.reason, call.body, call.get("X-Token")) == (200, "Fine", b"sdp", "a")
    assert (call.reply.method, call.reply.uri) == ("INVITE", "")
    assert len(call.all("Via")) == 1


def test_a_reply_is_answered_by_nobody(relaying: Script) -> None:
    call = relaying.send("INVITE", BOB)
    with pytest.raises(TypeError, match="is a reply"):
        call.reply.answer(200)


def test_retransmissions_are_told_apart(relaying: Script) -> None:
    call = relaying.send("INVITE", BOB)
    again = relaying.run_for(1.6)
    assert [sent.again for sent in again] == [True, True]
    assert len(call.relayed) == 1


def test_a_dialog_goes_on(relaying: Script) -> None:
    call = relaying.send("INVITE", BOB)
    routes = ["<sip:192.0.2.20;lr>", "<sip:192.0.2.21;lr>"]
    call.relayed[0].answer(200, Contact="<sip:bob@192.0.2.9:5099>", Record_Route=routes)
    ack = relaying.send("ACK", within=call)
    bye = relaying.send("BYE", within=call, X_Reason="done")
    assert ack.relayed[0].uri == bye.relayed[0].uri == "sip:bob@192.0.2.9:5099"
    assert [item.message.get("CSeq") for item in (ack, bye)] == ["1 ACK", "2 BYE"]
    assert bye.message.all("Route") == routes[::-1]
    assert bye.message.get("To") == f"<{BOB}>;tag=peer"
    assert bye.message.get("X-Reason") == "done"


def test_without_a_contact_it_goes_on_to_the_same_uri(relaying: Script) -> None:
    call = relaying.send("INVITE", BOB)
    call.relayed[0].answer(200)
    assert relaying.send("BYE", within=call).relayed[0].uri == BOB


def test_what_the_script_left(load_script: Load) -> None:
    script = load_script(
        MODULES
        + "route { setflag(3); setsflag(1); setbflag(2); $var(x) = 5; $avp(s:who) = 'me';"
        ' $avp(i:7) = 1; $ru = "sip:new@example.com"; return(7); }'.replace("'", '"')
    )
    call = script.send("OPTIONS", BOB)
    assert (call.flags, call.script_flags, call.branch_flags) == ({3}, {1}, {2})
    assert call.variables == {"x": 5}
    assert call.avps == {"who": ["me"], 7: [1]}
    assert (call.code, call.dropped, call.routes) == (7, False, ["route"])
    assert call.value("$ru") == "sip:new@example.com"
    assert call.value("$(ru{uri.user})") == "new"
    assert call.value("$avp(s:other)") is None
    with pytest.raises(ArgumentError):
        call.value("$nothing")
    with pytest.raises(AssertionError, match=f"OPTIONS {BOB} was not answered"):
        _ = call.status


def test_a_route_that_was_left(load_script: Load) -> None:
    script = load_script(MODULES + 'route { if (method == "INFO") drop; route(2); }\nroute[2] { exit; }')
    info, options = script.send("INFO", BOB), script.send("OPTIONS", BOB)
    assert (info.code, info.dropped, info.routes) == (None, True, ["route"])
    assert (options.code, options.dropped, options.routes) == (None, False, ["route", "route[2]"])


def test_what_never_reached_the_script(relaying: Script) -> None:
    call = relaying.send("OPTIONS", BOB, CSeq="1 INVITE")
    assert call.status == 400
    with pytest.raises(AssertionError, match="did not reach the script"):
        _ = call.flags


@pytest.mark.parametrize(
    ("text", "peer"),
    [
        ("192.0.2.1", ("udp", "192.0.2.1", 5060)),
        ("192.0.2.1:5070", ("udp", "192.0.2.1", 5070)),
        ("tcp:192.0.2.1:5070", ("tcp", "192.0.2.1", 5070)),
        ("udp:[2001:db8::1]:5070", ("udp", "2001:db8::1", 5070)),
    ],
)
def test_peers(text: str, peer: tuple[str, str, int]) -> None:
    assert peer_of(text) == peer


@pytest.mark.parametrize("text", ["tcp:a b", "example.com", "sctp:192.0.2.1"])
def test_what_is_no_peer(text: str) -> None:
    with pytest.raises(ValueError, match=f'"{text}" is no peer'):
        peer_of(text)


def test_a_request_that_comes_again_is_an_exchange_of_its_own(load_script: Load) -> None:
    script = load_script(f'{MODULES}route {{ t_newtran(); t_reply("200", "OK"); }}')
    first = script.send("OPTIONS", BOB)
    second = script.send(first.message.raw)
    assert (first.status, second.status) == (200, 200)
    assert (first.routes, second.routes) == (["route"], [])
    assert second.reply.again
