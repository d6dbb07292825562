"""The servers of a domain, asked of a name server of our own."""

from __future__ import annotations

import socket
import threading
from collections import Counter
from collections.abc import Iterator
from random import Random

import dns.flags
import dns.message
import dns.rcode
import dns.resolver
import dns.rrset
import pytest

from openpy.net import services
from openpy.net.services import NOWHERE, Service, find_services, in_turn

ZONE = {
    ("all.example.", "NAPTR"): [
        '20 10 "s" "SIP+D2U" "" _sip._udp.all.example.',
        '10 10 "S" "sip+d2t" "" _sip._tcp.all.example.',
        '5 10 "s" "SIPS+D2T" "" _sips._tcp.all.example.',
        '5 10 "u" "SIP+D2U" "" other.example.',
    ],
    ("_sip._udp.all.example.", "SRV"): ["1 10 5070 u1.all.example.", "0 10 5071 u0.all.example."],
    ("_sip._tcp.all.example.", "SRV"): ["0 0 5072 t0.all.example."],
    ("_sip._udp.srv.example.", "SRV"): ["0 0 5060 u.srv.example."],
    ("_sip._tcp.srv.example.", "SRV"): ["0 0 5060 t.srv.example."],
    ("_sip._udp.none.example.", "SRV"): ["0 0 0 ."],
    ("half.example.", "NAPTR"): [
        '1 1 "s" "SIP+D2U" "" _sip._udp.half.example.',
        '2 1 "s" "SIP+D2T" "" _sip._tcp.broken.example.',
    ],
    ("_sip._udp.half.example.", "SRV"): ["0 0 5060 u.half.example."],
    ("halves.example.", "NAPTR"): [
        '2 1 "s" "SIP+D2T" "" _sip._tcp.broken.example.',
        '1 1 "s" "SIP+D2U" "" _sip._udp.half.example.',
    ],
    ("_sips._tcp.srv.example.", "SRV"): ["0 0 5061 s.srv.example."],
}


class NameServer(threading.Thread):
    """Answers from ZONE; is silent about silent.example, and fails about broken.example."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port: int = self.socket.getsockname()[1]
        self.asked: list[str] = []

    def run(self) -> None:
        while True:
            try:
                data, peer = self.socket.recvfrom(4096)
            except OSError:
                return
            query = dns.message.from_wire(data)
            (question,) = query.question
            name, kind = question.name.to_text(), dns.rdatatype.to_text(question.rdtype)
            self.asked.append(f"{kind} {name}")
            if "silent" in name:
                continue
            reply = dns.message.make_response(query)
            if "broken" in name:
                reply.set_rcode(dns.rcode.SERVFAIL)
            records = ZONE.get((name, kind))
            if records:
                reply.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *records))
            elif not any(owner == name for owner, _ in ZONE):
                reply.set_rcode(dns.rcode.NXDOMAIN)
            self.socket.sendto(reply.to_wire(), peer)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[NameServer]:
    server = NameServer()
    server.start()
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = ["127.0.0.1"]
    resolver.port = server.port
    monkeypatch.setattr(services, "_resolver", lambda: resolver)
    yield server
    server.socket.close()


def ways(found: list[Service]) -> list[str]:
    return [f"{each.transport}:{each.host}:{each.port}" for each in found]


def test_naptr_records_say_which_transports_a_domain_wants(server: NameServer) -> None:
    assert ways(find_services("all.example")) == [
        "tcp:t0.all.example:5072",
        "udp:u0.all.example:5071",
        "udp:u1.all.example:5070",
    ]


def test_where_a_transport_is_named_only_its_srv_records_count(server: NameServer) -> None:
    assert ways(find_services("all.example", "udp")) == ["udp:u0.all.example:5071", "udp:u1.all.example:5070"]
    assert server.asked == ["SRV _sip._udp.all.example."]
    assert ways(find_services("srv.example", "tls")) == ["tls:s.srv.example:5061"]


def test_without_naptr_records_udp_comes_first(server: NameServer) -> None:
    assert ways(find_services("srv.example")) == ["udp:u.srv.example:5060", "tcp:t.srv.example:5060"]


@pytest.mark.parametrize("name", ["gone.example", "broken.example", "a..b", "x" * 70, ""])
def test_where_there_are_none(server: NameServer, name: str) -> None:
    assert find_services(name) == []
    assert find_services(name, "udp") == []


def test_what_is_decidedly_not_there_has_no_host(server: NameServer) -> None:
    assert ways(find_services("none.example")) == [f"udp:{NOWHERE}:0"]
    assert ways(find_services("none.example", "udp")) == [f"udp:{NOWHERE}:0"]


def test_what_was_found_counts_though_the_dns_then_fails(server: NameServer) -> None:
    assert ways(find_services("half.example")) == ["udp:u.half.example:5060"]
    assert ways(find_services("halves.example")) == ["udp:u.half.example:5060"]


def test_a_domain_has_so_many_servers_at_most(server: NameServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each further name is a question that a thread waits for."""
    monkeypatch.setattr(services, "MOST_SERVERS", 2)
    assert ways(find_services("all.example")) == ["tcp:t0.all.example:5072", "udp:u0.all.example:5071"]
    server.asked.clear()
    monkeypatch.setattr(services, "MOST_NAMES", 1)
    assert ways(find_services("all.example")) == ["tcp:t0.all.example:5072"]
    assert server.asked == ["NAPTR all.example.", "SRV _sip._tcp.all.example."]


def test_silence_ends_soon(server: NameServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "PATIENCE", 0.1)
    assert find_services("silent.example") == []
    assert {kind.split()[0] for kind in server.asked} == {"NAPTR"}


def test_a_machine_that_knows_no_name_server(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> None:
        raise dns.resolver.NoResolverConfiguration

    monkeypatch.setattr(services, "_resolver", none)
    assert find_services("all.example") == []


def test_the_order_within_one_rank_is_by_weight() -> None:
    chance = Random(7)
    heavy, light = Service((0,), 90, "udp", "heavy", 5060), Service((0,), 10, "udp", "light", 5060)
    never, last = Service((0,), 0, "udp", "never", 5060), Service((1,), 100, "udp", "last", 5060)
    orders = [in_turn([last, never, light, heavy], chance) for _ in range(1000)]
    first = Counter(order[0].host for order in orders)
    assert 850 < first["heavy"] < 950
    assert first["never"] < 10
    assert all(order[3] is last for order in orders)
    assert in_turn([], chance) == []
