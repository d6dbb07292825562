"""The declaration of registrar: parameters and functions."""

from __future__ import annotations

from pathlib import Path

import pytest

from openpy.engine.server import Server
from openpy.script.diagnostics import ScriptError
from tests.modules.usrloc.kit import MEMORY, REMOTE, THROUGH, contacts_of, register, script


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("default_expires", -1, "0 or more expected"),
        ("min_expires", -1, "0 or more expected"),
        ("max_expires", -1, "0 or more expected"),
        ("append_branches", 2, "0 or 1 expected"),
        ("case_sensitive", 2, "0 or 1 expected"),
        ("tcp_persistent_flag", 32, "is no flag: there are 0 to 31"),
        ("received_avp", "received", "is no AVP"),
        ("aor_avp", "$avp(i:x)", "bad avp name"),
        ("max_contacts", -1, "0 or more expected"),
        ("retry_after", -1, "0 or more expected"),
        ("sock_flag", -2, "is no flag: there are 0 to 31"),
        ("method_filtering", 2, "0 or 1 expected"),
        ("use_path", 2, "0 or 1 expected"),
        ("path_mode", 3, "path_mode is 0 to 2"),
        ("path_use_received", 2, "0 or 1 expected"),
    ],
)
def test_a_parameter_that_cannot_be_meant(name: str, value: int | str, told: str) -> None:
    with pytest.raises(ScriptError) as caught:
        script(registrar={name: value})
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("values", "contact", "expires", "told"),
    [
        ({"default_expires": 900}, "<sip:1@h>", None, "<sip:1@h>;expires=900"),
        ({"min_expires": 120}, "<sip:1@h>", 60, "<sip:1@h>;expires=120"),
        ({"min_expires": 0}, "<sip:1@h>", 5, "<sip:1@h>;expires=5"),
        ({"max_expires": 600}, "<sip:1@h>;expires=3600", None, "<sip:1@h>;expires=600"),
        ({"default_q": 250}, "<sip:1@h>", 60, "<sip:1@h>;q=0.25;expires=60"),
        ({"default_q": 5000}, "<sip:1@h>", 60, "<sip:1@h>;q=1;expires=60"),
        ({"default_q": -7}, "<sip:1@h>", 60, "<sip:1@h>;q=0;expires=60"),
    ],
)
def test_lifetimes_and_q(values: dict[str, int], contact: str, expires: int | None, told: str) -> None:
    with script(registrar=values) as server:
        assert register(server, contact, expires=expires).get("Contact") == told


def test_the_parameters_are_statistics() -> None:
    with script(registrar={"max_expires": 600, "max_contacts": 4, "default_expires": 300}) as server:
        names = ("max_expires", "max_contacts", "default_expire", "accepted_regs", "rejected_regs")
        assert [server.statistic(f"registrar:{name}") for name in names] == [600, 4, 300, 0, 0]


def test_what_it_needs(tmp_path: Path) -> None:
    path = tmp_path / "openser.cfg"
    path.write_text('loadmodule "registrar.so"\nroute { save("location"); lookup("location"); }\n')
    with pytest.raises(ScriptError) as caught:
        Server().load(path)
    assert "registrar needs sl" in str(caught.value)
    assert "registrar needs usrloc" in str(caught.value)


def test_arguments_are_checked_when_the_script_is_loaded() -> None:
    for route, told in (
        ('save("location", "0x8");', "bad flags <0x8>"),
        ('save("");', "the name of a table is missing"),
        ("save();", "save"),
    ):
        with pytest.raises(ScriptError, match=told):
            script(route=route)
    with pytest.raises(ScriptError, match="memory only"):
        script(REMOTE, 'save("location", "1");')


def test_a_refusal_ends_the_script() -> None:
    with script(route='save("location"); $var(after) = 1;') as server:
        assert register(server).variables == {"after": 1}
        assert register(server, "*", cseq=2).variables == {}


def test_two_tables() -> None:
    route = 'if (src_ip == 192.0.2.7) save("inside"); else save("outside");'
    with script(THROUGH, route) as server:
        register(server)
        register(server, "<sip:2@h>", source="udp:192.0.2.9:5060", cseq=2)
        assert [len(server.rows(name)) for name in ("inside", "outside")] == [1, 1]


@pytest.mark.parametrize("mode", [MEMORY, THROUGH, REMOTE])
def test_a_copy_that_came_another_way_is_refused(mode: int) -> None:
    """RFC 3261 8.2.2.2."""
    with script(mode) as server:
        first = register(server)
        again = register(server, expires=0)
        assert (first.status, again.status, again.reason) == (200, 482, "Loop Detected")
        assert again.code is None
        assert contacts_of(server) == ["sip:bob@192.0.2.7"]
        assert server.statistic("registrar:rejected_regs") == 1
        assert register(server, cseq=2).status == 200
        server.run_for(70)
        assert register(server).status == 400  # no copy any more, and too old


def test_a_retransmission_is_no_copy() -> None:
    via = {"Via": "SIP/2.0/UDP 192.0.2.7;branch=z9hG4bKsame"}
    with script(MEMORY) as server:
        register(server, headers=via)
        assert register(server, headers=via).status == 200


def test_a_script_that_answers_itself_hears_of_no_copy() -> None:
    with script(MEMORY, 'save("location", "0x2"); sl_send_reply("202", "Mine");') as server:
        assert register(server).status == 202
        assert register(server).replies == []


def test_two_tables_take_one_request() -> None:
    with script(THROUGH, 'save("one"); save("two");') as server:
        register(server)
        assert [len(server.rows(name)) for name in ("one", "two")] == [1, 1]


def test_save_is_for_register() -> None:
    with script(route='save("location");') as server:
        server.send("OPTIONS", "sip:example.org", {"To": "<sip:bob@example.org>"})
        assert server.printed == ["save: OPTIONS is no REGISTER"]
        assert contacts_of(server) == []


def test_a_header_for_the_registrar_behind() -> None:
    route = 'add_sock_hdr("Sock-Info"); t_relay("udp:192.0.2.60:5060");'
    with script(MEMORY, route) as server:
        (sent,) = register(server).relayed
        assert sent.get("Sock-Info") == "udp:127.0.0.1:5060"


def test_after_save_a_script_may_do_more() -> None:
    """As `t_replicate` to a second server: the transaction that save made is the script's."""
    route = 'save("location"); $var(new) = t_newtran(); t_replicate("sip:192.0.2.61:5060");'
    with script(THROUGH, route) as server:
        found = register(server)
        assert (found.status, found.variables["new"]) == (200, 1)
        assert [sent.target for sent in found.relayed] == ["udp:192.0.2.61:5060"]


def test_whom_it_finds() -> None:
    with script(THROUGH, 'if (method=="REGISTER") save("location"); $var(a) = lookup("location");') as server:
        register(server)
        assert server.send("INVITE", "sip:bob@example.org").variables["a"] == 1
        assert server.send("INVITE", "sip:carol@example.org").variables["a"] == -1
    with script(MEMORY, '$var(a) = registered("location");') as server:
        assert server.send("INVITE", "sip:bob@example.org").variables["a"] == -1
        assert server.send("INVITE", "sip:example.org").variables["a"] == -1


def test_no_transaction_is_left() -> None:
    with script(THROUGH) as server:
        server.server.transactions.capacity = 0
        assert register(server).status == 503
        assert server.statistic("registrar:rejected_regs") == 1
