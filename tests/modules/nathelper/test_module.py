from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from openpy.modules.nathelper.module import Nathelper
from openpy.script.diagnostics import ScriptError
from openpy.testing.exchange import Sent
from openpy.testing.script import Script
from tests.engine.kit import Bench, answer
from tests.modules.accounts import setting
from tests.modules.dispatcher.kit import command
from tests.modules.nathelper.kit import CONTACT, NAT, PRIVATE, SDP, bench, body_of, call, forwarded

AVP = 'modparam("nathelper|registrar", "received_avp", "$avp(i:801)")\n'


def test_the_parameters() -> None:
    found = {name: item.default for name, item in Nathelper.parameters().items()}
    assert found == {
        "natping_interval": 0,
        "ping_nated_only": 0,
        "natping_processes": 1,
        "natping_socket": "",
        "received_avp": "",
        "sipping_bflag": -1,
        "sipping_from": "",
        "sipping_method": "OPTIONS",
        "force_socket": "",
        "rtpproxy_sock": [],
        "rtpproxy_disable_tout": 60,
        "rtpproxy_retr": 5,
        "rtpproxy_tout": 1,
        "nortpproxy_str": "a=nortpproxy:yes\r\n",
    }


PINGING = setting("nathelper", "natping_interval", 30)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (setting("nathelper", "natping_interval", -1), "0 or more expected, not -1"),
        (setting("nathelper", "ping_nated_only", 2), "0 or 1 expected, not 2"),
        (setting("nathelper", "natping_socket", "tcp:192.0.2.1:5060"), "pings leave by UDP"),
        (setting("nathelper", "force_socket", "192.0.2.1:x"), "is no address"),
        (setting("nathelper", "received_avp", "$ru"), "is no AVP"),
        (setting("nathelper", "sipping_bflag", 32), "32 is no flag: there are 0 to 31"),
        (setting("nathelper", "sipping_from", "nobody"), '"nobody" is no URI'),
        (setting("nathelper", "sipping_method", "ACK"), '"ACK" is no method to ask with'),
        (PINGING + setting("nathelper", "ping_nated_only", 1), "usrloc has no nat_bflag"),
        (PINGING + setting("nathelper", "sipping_bflag", 8), "sipping_from is not"),
    ],
)
def test_wrong_parameters_stop_the_start(tmp_path: Path, settings: str, told: str) -> None:
    with pytest.raises(ScriptError, match=told):
        bench(tmp_path, "exit;", more=settings)


def test_pings_need_usrloc(tmp_path: Path) -> None:
    with pytest.raises(ScriptError, match="nathelper needs usrloc"):
        Bench(tmp_path, more=PINGING, modules=("sl", "nathelper"))
    Bench(tmp_path, modules=("sl", "nathelper")).close()


@pytest.mark.parametrize(
    "statement", ['nat_uac_test("x");', 'fix_nated_sdp("0xg");', "fix_nated_register();"]
)
def test_wrong_calls(tmp_path: Path, statement: str) -> None:
    with pytest.raises(ScriptError):
        bench(tmp_path, statement)


# --- what is repaired -------------------------------------------------------------------------------------------------


def test_a_contact(tmp_path: Path) -> None:
    route = 'fix_nated_contact(); $var(a) = $retcode; fix_nated_contact(); xlog("$var(a) $retcode");'
    sent, printed = forwarded(tmp_path, route, call())
    assert sent.all("Contact") == [f"<sip:bob@{NAT[0]}:{NAT[1]}>"]
    assert printed == ["1 -1"]
    _, printed = forwarded(tmp_path, route, call("Subject: x"))
    assert printed == ["-1 -1"]


def test_each_branch_has_a_contact_of_its_own(tmp_path: Path) -> None:
    more = 'branch_route[1] { fix_nated_contact(); xlog("$retcode"); }'
    route = 'append_branch("sip:dave@192.0.2.10"); t_on_branch("1"); t_relay();'
    with bench(tmp_path, route, more=more) as given:
        given.receive(call(), given.phone(host=NAT[0], port=NAT[1]))
        assert list(given.printed()) == ["1", "1"]
        sent = [each for each in given.sent if each.start.startswith("INVITE")]
        assert [each.get("Contact") for each in sent] == [f"<sip:bob@{NAT[0]}:{NAT[1]}>"] * 2


def test_the_contact_of_a_reply(tmp_path: Path) -> None:
    more = "onreply_route[1] { fix_nated_contact(); }"
    with bench(tmp_path, 't_on_reply("1"); t_relay();', more=more) as given:
        given.receive(call())
        reply = answer(given.sent[-1], 200).replace(
            b"Content-Length", CONTACT.encode() + b"\r\nContent-Length", 1
        )
        given.receive(reply, given.phone(host="203.0.113.77", port=6000))
        assert given.sent[-1].get("Contact") == "<sip:bob@203.0.113.77:6000>"


@pytest.mark.parametrize(
    ("transport", "host", "uri"),
    [
        ("udp", "203.0.113.9", "sip:203.0.113.9:40000"),
        ("tcp", "203.0.113.9", "sip:203.0.113.9:40000;transport=TCP"),
        ("udp", "2001:db8::9", "sip:[2001:db8::9]:40000"),
    ],
)
def test_where_a_register_comes_from(tmp_path: Path, transport: str, host: str, uri: str) -> None:
    route = 'fix_nated_register(); xlog("$avp(i:801)");'
    _, printed = forwarded(tmp_path, route, call(method="REGISTER"), more=AVP, transport=transport, host=host)
    assert printed == [uri]


def test_parameters_of_contacts(tmp_path: Path) -> None:
    sent, _ = forwarded(tmp_path, "add_rcv_param();", call())
    assert sent.get("Contact") == f'<sip:bob@{PRIVATE}:5062>;received="sip:{NAT[0]}:{NAT[1]}"'
    sent, printed = forwarded(tmp_path, 'add_rcv_param("1"); xlog("$retcode");', call())
    assert sent.get("Contact") == f"<sip:bob@{PRIVATE}:5062;received=sip:{NAT[0]}:{NAT[1]}>"
    assert printed == ["1"]
    _, printed = forwarded(tmp_path, 'add_rcv_param(); xlog("$retcode");', call("Subject: x"))
    assert printed == ["-1"]


@pytest.mark.parametrize(
    ("arguments", "body"),
    [
        ('"2"', SDP.replace(f"c=IN IP4 {PRIVATE}", f"c=IN IP4 {NAT[0]}")),
        ('"0xA"', SDP.replace(PRIVATE, NAT[0])),
        ('"2", "198.51.100.3"', SDP.replace(f"c=IN IP4 {PRIVATE}", "c=IN IP4 198.51.100.3")),
        ('"2", "$avp(s:relay)"', SDP.replace(f"c=IN IP4 {PRIVATE}", "c=IN IP4 198.51.100.7")),
        ('"5"', f"{SDP}a=direction:active\r\na=x\r\n"),
    ],
)
def test_a_description(tmp_path: Path, arguments: str, body: str) -> None:
    route = f'$avp(s:relay) = "198.51.100.7"; fix_nated_sdp({arguments}); xlog("$retcode");'
    more = 'modparam("nathelper", "nortpproxy_str", "a=x\\r\\n")'
    sent, printed = forwarded(tmp_path, route, call(sdp=SDP), more=more)
    assert body_of(sent) == body
    assert int(sent.get("Content-Length")) == len(body)
    assert printed == ["1"]


@pytest.mark.parametrize(
    ("arguments", "sdp"), [('"2"', ""), ('"2", "$var(nothing) x"', SDP), ('"2", "$hdr(X)"', SDP)]
)
def test_no_description_or_no_address(tmp_path: Path, arguments: str, sdp: str) -> None:
    route = f'fix_nated_sdp({arguments}); xlog("$retcode");'
    sent, printed = forwarded(tmp_path, route, call(CONTACT, "X: a b", sdp=sdp))
    assert (body_of(sent), printed) == (sdp, ["-1"])


# --- registered, and pinged -------------------------------------------------------------------------------------------

SCRIPT = """
loadmodule "sqlite.so" loadmodule "sl.so" loadmodule "tm.so" loadmodule "usrloc.so" loadmodule "registrar.so"
loadmodule "nathelper.so"
modparam("usrloc", "nat_bflag", 6)
modparam("usrloc", "db_url", "sqlite:///contacts.db")
modparam("nathelper", "sipping_bflag", 8)
modparam("nathelper", "sipping_from", "sip:pinger@127.0.0.1")
modparam("nathelper", "natping_interval", 30)
modparam("nathelper", "ping_nated_only", 1)
modparam("nathelper|registrar", "received_avp", "$avp(i:801)")
route {
    if (method == "REGISTER") {
        force_rport();
        if (nat_uac_test("19")) { fix_nated_register(); setbflag(6); }
        if ($hdr(X-Sip) != $null) setbflag(8);
        save("location");
        exit;
    }
    lookup("location");
    if (isbflagset(6)) append_hf("P-Behind: nat\\r\\n");
    t_relay();
}
onreply_route { xlog("a reply"); }
"""
LOADS = 'loadmodule "xlog.so" loadmodule "textops.so"\n'


def registered(script: Script, user: str, source: str, *, by_sip: bool = False, contact: str = "") -> None:
    aor = f"<sip:{user}@example.org>"
    uri = contact or f"sip:{user}@{PRIVATE}:5062"
    headers = {"X-Sip": "1"} if by_sip else {}
    reply = script.send(
        "REGISTER",
        "sip:example.org",
        headers,
        source=source,
        To=aor,
        From=f"{aor};tag=1",
        Contact=f"<{uri}>",
        Via=f"SIP/2.0/UDP {uri.partition('@')[2]};branch=z9hG4bK{user}",
    )
    assert reply.status == 200


def pings(script: Script, seconds: float) -> list[str]:
    """The targets of what is sent meanwhile, of zeroes too."""
    heard: list[str] = []
    network = script._network
    before = network.watch

    def watch(what: str, data: bytes, source: tuple[str, int], target: tuple[str, int]) -> None:
        if what == "sent" and data == b"\0\0\0\0":
            heard.append(f"zeroes {target[0]}:{target[1]}")
        elif what == "sent" and data.startswith(b"OPTIONS "):
            heard.append(f"OPTIONS {target[0]}:{target[1]}")

    network.watch = watch
    script.run_for(seconds)
    network.watch = before
    return sorted(heard)


@pytest.mark.parametrize("mode", [0, 1, 2, 3])
def test_contacts_are_pinged_by_where_they_came_from(tmp_path: Path, mode: int) -> None:
    with Script(LOADS + SCRIPT, modparams={"usrloc": {"db_mode": mode}}, folder=tmp_path) as script:
        registered(script, "bob", "udp:203.0.113.9:40000")
        registered(script, "carol", "udp:203.0.113.9:40001", by_sip=True)
        registered(script, "dave", "udp:198.51.100.5:5062", contact="sip:dave@198.51.100.5:5062")
        found = Counter(pings(script, 300))
        assert set(found) == {"OPTIONS 203.0.113.9:40001", "zeroes 203.0.113.9:40000"}
        assert all(9 <= count <= 11 for count in found.values())
        sent = script.send("MESSAGE", "sip:bob@example.org").relayed[0]
        assert sent.target == "udp:203.0.113.9:40000"
        assert sent.get("P-Behind") == "nat"


def test_contacts_that_were_kept_are_pinged_after_a_restart(tmp_path: Path) -> None:
    for is_first in (True, False):
        with Script(LOADS + SCRIPT, modparams={"usrloc": {"db_mode": 1}}, folder=tmp_path) as script:
            if is_first:
                registered(script, "bob", "udp:203.0.113.9:40000")
            assert set(pings(script, 31)) == {"zeroes 203.0.113.9:40000"}


def test_the_script_sees_no_answer_to_a_ping() -> None:
    with Script(LOADS + SCRIPT) as script:
        registered(script, "carol", "udp:203.0.113.9:40001", by_sip=True)
        script.run_for(31)
        ping: Sent = next(sent for sent in script.sent if sent.method == "OPTIONS")
        assert ping.answer(200) == []
        assert script.printed == []
        assert script.statistic("core:rcv_replies") == 1
        assert script.statistic("core:drop_replies") == 0


def test_pings_can_be_switched_off_and_on() -> None:
    with Script(LOADS + SCRIPT) as script:
        registered(script, "bob", "udp:203.0.113.9:40000")
        for value, is_pinged in (("0", False), ("1", True)):
            reply = script.mi("nh_enable_ping", value)
            assert reply is not None
            assert (reply.code, reply.reason) == (200, "OK")
            assert bool(pings(script, 31)) is is_pinged


@pytest.mark.parametrize(
    ("values", "answer"),
    [
        ((), (400, "Too few or too many arguments")),
        (("1", "2"), (400, "Too few or too many arguments")),
        (("on",), (400, "Bad parameter")),
        (("1",), (400, "NATping disabled from script")),
    ],
)
def test_what_the_switch_refuses(values: tuple[str, ...], answer: tuple[int, str]) -> None:
    with Script(LOADS + SCRIPT, modparams={"nathelper": {"natping_interval": 0}}) as script:
        reply = script.mi("nh_enable_ping", *values)
        assert reply is not None
        assert (reply.code, reply.reason) == answer
        assert pings(script, 40) == []


def test_sockets_that_are_not_ours_are_told(tmp_path: Path) -> None:
    more = PINGING + setting("nathelper", "natping_socket", "198.51.100.250:5060")
    more += setting("nathelper", "force_socket", "udp:127.0.0.1:5060") + "alias=127.0.0.1:5060\n"
    with bench(tmp_path, "exit;", more=more) as given:
        assert [line for line in given.log if "nathelper" in line] == [
            "WARNING:nathelper: natping_socket: the server does not listen on 198.51.100.250:5060;"
            " pings leave by other sockets"
        ]


def test_a_server_that_stops_pings_nobody() -> None:
    with Script(LOADS + SCRIPT) as script:
        registered(script, "bob", "udp:203.0.113.9:40000")
        module = script.server.module("nathelper")
        assert module is not None
        with pytest.raises(StopIteration):
            module.drain().send(None)
        assert pings(script, 40) == []


# --- rtpproxies -------------------------------------------------------------------------------------------------------


def test_rtpproxies_are_shown_and_switched(tmp_path: Path) -> None:
    more = setting("nathelper", "rtpproxy_sock", "udp:127.0.0.1:9=2 /tmp/x")
    more += setting("nathelper", "rtpproxy_sock", "3 == udp:127.0.0.1:10")
    with bench(tmp_path, "exit;", more=more) as given:

        def shown() -> list[tuple[str, str, dict[str, str], list[str]]]:
            return [
                (
                    node.name,
                    node.value or "",
                    node.attributes,
                    [f"{each.name} {each.value}" for each in node.children],
                )
                for node in command(given, "nh_show_rtpp").nodes
            ]

        assert shown() == [
            ("udp:127.0.0.1:9", "", {"set": "0"}, ["index 0", "disabled 0", "weight 2", "recheck_ticks 0"]),
            ("/tmp/x", "", {"set": "0"}, ["index 1", "disabled 0", "weight 1", "recheck_ticks 0"]),
            ("udp:127.0.0.1:10", "", {"set": "3"}, ["index 2", "disabled 0", "weight 1", "recheck_ticks 0"]),
        ]
        for values, expected in (
            (("/tmp/x", "0"), (200, "OK")),
            (("/tmp/y", "0"), (404, "RTP proxy not found")),
            (("/tmp/x", "off"), (400, "Bad parameter")),
            (("/tmp/x",), (400, "Too few or too many arguments")),
        ):
            reply = command(given, "nh_enable_rtpp", *values)
            assert (reply.code, reply.reason) == expected
        assert [each[3][1] for each in shown()] == ["disabled 0", "disabled 1", "disabled 0"]
        command(given, "nh_enable_rtpp", "/tmp/x", "1")
        assert [each[3][1] for each in shown()] == ["disabled 0"] * 3


@pytest.mark.parametrize(
    ("statement", "codes"),
    [
        ("force_rtp_proxy();", ["-1"]),
        ("unforce_rtp_proxy();", ["-1"]),
        ("start_recording();", ["-1"]),
        ('set_rtp_proxy_set("0");', ["-1"]),
    ],
)
def test_without_an_rtpproxy(tmp_path: Path, statement: str, codes: list[str]) -> None:
    sent, printed = forwarded(tmp_path, f'{statement} xlog("$retcode");', call(sdp=SDP))
    assert (printed, body_of(sent)) == (codes, SDP)


def test_an_rtpproxy_that_is_away_holds_up_its_own_call_only(tmp_path: Path) -> None:
    path = tmp_path / "absent"
    more = setting("nathelper", "rtpproxy_sock", f"1 == {path}") + setting(
        "nathelper", "rtpproxy_disable_tout", 5
    )
    route = (
        'set_rtp_proxy_set("1"); $var(c) = $retcode; force_rtp_proxy(); xlog("$var(c) $retcode"); t_relay();'
    )
    with bench(tmp_path, route, more=more) as given:
        given.receive(call(sdp=SDP))
        assert list(given.printed()) == ["1 -1"]
        assert [line for line in given.log if "nathelper" in line] == [
            f"WARNING:nathelper: {path} does not answer, and is left alone for 5 s",
            "ERROR:nathelper: no rtpproxy of set 1 can be used",
        ]


def test_where_nothing_can_be_held_nothing_is_relayed(tmp_path: Path) -> None:
    more = setting("nathelper", "rtpproxy_sock", "/tmp/x") + setting("tm", "max_transactions", 2)
    with bench(tmp_path, 'force_rtp_proxy(); xlog("$retcode");', more=more) as given:
        given.server.transactions.capacity = 0
        given.receive(call(sdp=SDP))
        assert list(given.printed()) == ["-1"]


@pytest.mark.parametrize("name", ["rtpproxy_sock", "rtpproxy_tout", "rtpproxy_retr", "rtpproxy_disable_tout"])
def test_wrong_parameters_of_rtpproxies(tmp_path: Path, name: str) -> None:
    with pytest.raises(ScriptError):
        bench(
            tmp_path, "exit;", more=setting("nathelper", name, "nothing" if name == "rtpproxy_sock" else -1)
        )
