"""The way to those who registered."""

from __future__ import annotations

import pytest

from openpy.testing.exchange import Exchange
from openpy.testing.script import Script
from tests.modules.usrloc.kit import BACK, MEMORY, REMOTE, THROUGH, register, script

every_mode = pytest.mark.parametrize("mode", [MEMORY, THROUGH, BACK, REMOTE])

ROUTE = """
    if (method=="REGISTER") { setbflag(5); save("location"); exit; }
    $var(known) = registered("location");
    $var(code) = lookup("location");
"""


def invite(server: Script, uri: str = "sip:bob@example.org", method: str = "INVITE") -> Exchange:
    return server.send(method, uri)


@every_mode
def test_contacts_become_the_destination_set(mode: int) -> None:
    with script(mode, ROUTE) as server:
        register(server, "<sip:1@h>;q=0.3, <sip:2@h>;q=0.9, <sip:3@h>")
        found = invite(server)
        assert (found.variables["known"], found.variables["code"]) == (1, 1)
        assert found.value("$ru") == "sip:2@h"
        assert found.value("$fs") == "udp:127.0.0.1:5060"
        assert found.value("$du") is None
        assert found.branch_flags == {5}
        assert found.value("$ds") == "Contact: sip:2@h, <sip:1@h>;q=0.3, sip:3@h"
        assert found.run is not None
        assert [(item.uri, item.q, item.flags) for item in found.run.state.branches] == [
            ("sip:1@h", 300, 32),
            ("sip:3@h", -1, 32),
        ]
        assert found.run.state.q == 900


@every_mode
def test_nobody(mode: int) -> None:
    with script(mode, ROUTE) as server:
        found = invite(server)
        assert (found.variables["known"], found.variables["code"]) == (-1, -1)
        assert found.value("$ru") == "sip:bob@example.org"
        register(server, expires=60)
        server.run_for(61)
        assert invite(server).variables["code"] == -1


def test_only_the_first() -> None:
    with script(MEMORY, ROUTE, registrar={"append_branches": 0}) as server:
        register(server, "<sip:1@h>, <sip:2@h>")
        assert invite(server).value("$br") is None


def test_those_that_take_the_method() -> None:
    with script(MEMORY, ROUTE, registrar={"method_filtering": 1}) as server:
        register(server, '<sip:1@h>;methods="INVITE,ACK", <sip:2@h>;methods="MESSAGE"')
        assert invite(server).value("$ru") == "sip:1@h"
        assert invite(server, method="MESSAGE").value("$ru") == "sip:2@h"
        found = invite(server, method="SUBSCRIBE")
        assert (found.variables["known"], found.variables["code"]) == (1, -2)
        assert found.value("$ru") == "sip:bob@example.org"


@pytest.mark.parametrize("uri", ["sip:example.org", "sip:b%zz@example.org"])
def test_whom_it_means_cannot_be_read(uri: str) -> None:
    with script(MEMORY, ROUTE) as server:
        found = invite(server, uri)
        assert (found.variables["known"], found.variables["code"]) == (-1, -3)
        assert [line.split(":")[0] for line in server.printed] == ["registered", "lookup"]


def test_the_database_cannot_be_read() -> None:
    with script(REMOTE, ROUTE) as server:
        server.sql("DROP TABLE location")
        found = invite(server)
        assert (found.variables["known"], found.variables["code"]) == (-1, -3)


def test_where_it_came_from_is_the_next_hop() -> None:
    route = '$avp(i:1) = "sip:192.0.2.99:1024";' + ROUTE
    with script(MEMORY, route, registrar={"received_avp": "$avp(i:1)"}) as server:
        register(server, "<sip:1@h>, <sip:2@h>")
        found = invite(server)
        assert found.value("$du") == "sip:192.0.2.99:1024"
        assert found.run is not None
        assert found.run.state.branches[0].destination_uri == "sip:192.0.2.99:1024"


def test_the_first_of_the_path_is_the_next_hop_and_all_of_it_a_route() -> None:
    route = ROUTE + "t_relay();"
    values = {"use_path": 1, "path_mode": 1}
    with script(MEMORY, route, registrar=values) as server:
        register(server, "<sip:1@192.0.2.7>;q=1", headers={"Path": "<sip:p1@192.0.2.50;lr>, <sip:p2;lr>"})
        register(server, "<sip:2@192.0.2.8>", cseq=2, call_id="b", headers={"Path": "<sip:p3@192.0.2.51;lr>"})
        register(server, "<sip:3@192.0.2.9>", cseq=2, call_id="c")
        found = invite(server)
        assert {(sent.target, sent.get("Route")) for sent in found.relayed} == {
            ("udp:192.0.2.50:5060", "<sip:p1@192.0.2.50;lr>, <sip:p2;lr>"),
            ("udp:192.0.2.51:5060", "<sip:p3@192.0.2.51;lr>"),
            ("udp:192.0.2.9:5060", None),
        }


def test_rows_that_somebody_spoiled() -> None:
    with script(REMOTE, ROUTE) as server:
        register(server, "<sip:1@h>;q=1, <sip:2@h>")
        server.sql("UPDATE location SET path = '<<' WHERE contact = 'sip:2@h'")
        found = invite(server)
        assert (found.variables["code"], found.value("$br")) == (1, None)
        server.sql("UPDATE location SET path = '<<'")
        assert invite(server).variables["code"] == -3
        server.sql("UPDATE location SET path = NULL, contact = 'sip:x' || char(13, 10) || 'Evil: 1'")
        assert invite(server).variables["code"] == -3


@pytest.mark.parametrize("socket", ["udp:192.0.2.200:5060", "rubbish::", ""])
def test_a_socket_that_is_not_there_any_more(socket: str) -> None:
    with script(REMOTE, ROUTE) as server:
        register(server)
        server.sql("UPDATE location SET socket = ?", socket)
        found = invite(server)
        assert (found.variables["code"], found.value("$fs")) == (1, None)


def test_more_contacts_than_branches() -> None:
    with script(MEMORY, ROUTE) as server:
        register(server, ", ".join(f"<sip:{number}@h>" for number in range(14)))
        found = invite(server)
        assert found.run is not None
        assert len(found.run.state.branches) == 11
        assert [line for line in server.printed if "no branch for" in line] == [
            "lookup: no branch for sip:12@h",
            "lookup: no branch for sip:13@h",
        ]


def test_in_a_failure_route() -> None:
    route = """
        if (method=="REGISTER") { save("location"); exit; }
        t_on_failure("1"); t_relay();
    } failure_route[1] { if (lookup("location")) t_relay();
    """
    with script(THROUGH, route) as server:
        register(server, "<sip:1@192.0.2.7>")
        found = invite(server, "sip:bob@192.0.2.44")
        found.relayed[0].answer(486)
        assert [sent.target for sent in found.relayed] == ["udp:192.0.2.44:5060", "udp:192.0.2.7:5060"]
