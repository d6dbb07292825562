from __future__ import annotations

from pathlib import Path

import pytest

from openpy.script.diagnostics import ScriptError
from tests.engine.kit import Bench, Sent, answer, code_of, evaluate, request

NEXT = "sip:bob@192.0.2.9"


def forwarded(tmp_path: Path, route: str, message: bytes, more: str = "") -> Sent:
    with Bench(tmp_path, route, more=more) as bench:
        bench.server.hosts["gw.example"] = ("192.0.2.77",)
        (sent,) = bench.receive(message)
        return sent


# --- forward --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("route", "target"),
    [
        ("forward();", "udp:192.0.2.9:5060"),
        ('forward("192.0.2.20");', "udp:192.0.2.20:5060"),
        ('forward("192.0.2.20:5070");', "udp:192.0.2.20:5070"),
        ('forward("udp:192.0.2.20:5070");', "udp:192.0.2.20:5070"),
        ("forward(192.0.2.20);", "udp:192.0.2.20:5060"),
        ("forward(udp:192.0.2.20:5070);", "udp:192.0.2.20:5070"),
        ('forward("gw.example:5070");', "udp:192.0.2.77:5070"),
        ("forward(192.0.2.20, 5070);", "udp:192.0.2.20:5070"),
        ('forward("gw.example", 5070);', "udp:192.0.2.77:5070"),
        ("forward(uri:host, uri:port);", "udp:192.0.2.9:5060"),
        ("forward(uri:host, 5070);", "udp:192.0.2.9:5070"),
        ('rewritehostport("192.0.2.30:5090"); forward(uri:host, uri:port);', "udp:192.0.2.30:5090"),
        ('setdsturi("sip:192.0.2.40:5080"); forward();', "udp:192.0.2.40:5080"),
        ('setdsturi("sip:192.0.2.40:5080"); forward(uri:host, uri:port);', "udp:192.0.2.9:5060"),
        ('rewritehost("gw.example"); forward();', "udp:192.0.2.77:5060"),
    ],
)
def test_where_a_request_is_forwarded_to(tmp_path: Path, route: str, target: str) -> None:
    assert forwarded(tmp_path, route, request(uri=NEXT)).to == target


def test_a_forwarded_request_carries_all_changes_and_our_via(tmp_path: Path) -> None:
    route = (
        'mf_process_maxfwd_header("10"); rewriteuser("carol"); append_hf("X-New: 1\\r\\n"); '
        'remove_hf("X-Old"); forward();'
    )
    sent = forwarded(tmp_path, route, request("MESSAGE", NEXT, "Max-Forwards: 70", "X-Old: 1", body=b"text"))
    assert sent.start == "MESSAGE sip:carol@192.0.2.9 SIP/2.0"
    assert (sent.all("Max-Forwards"), sent.get("X-New"), sent.all("X-Old")) == (["69"], "1", [])
    ours, theirs = sent.all("Via")
    assert ours.startswith("SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK")
    assert theirs == "SIP/2.0/UDP 192.0.2.1:5066;branch=z9hG4bKtest"
    assert sent.data.endswith(b"\r\n\r\ntext")


def test_retransmissions_cancel_and_ack_have_one_branch(tmp_path: Path) -> None:
    """RFC 3261 16.11: a stateless proxy chooses the same branch each time."""
    with Bench(tmp_path, "forward();") as bench:
        for method in ("INVITE", "INVITE", "CANCEL", "ACK"):
            bench.receive(request(method, NEXT))
        assert len({sent.all("Via")[0] for sent in bench.sent}) == 1
        bench.receive(request("INVITE", NEXT, branch="z9hG4bKother"))
        assert len({sent.all("Via")[0] for sent in bench.sent}) == 2
        assert bench.server.transactions.servers_in_use == 0
        assert bench.value("fwd_requests") == 5


@pytest.mark.parametrize("advertise", [";", 'set_advertised_address("far.example"); set_advertised_port(9);'])
def test_replies_to_a_forwarded_request_find_their_way_back(tmp_path: Path, advertise: str) -> None:
    with Bench(tmp_path, f"{advertise} forward();") as bench:
        (sent,) = bench.receive(request("INVITE", NEXT))
        for status in (180, 200):
            (back,) = bench.receive(answer(sent, status))
            assert back.start == f"SIP/2.0 {status} Reason"
            assert back.to == "udp:192.0.2.1:5066"
            assert back.all("Via") == ["SIP/2.0/UDP 192.0.2.1:5066;branch=z9hG4bKtest"]
        assert bench.value("fwd_replies") == 2


def test_replies_find_the_connection_that_the_request_came_by(tmp_path: Path) -> None:
    with Bench(tmp_path, "forward();") as bench:
        via = "SIP/2.0/TCP phone.example:5062;branch=z9hG4bKa"
        (sent,) = bench.receive(request(uri=NEXT, via=via), bench.phone("tcp", port=40000))
        assert sent.all("Via")[1] == f"{via};rport=40000;received=192.0.2.1"


@pytest.mark.parametrize(
    ("uri", "code", "answered"),
    [
        ("tel:+12345", -475, "SIP/2.0 475 Bad URI (475/SL)"),
        ("sip:bob@192.0.2.9;transport=sctp", -475, "SIP/2.0 475 Bad URI (475/SL)"),
        ("sip:bob@unknown.example", -476, "SIP/2.0 476 Unresolvable destination (476/SL)"),
        ("sip:bob@192.0.2.66", -473, "SIP/2.0 473 Filtered destination (473/SL)"),
    ],
)
def test_what_cannot_be_forwarded(tmp_path: Path, uri: str, code: int, answered: str) -> None:
    more = 'dst_blacklist=no:{(any,192.0.2.66,0,"")}'
    before = 'use_blacklist("no");'
    assert code_of(tmp_path, "forward()", request(uri=uri), before=before, more=more) == code
    route = f"{before} if (!forward()) sl_reply_error();"
    assert forwarded(tmp_path, route, request(uri=uri), more).start == answered


def test_a_connection_that_does_not_come_up(tmp_path: Path) -> None:
    with Bench(tmp_path, "if (!forward()) sl_reply_error();") as bench:
        bench.receive(request(uri=f"{NEXT};transport=tcp"))
        bench.server.connecting[0][1].resolve(None)
        assert [sent.start for sent in bench.sent] == ["SIP/2.0 477 Send failed (477/SL)"]


@pytest.mark.parametrize(
    ("route", "code"),
    [('$ru="none"; $var(c)=forward(uri:host, 5060);', -475), ('$ru="none"; $var(c)=forward();', -475)],
)
def test_a_request_uri_that_is_none_is_a_parse_error(tmp_path: Path, route: str, code: int) -> None:
    more = 'error_route { xlog("$err.info"); }'
    with Bench(tmp_path, f'{route} xlog("$var(c)");', more=more) as bench:
        bench.receive(request())
        info, printed = bench.printed()
        assert (info[:13], printed) == ("error parsing", str(code))


def test_a_host_without_a_place_is_no_destination(tmp_path: Path) -> None:
    """The scheme tel: has no host that `uri:host` could mean."""
    assert code_of(tmp_path, "forward(uri:host, 5060)", request(uri="tel:+1")) < 0


def test_replies_are_not_forwarded_by_forward(tmp_path: Path) -> None:
    script = """loadmodule "xlog.so"
        route { exit; }
        onreply_route { $var(c) = forward(); xlog("$var(c)"); }"""
    with Bench(tmp_path, script=script) as bench:
        bench.phone().send(request())
        bench.receive(answer(bench.sent[0], 200))
        assert list(bench.printed()) == ["-1"]


@pytest.mark.parametrize(
    "call",
    [
        'forward("sctp:192.0.2.1")',
        'forward("udp:192.0.2.1:x")',
        'forward("a b")',
        "forward(192.0.2.1, 70000)",
        'forward("192.0.2.1", "uri:host")',
        'send("x:y:z")',
        "send()",
        'use_blacklist("unknown")',
        'force_send_socket("udp:192.0.2.1:port")',
        "set_advertised_port(0)",
        'set_advertised_address("no host")',
        "force_tcp_alias(70000)",
    ],
)
def test_bad_arguments_are_told_when_the_script_is_loaded(tmp_path: Path, call: str) -> None:
    with pytest.raises(ScriptError):
        Bench(tmp_path, f"{call};")


# --- send -----------------------------------------------------------------------------------------------------


def test_send_sends_the_bytes_as_received(tmp_path: Path) -> None:
    message = request("MESSAGE", NEXT, body=b"x")
    sent = forwarded(
        tmp_path, 'rewriteuser("x"); append_hf("A: b\\r\\n"); send("udp:192.0.2.20:5070");', message
    )
    assert (sent.to, sent.data) == ("udp:192.0.2.20:5070", message)


def test_send_sends_replies_too(tmp_path: Path) -> None:
    script = 'route { exit; } onreply_route { send("192.0.2.20"); }'
    with Bench(tmp_path, script=script) as bench:
        bench.phone().send(request())
        reply = answer(bench.sent[0], 200)
        (sent,) = bench.receive(reply)
        assert (sent.to, sent.data) == ("udp:192.0.2.20:5060", reply)


def test_what_cannot_be_sent(tmp_path: Path) -> None:
    assert code_of(tmp_path, 'send("unknown.example")', request()) == -476
    more = 'dst_blacklist=no:{(any,192.0.2.66,0,"OPTIONS*")}'
    before = 'use_blacklist("no");'
    assert code_of(tmp_path, 'send("192.0.2.66")', request(), before=before, more=more) == -473
    assert code_of(tmp_path, 'send("192.0.2.66")', request(), more=more) == 1


# --- how it leaves --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("relay", ["forward();", "t_relay();"])
@pytest.mark.parametrize(
    ("before", "more", "via"),
    [
        (";", "", "127.0.0.1:5060;branch=*"),
        ("force_local_rport();", "", "127.0.0.1:5060;branch=*;rport"),
        ("add_local_rport;", "", "127.0.0.1:5060;branch=*;rport"),
        ('set_advertised_address("far.example");', "", "far.example:5060;branch=*"),
        ("set_advertised_address(far.example);", "", "far.example:5060;branch=*"),
        ("set_advertised_address(192.0.2.99);", "", "192.0.2.99:5060;branch=*"),
        ('set_advertised_address("2001:db8::1");', "", "[2001:db8::1]:5060;branch=*"),
        ("set_advertised_port(9);", "", "127.0.0.1:9;branch=*"),
        (";", 'advertised_address="far.example" advertised_port=9', "far.example:9;branch=*"),
        ("set_advertised_port(8);", 'advertised_address="far.example"', "far.example:8;branch=*"),
    ],
)
def test_our_via(tmp_path: Path, relay: str, before: str, more: str, via: str) -> None:
    sent = forwarded(tmp_path, before + relay, request("MESSAGE", NEXT), more)
    start, end = f"SIP/2.0/UDP {via}".split("*")
    ours = sent.all("Via")[0]
    assert ours.startswith(start)
    assert ours.endswith(end)
    assert (";rport" in ours) is (";rport" in via)


@pytest.mark.parametrize("relay", ["forward();", "t_relay();"])
def test_a_forced_socket(tmp_path: Path, relay: str) -> None:
    with Bench(tmp_path) as bench:
        port = bench.server.sockets.endpoints[0].port
    with Bench(tmp_path, f"force_send_socket(udp:127.0.0.1); {relay}") as bench:
        port = bench.server.sockets.endpoints[0].port
        (sent,) = bench.receive(request("MESSAGE", NEXT))
        assert sent.flow.local_port == port
        assert sent.all("Via")[0].startswith(f"SIP/2.0/UDP 127.0.0.1:{port};")


@pytest.mark.parametrize("relay", ["forward()", 't_relay("0x02")', 'send("192.0.2.9")'])
@pytest.mark.parametrize(("target", "is_sent"), [("192.0.2.9", False), ("192.0.2.10", True)])
def test_a_blacklist_is_in_force_wherever_a_destination_is_chosen(
    tmp_path: Path, relay: str, target: str, is_sent: bool
) -> None:
    more = 'dst_blacklist=no:{(udp,192.0.2.9,0,"")}\ndst_blacklist=more:{(udp,192.0.2.11,0,"")}'
    route = f'use_blacklist("no"); use_blacklist("more"); use_blacklist("no"); {relay.replace("192.0.2.9", target)};'
    with Bench(tmp_path, route, more=more) as bench:
        assert bool(bench.receive(request("MESSAGE", f"sip:bob@{target}"))) is is_sent
    assert code_of(tmp_path, 'use_blacklist("no")', request(), more=more) == 1


# --- how replies come back ------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["force_rport();", "force_rport;", "add_rport();"])
def test_force_rport_treats_the_via_as_one_with_rport(tmp_path: Path, call: str) -> None:
    """RFC 3581 4: the reply goes to the port that the request came from, and says which that is."""
    message = request("OPTIONS", NEXT, via="SIP/2.0/UDP 10.0.0.1:9;branch=z9hG4bKa")
    filled = "SIP/2.0/UDP 10.0.0.1:9;branch=z9hG4bKa;rport=5066;received=192.0.2.1"
    assert forwarded(tmp_path, call + "forward();", message).all("Via")[1] == filled
    assert forwarded(tmp_path, call + "t_relay();", message).all("Via")[1] == filled
    for more in ("", "reply_to_via=yes"):
        sent = forwarded(tmp_path, call + 'sl_send_reply("200", "OK");', message, more)
        assert (sent.get("Via"), sent.to) == (filled, "udp:192.0.2.1:5066")


def test_without_force_rport_the_via_stays_as_it_came(tmp_path: Path) -> None:
    message = request("OPTIONS", NEXT, via="SIP/2.0/UDP 10.0.0.1:9;branch=z9hG4bKa")
    assert (
        forwarded(tmp_path, "forward();", message)
        .all("Via")[1]
        .endswith("9;branch=z9hG4bKa;received=192.0.2.1")
    )


@pytest.mark.parametrize("call", ["force_tcp_alias()", "force_tcp_alias", "add_tcp_alias(5070)"])
def test_force_tcp_alias_does_nothing_by_udp(tmp_path: Path, call: str) -> None:
    assert code_of(tmp_path, call, request()) == 1


def test_force_tcp_alias_fails_without_a_connection(tmp_path: Path) -> None:
    with Bench(tmp_path, '$var(c) = force_tcp_alias(); xlog("$var(c)");') as bench:
        bench.receive(request(), bench.phone("tcp"))
        assert list(bench.printed()) == ["-1"]


def test_the_calls_take_effect_once(tmp_path: Path) -> None:
    assert evaluate(tmp_path, "$fs", request(), before="force_send_socket(127.0.0.1); $fs=NULL;") == "<null>"
