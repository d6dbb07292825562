from __future__ import annotations

from pathlib import Path

import pytest

from openpy.engine.destinations import (
    E_BAD_ADDRESS,
    E_BAD_URI,
    E_IP_BLOCKED,
    E_SEND,
    Destination,
    DestinationError,
    DestinationKind,
    current_destination,
    destination_of,
    way_to,
)
from openpy.engine.run import Run
from openpy.engine.waiting import Stepper
from openpy.script.environment import ArgumentError, Environment
from openpy.sip.message import parse_message
from tests.engine.kit import Bench, request


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("sip:192.0.2.9", Destination("udp", "192.0.2.9", 5060)),
        ("sip:bob@192.0.2.9:5070;transport=TCP", Destination("tcp", "192.0.2.9", 5070)),
        ("sip:bob@[2001:DB8::1]", Destination("udp", "2001:db8::1", 5060)),
        ("sip:bob@name.example;maddr=192.0.2.9", Destination("udp", "192.0.2.9", 5060)),
        ("sip:bob@name.example:5070", Destination("udp", "name.example", 5070, is_name=True)),
    ],
)
def test_what_a_uri_names(uri: str, expected: Destination) -> None:
    assert destination_of(uri) == expected


@pytest.mark.parametrize("uri", ["nonsense", "", "sips:192.0.2.9", "sip:192.0.2.9;transport=tls", "tel:+1"])
def test_what_names_no_destination(uri: str) -> None:
    with pytest.raises(DestinationError) as caught:
        destination_of(uri)
    assert caught.value.code == E_BAD_URI


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.20", Destination("udp", "192.0.2.20", 5060)),
        ("udp:192.0.2.20:5070", Destination("udp", "192.0.2.20", 5070)),
        ("TCP:[2001:db8::1]:5070", Destination("tcp", "2001:db8::1", 5070)),
        ("gw-1.example", Destination("udp", "gw-1.example", 5060, is_name=True)),
        ("tcp:gw.example:5070", Destination("tcp", "gw.example", 5070, is_name=True)),
    ],
)
def test_what_a_script_names(text: str, expected: Destination) -> None:
    assert DestinationKind().convert(text, Environment()) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tls:192.0.2.1", "bad protocol in tls:192.0.2.1"),
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
