from __future__ import annotations

import sys
from pathlib import Path

import pytest

from openpy.engine.destinations import (
    E_BAD_ADDRESS,
    E_BAD_URI,
    E_IP_BLOCKED,
    E_SEND,
    MOST_ADDRESSES,
    Destination,
    DestinationError,
    DestinationKind,
    Ways,
    current_destination,
    destination_of,
    way_to,
)
from openpy.engine.run import Run
from openpy.engine.services import ANYBODY, Callee
from openpy.engine.tlsdomains import TlsContexts
from openpy.engine.waiting import Stepper, Wait
from openpy.net.services import Service
from openpy.script.environment import ArgumentError, Environment
from openpy.sip.message import parse_message
from tests.engine.kit import Bench, KeptFlow, request


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("sip:192.0.2.9", Destination("udp", "192.0.2.9", 5060, may_switch=True)),
        ("sip:192.0.2.9;transport=udp", Destination("udp", "192.0.2.9", 5060)),
        ("sip:192.0.2.9;transport=tls", Destination("tls", "192.0.2.9", 5061)),
        ("sips:bob@name.example", Destination("tls", "name.example", 0, is_name=True)),
        ("sips:bob@192.0.2.9:5062;transport=tcp", Destination("tls", "192.0.2.9", 5062)),
        ("sip:bob@192.0.2.9;transport=ws", Destination("ws", "192.0.2.9", 80)),
        ("sip:bob@x.invalid;transport=WSS", Destination("wss", "x.invalid", 0, is_name=True)),
        ("sips:bob@192.0.2.9:81;transport=ws", Destination("wss", "192.0.2.9", 81)),
        ("sip:bob@192.0.2.9:5070;transport=TCP", Destination("tcp", "192.0.2.9", 5070)),
        ("sip:bob@[2001:DB8::1]", Destination("udp", "2001:db8::1", 5060, may_switch=True)),
        ("sip:bob@name.example;maddr=192.0.2.9", Destination("udp", "192.0.2.9", 5060, may_switch=True)),
        ("sip:bob@name.example:5070", Destination("", "name.example", 5070, is_name=True)),
        ("sip:bob@name.example;transport=tcp", Destination("tcp", "name.example", 0, is_name=True)),
    ],
)
def test_what_a_uri_names(uri: str, expected: Destination) -> None:
    assert destination_of(uri) == expected


def test_a_long_uri_is_not_remembered() -> None:
    uri = "sip:192.0.2.9;x=" + "y" * 60_000
    references = sys.getrefcount(uri)
    assert destination_of(uri) == Destination("udp", "192.0.2.9", 5060, may_switch=True)
    assert sys.getrefcount(uri) == references


@pytest.mark.parametrize(
    "uri", ["nonsense", "", "sips:192.0.2.9;transport=udp", "sip:192.0.2.9;transport=sctp", "tel:+1"]
)
def test_what_names_no_destination(uri: str) -> None:
    with pytest.raises(DestinationError) as caught:
        destination_of(uri)
    assert caught.value.code == E_BAD_URI


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.20", Destination("udp", "192.0.2.20", 5060, may_switch=True)),
        ("tls:192.0.2.20", Destination("tls", "192.0.2.20", 5061)),
        ("udp:192.0.2.20:5070", Destination("udp", "192.0.2.20", 5070)),
        ("TCP:[2001:db8::1]:5070", Destination("tcp", "2001:db8::1", 5070)),
        ("gw-1.example", Destination("", "gw-1.example", 0, is_name=True)),
        ("tcp:gw.example:5070", Destination("tcp", "gw.example", 5070, is_name=True)),
    ],
)
def test_what_a_script_names(text: str, expected: Destination) -> None:
    assert DestinationKind().convert(text, Environment()) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sctp:192.0.2.1", "bad protocol in sctp:192.0.2.1"),
        ("udp:192.0.2.1:x", "is no address"),
        ("192.0.2.300", "names no host"),
        ("a b", "names no host"),
        ("a..b", "names no host"),
        ("", "is no address"),
    ],
)
def test_what_a_script_cannot_name(text: str, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        DestinationKind().convert(text, Environment())


class Sending:
    """One run, and the ways that it takes."""

    def __init__(self, bench: Bench, uri: str = "sip:bob@gw.example") -> None:
        self.bench = bench
        self.run = Run(bench.server, parse_message(request(uri=uri)), bench.phone())
        self.result: str | int = "waiting"

    def send(self) -> str | int:
        """Where it goes, the code of the error, or "waiting"."""
        destination = current_destination(self.run)
        Stepper(way_to(self.run, destination, lambda run, flow: run.message.raw), self._ended).step()
        return self.result

    def _ended(self, value: object, error: BaseException | None) -> None:
        if isinstance(error, DestinationError):
            self.result = error.code
        else:
            assert isinstance(value, tuple)
            flow, data = value
            assert data == self.run.message.raw
            self.result = f"{flow.transport}:{flow.host}:{flow.port}"


def test_an_address_needs_no_look_up(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        assert Sending(bench, "sip:192.0.2.9").send() == "udp:192.0.2.9:5060"


def test_the_next_hop_comes_before_the_request_uri(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        sending = Sending(bench, "sip:192.0.2.9")
        sending.run.state.destination_uri = "sip:192.0.2.10:5070"
        assert sending.send() == "udp:192.0.2.10:5070"


def test_a_name_is_looked_up(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        bench.server.hosts["gw.example"] = ("192.0.2.9", "192.0.2.10")
        assert Sending(bench).send() == "udp:192.0.2.9:5060"


@pytest.mark.parametrize("host", ["unknown.example", "silent.example"])
def test_a_name_without_addresses(tmp_path: Path, host: str) -> None:
    with Bench(tmp_path) as bench:
        assert Sending(bench, f"sip:{host}").send() == E_BAD_ADDRESS


def test_the_next_address_is_tried_where_no_connection_comes_up(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        bench.server.hosts["gw.example"] = ("192.0.2.9", "192.0.2.10")
        sending = Sending(bench, "sip:gw.example;transport=tcp")
        assert sending.send() == "waiting"
        bench.server.connecting[0][1].resolve(None)
        flow, wait = bench.server.connecting[1]
        wait.resolve(flow)
        assert sending.result == "tcp:192.0.2.10:5060"


def test_nobody_can_be_reached(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        sending = Sending(bench, "sip:192.0.2.9;transport=tcp")
        sending.send()
        bench.server.connecting[0][1].resolve(None)
        assert sending.result == E_SEND


LIST = 'dst_blacklist=no:{(udp,192.0.2.9,0,"")}\ndst_blacklist=chat:{(any,192.0.2.9,0,"OPTIONS *Alice*")}\n'


@pytest.mark.parametrize("name", ["no", "chat"])
def test_a_blacklist_in_force_passes_an_address_over(tmp_path: Path, name: str) -> None:
    with Bench(tmp_path, f'use_blacklist("{name}");', more=LIST) as bench:
        assert bench.server.loaded is not None
        sending = Sending(bench)
        bench.server.hosts["gw.example"] = ("192.0.2.9", "192.0.2.10")
        assert sending.send() == "udp:192.0.2.9:5060"
        bench.server.loaded.program.routes[next(iter(bench.server.loaded.program.routes))].function(
            sending.run
        )
        assert sending.send() == "udp:192.0.2.10:5060"
        bench.server.hosts["gw.example"] = ("192.0.2.9",)
        assert sending.send() == E_IP_BLOCKED


def test_a_dead_destination_is_passed_over_for_four_minutes(tmp_path: Path) -> None:
    with Bench(tmp_path, more="disable_dns_blacklist=no") as bench:
        bench.server.hosts["gw.example"] = ("192.0.2.9", "192.0.2.10")
        sending = Sending(bench, "sip:gw.example;transport=tcp")
        sending.send()
        bench.server.connecting[0][1].resolve(None)
        bench.server.connecting[1][1].resolve(bench.server.connecting[1][0])
        again = Sending(bench, "sip:gw.example;transport=tcp")
        again.send()
        assert [flow.host for flow, _ in bench.server.connecting] == ["192.0.2.9", "192.0.2.10", "192.0.2.10"]
        bench.clock.now += 241
        Sending(bench, "sip:gw.example;transport=tcp").send()
        assert bench.server.connecting[-1][0].host == "192.0.2.9"


def test_a_forced_socket_is_used_for_its_transport(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        (endpoint,) = bench.server.sockets.endpoints
        sending = Sending(bench, "sip:192.0.2.9")
        sending.run.state.send_socket = endpoint
        ways: list[tuple[str, int]] = []
        destination = current_destination(sending.run)

        def written(run: Run, flow: object) -> bytes:
            ways.append((flow.local_host, flow.local_port))  # type: ignore[attr-defined]
            return b""

        Stepper(way_to(sending.run, destination, written), lambda value, error: None).step()
        assert ways == [("127.0.0.1", endpoint.port)]


# --- the servers of a domain (RFC 3263) ---------------------------------------------------------------------------


def service(host: str, port: int, transport: str = "udp", *, rank: int = 0) -> Service:
    return Service((rank,), 1, transport, host, port)


@pytest.mark.parametrize(
    ("uri", "way"),
    [
        ("sip:bob@gw.example", "udp:192.0.2.31:5080"),
        ("sip:bob@gw.example;transport=tcp", "tcp:192.0.2.32:5090"),
        ("sip:bob@gw.example:5060", "udp:192.0.2.30:5060"),
        ("sip:bob@other.example", "udp:192.0.2.40:5060"),
        ("sip:bob@single", "udp:192.0.2.50:5060"),
    ],
)
def test_a_name_without_a_port_is_that_of_a_domain(tmp_path: Path, uri: str, way: str) -> None:
    with Bench(tmp_path) as bench:
        bench.server.hosts = {
            "gw.example": ("192.0.2.30",),
            "a.gw.example": ("192.0.2.31",),
            "b.gw.example": ("192.0.2.32",),
            "other.example": ("192.0.2.40",),
            "single": ("192.0.2.50",),
        }
        bench.server.domains_of = {
            " gw.example": (service("a.gw.example", 5080), service("b.gw.example", 5090, "tcp", rank=1)),
            "tcp gw.example": (service("b.gw.example", 5090, "tcp"),),
            " single": (service("a.gw.example", 5080),),
        }
        sending = Sending(bench, uri)
        sending.send()
        for flow, wait in bench.server.connecting:
            wait.resolve(flow)
        assert sending.result == way


def test_the_servers_of_a_domain_are_tried_in_order(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        bench.server.hosts = {"b.gw.example": ("192.0.2.32", "192.0.2.33"), "c.gw.example": ("192.0.2.34",)}
        bench.server.domains_of = {
            " gw.example": tuple(
                service(f"{name}.gw.example", 5060, rank=rank) for rank, name in enumerate(("c", "gone", "b"))
            )
        }
        sending = Sending(bench)
        ways = Ways(bench.server, sending.run.state, current_destination(sending.run), lambda flow: b"x")
        found = []

        async def take_all() -> None:
            while ways.has_more:
                flow, _ = await ways.next()
                found.append(flow.host)

        Stepper(take_all(), lambda _, error: None).step()
        assert found == ["192.0.2.34", "192.0.2.32", "192.0.2.33"]


def test_no_domain_sends_a_request_to_any_number_of_addresses(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        bench.server.hosts = {
            f"{name}.gw.example": tuple(f"192.0.2.{first + number}" for number in range(10))
            for name, first in (("a", 10), ("b", 20), ("c", 30))
        }
        bench.server.domains_of = {
            " gw.example": tuple(service(f"{name}.gw.example", 5060) for name in ("a", "b", "c"))
        }
        sending = Sending(bench)
        ways = Ways(bench.server, sending.run.state, current_destination(sending.run), lambda flow: b"x")
        found = []

        async def take_all() -> None:
            while ways.has_more:
                flow, _ = await ways.next()
                found.append(flow.host)

        Stepper(take_all(), lambda _, error: None).step()
        assert len(found) == len(set(found)) == MOST_ADDRESSES


def test_a_domain_whose_service_is_decidedly_not_there(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        bench.server.hosts = {"gw.example": ("192.0.2.30",), "": ("192.0.2.31",), "b": ("192.0.2.32",)}
        bench.server.domains_of = {" gw.example": (service("", 0),)}
        assert Sending(bench).send() == E_BAD_ADDRESS, "its own address is not asked for"
        bench.server.domains_of = {" gw.example": (service("", 0), service("b", 5070, rank=1))}
        assert Sending(bench).send() == "udp:192.0.2.32:5070"


def test_only_the_first_address(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        bench.server.hosts = {"gw.example": ("192.0.2.32", "192.0.2.33")}
        sending = Sending(bench)
        destination = current_destination(sending.run)
        ways = Ways(bench.server, sending.run.state, destination, lambda flow: b"x", only_first=True)
        assert ways.has_more
        Stepper(ways.next(), lambda _, error: None).step()
        assert not ways.has_more


def test_where_the_dns_does_not_answer_there_is_no_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent: Wait[tuple[Service, ...]] = Wait()
    silent.fail(OSError("nobody can tell"))
    with Bench(tmp_path) as bench:
        bench.server.hosts = {"gw.example": ("192.0.2.32",)}
        monkeypatch.setattr(bench.server, "find_servers", lambda domain, transport: silent)
        assert Sending(bench).send() == E_BAD_ADDRESS


# --- TLS and WebSocket ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("uri", "callee"),
    [
        ("sips:bob@gw.example", Callee("gw.example")),
        ("sips:bob@GW.Example", Callee("gw.example")),
        ("sip:192.0.2.9;transport=tls", ANYBODY),
        ("sip:bob@gw.example;transport=tcp", ANYBODY),
    ],
)
def test_by_tls_the_peer_has_to_be_called_as_the_uri_says(tmp_path: Path, uri: str, callee: Callee) -> None:
    with Bench(tmp_path) as bench:
        bench.server.hosts["gw.example"] = bench.server.hosts["GW.Example"] = ("192.0.2.9",)
        Sending(bench, uri).send()
        assert bench.server.callees == [callee]


@pytest.mark.parametrize(("number", "domain"), [(400, "partner"), (401, ""), (0, "")])
def test_the_client_domain_is_what_an_avp_says(tmp_path: Path, number: int, domain: str) -> None:
    with Bench(tmp_path) as bench:
        assert bench.server.loaded is not None
        bench.server.loaded.tls = TlsContexts(client_domain_avp=number)
        sending = Sending(bench, "sips:192.0.2.9")
        sending.run.state.avps[400] = ["partner"]
        sending.send()
        assert bench.server.callees == [Callee("", domain)]


def test_a_client_of_web_socket_is_reached_by_its_connection_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Bench(tmp_path, 'use_blacklist("no");', more='dst_blacklist=no:{(wss,192.0.2.9,0,"")}\n') as bench:
        assert Sending(bench, "sip:x.invalid;transport=ws").send() == E_BAD_ADDRESS
        assert Sending(bench, "sip:192.0.2.9:4000;transport=ws").send() == E_BAD_ADDRESS
        flow = KeptFlow([], "wss", "192.0.2.9", 4000)
        monkeypatch.setattr(bench.server, "flow", lambda *asked: flow)
        sending = Sending(bench, "sip:x.invalid;transport=ws")
        assert sending.send() == "wss:192.0.2.9:4000"
        assert bench.server.loaded is not None
        _, route = bench.server.loaded.program.routes.popitem()
        route.function(sending.run)
        assert sending.send() == E_IP_BLOCKED, "a blacklist sees where it is"


# --- the size switch ------------------------------------------------------------------------------------------------


class Large(Sending):
    """The same with a request that is too large for a datagram."""

    def __init__(self, bench: Bench, uri: str = "sip:192.0.2.9") -> None:
        super().__init__(bench, uri)
        bench.server.size_switch.limit = 100


@pytest.mark.parametrize("comes_up", [True, False])
def test_what_is_too_large_for_udp_goes_by_tcp_if_that_can_be(tmp_path: Path, comes_up: bool) -> None:
    with Bench(tmp_path) as bench:
        sending = Large(bench)
        assert sending.send() == "waiting"
        flow, wait = bench.server.connecting[0]
        wait.resolve(flow if comes_up else None)
        assert sending.result == f"{'tcp' if comes_up else 'udp'}:192.0.2.9:5060"
        again = Large(bench)
        assert again.send() == ("waiting" if comes_up else "udp:192.0.2.9:5060"), "who refused is remembered"


def test_a_blacklist_that_reads_the_request_knows_how_it_leaves(tmp_path: Path) -> None:
    more = 'dst_blacklist=no:{(tcp,192.0.2.9,0,"*OPTIONS*")}\n'
    with Bench(tmp_path, 'use_blacklist("no");', more=more) as bench:
        assert bench.server.loaded is not None
        _, route = bench.server.loaded.program.routes.popitem()
        sending = Large(bench)
        route.function(sending.run)
        sending.send()
        flow, wait = bench.server.connecting[0]
        wait.resolve(flow)
        assert sending.result == E_IP_BLOCKED


def test_what_has_to_go_by_udp_goes_by_udp(tmp_path: Path) -> None:
    more = 'dst_blacklist=no:{(tcp,192.0.2.9,0,"")}\n'
    with Bench(tmp_path, 'use_blacklist("no");', more=more) as bench:
        assert Large(bench, "sip:192.0.2.9;transport=udp").send() == "udp:192.0.2.9:5060"
        forced = Large(bench)
        (forced.run.state.send_socket,) = bench.server.sockets.endpoints
        assert forced.send() == "udp:192.0.2.9:5060"
        forbidden = Large(bench)
        assert bench.server.loaded is not None
        _, route = bench.server.loaded.program.routes.popitem()
        route.function(forbidden.run)
        assert forbidden.send() == "udp:192.0.2.9:5060"
        small = Large(bench)
        bench.server.size_switch.limit = 2000
        assert small.send() == "udp:192.0.2.9:5060"
