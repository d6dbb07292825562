"""TCP, large NOTIFYs, and the ways that a NOTIFY takes."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from tests.scenarios.conftest import Launch
from tests.scenarios.database import subscriptions
from tests.scenarios.scripts import presence_script
from tests.scenarios.wire import BothPhone, Phone, ServerProcess, TcpPhone, parse, pidf

pytestmark = pytest.mark.scenario

LARGE = "n" * 1400


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A port on which a watcher takes TCP connections."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        listening.settimeout(5)
        yield listening


@pytest.fixture
def both(server: ServerProcess) -> Iterator[BothPhone]:
    """A phone by UDP whose port for TCP is its own too."""
    with BothPhone(server.address) as made:
        yield made


def accepted(listener: socket.socket, server: ServerProcess) -> TcpPhone:
    connection, _ = listener.accept()
    return TcpPhone(server.tcp_address, accepted=connection)


def port_of(listener: socket.socket) -> int:
    port: int = listener.getsockname()[1]
    return port


# --- connections --------------------------------------------------------------------------------------------


def test_publish_and_watch_over_tcp(tcp_phone: TcpPhone, server: ServerProcess, uri: str) -> None:
    """EVT-46: notified on its connection; a Contact that says so is given."""
    dialog, reply = tcp_phone.subscribe(uri)
    assert reply.status == 200
    assert dialog.target == f"sip:127.0.0.1:{server.ports['tcp']};transport=tcp"
    tcp_phone.notify(dialog)
    published = tcp_phone.publish(uri, pidf(uri, note="by-tcp"))
    assert published.status == 200
    told = tcp_phone.notify(dialog)
    assert told.get("Via").startswith("SIP/2.0/TCP ")
    assert b"by-tcp" in told.body
    assert tcp_phone.publish(uri, etag=published.get("SIP-ETag"), expires=0).status == 200
    assert b"closed" in tcp_phone.notify(dialog).body


def test_tcp_and_udp_meet(phone: Phone, tcp_phone: TcpPhone, uri: str) -> None:
    by_tcp, _ = tcp_phone.watch(uri)
    by_udp, _ = phone.watch(uri)
    phone.publish(uri, pidf(uri))
    assert tcp_phone.notify(by_tcp).body == phone.notify(by_udp).body


def test_large_state_goes_down_the_watchers_connection(phone: Phone, tcp_phone: TcpPhone, uri: str) -> None:
    dialog, _ = tcp_phone.watch(uri)
    assert phone.publish(uri, pidf(uri, note="n" * 20_000)).status == 200
    assert len(tcp_phone.notify(dialog).body) > 20_000


def test_connection_is_closed_and_opened_again(phone: Phone, tcp_phone: TcpPhone, uri: str) -> None:
    dialog, first = tcp_phone.watch(uri)
    tcp_phone.reconnect()
    assert tcp_phone.subscribe(uri, dialog=dialog)[1].status == 200
    again = tcp_phone.notify(dialog)
    assert again.uri == tcp_phone.contact
    assert again.cseq > first.cseq
    phone.publish(uri, pidf(uri, note="still-there"))
    assert b"still-there" in tcp_phone.notify(dialog).body


def test_server_connects_to_a_watcher_that_went_and_listens(
    phone: Phone, tcp_phone: TcpPhone, server: ServerProcess, listener: socket.socket, uri: str
) -> None:
    contact = f"sip:bob@127.0.0.1:{port_of(listener)};transport=tcp"
    dialog, _ = tcp_phone.watch(uri, contact=contact)
    tcp_phone.close()
    time.sleep(0.1)
    phone.publish(uri, pidf(uri, note="call-back"))
    with accepted(listener, server) as back:
        assert b"call-back" in back.notify(dialog).body


def test_watcher_that_hangs_up_unreachable_is_forgotten(
    phone: Phone, tcp_phone: TcpPhone, server: ServerProcess, uri: str
) -> None:
    tcp_phone.watch(uri)
    tcp_phone.close()
    time.sleep(0.1)
    phone.publish(uri, pidf(uri))
    deadline = time.monotonic() + 5
    while subscriptions(server, uri):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_connection_lost_under_a_notify(
    phone: Phone, tcp_phone: TcpPhone, server: ServerProcess, listener: socket.socket, uri: str
) -> None:
    """It is told again by the way that there is now."""
    contact = f"sip:bob@127.0.0.1:{port_of(listener)};transport=tcp"
    dialog, _ = tcp_phone.watch(uri, contact=contact)
    phone.publish(uri, pidf(uri, note="twice"))
    tcp_phone.notify(dialog, answer=0)
    tcp_phone.close()
    with accepted(listener, server) as back:
        assert b"twice" in back.notify(dialog).body


def test_refresh_by_another_transport_moves_the_way(phone: Phone, tcp_phone: TcpPhone, uri: str) -> None:
    dialog, _ = tcp_phone.watch(uri)
    assert phone.subscribe(uri, dialog=dialog)[1].status == 200
    assert phone.notify(dialog).get("Via").startswith("SIP/2.0/UDP ")
    assert tcp_phone.subscribe(uri, dialog=dialog)[1].status == 200
    assert tcp_phone.notify(dialog).get("Via").startswith("SIP/2.0/TCP ")


def test_watcher_that_does_not_read_delays_nobody(phone: Phone, tcp_phone: TcpPhone, uri: str) -> None:
    tcp_phone.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    tcp_phone.watch(uri)
    dialog, _ = phone.watch(uri)
    etag = ""
    for number in range(100):
        since = time.monotonic()
        etag = phone.publish(uri, pidf(uri, note=f"{number}-{'n' * 800}"), etag=etag).get("SIP-ETag")
        assert f"<note>{number}-".encode() in phone.notify(dialog).body
        assert time.monotonic() - since < 1


def test_crowd_of_connections(phone: Phone, server: ServerProcess) -> None:
    """All begin a message and say no more: the server serves others, before and after they go."""
    crowd = [socket.create_connection(server.tcp_address, 5) for _ in range(200)]
    for connection in crowd:
        connection.sendall(b"OPTIONS sip:")
    assert phone.options().status == 200
    for connection in crowd:
        connection.close()
    with TcpPhone(server.tcp_address) as late:
        assert late.options().status == 200


def test_ipv6(launch: Launch, uri: str) -> None:
    server = launch(host="::1")
    with Phone(server.address) as by_udp, TcpPhone(server.tcp_address) as by_tcp:
        first, _ = by_udp.watch(uri)
        second, _ = by_tcp.watch(uri)
        assert first.target == f"sip:[::1]:{server.ports['udp']};transport=udp"
        assert by_tcp.publish(uri, pidf(uri, note="six")).status == 200
        assert b"six" in by_udp.notify(first).body
        assert b"six" in by_tcp.notify(second).body
        server.kill()
        server.start()
        assert by_udp.subscribe(uri, dialog=first)[1].status == 200
        assert by_udp.notify(first).uri == f"sip:bob@[::1]:{by_udp.port}"


def test_contact_with_a_host_name(phone: Phone, watcher: Phone, uri: str) -> None:
    dialog, _ = watcher.watch(uri, contact=f"sip:bob@localhost:{watcher.port}")
    phone.publish(uri, pidf(uri, note="by-name"))
    assert b"by-name" in watcher.notify(dialog).body


# --- framing ------------------------------------------------------------------------------------------------


def test_stream_in_single_bytes(tcp_phone: TcpPhone, uri: str) -> None:
    data = tcp_phone.publication(uri, pidf(uri, note="ä"))
    tcp_phone.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for place in range(len(data)):
        tcp_phone.send(data[place : place + 1])
    assert tcp_phone.final_reply(parse(data)).status == 200


def test_messages_in_one_segment(tcp_phone: TcpPhone, uri: str) -> None:
    requests = [tcp_phone.publication(uri, pidf(uri, f"t{number}")) for number in range(20)]
    tcp_phone.send(b"\r\n\r\n".join(requests))
    assert {tcp_phone.final_reply(parse(data)).status for data in requests} == {200}


def test_keep_alive(tcp_phone: TcpPhone) -> None:
    tcp_phone.send(b"\r\n\r\n")
    assert tcp_phone.socket.recv(10) == b"\r\n"
    assert tcp_phone.options().status == 200


def test_silent_connections_are_closed_and_kept_alive_ones_are_not(launch: Launch) -> None:
    server = launch(presence_script("tcp_connection_lifetime=1"))
    with (
        TcpPhone(server.tcp_address) as silent,
        TcpPhone(server.tcp_address) as slow,
        TcpPhone(server.tcp_address) as alive,
    ):
        for octet in b"OPTI":
            slow.send(bytes((octet,)))
            alive.send(b"\r\n\r\n")
            time.sleep(0.2)
        for _ in range(8):
            alive.send(b"\r\n\r\n")
            time.sleep(0.2)
        assert silent.closed(1)
        assert slow.closed(1)
        assert alive.options().status == 200


def test_peer_that_pings_and_does_not_read_is_cut_off(server: ServerProcess, phone: Phone) -> None:
    """64 MiB of keep-alives would be 32 MiB of answers."""
    with TcpPhone(server.tcp_address) as deaf:
        deaf.socket.settimeout(10)
        with pytest.raises(ConnectionError):
            deaf.send(b"\r\n" * (32 << 20))
    assert phone.options().status == 200


@pytest.mark.parametrize("length", ["-1", "abc", "5, 6", "99999999999999999999"])
def test_lost_framing_is_answered_and_closed(tcp_phone: TcpPhone, phone: Phone, length: str) -> None:
    data = tcp_phone.build("OPTIONS", "sip:example.org")
    tcp_phone.send(data.replace(b"Content-Length: 0", f"Content-Length: {length}".encode()))
    reply = tcp_phone.receive(5)
    assert reply is not None
    assert reply.status in (400, 413)
    assert tcp_phone.closed()
    assert phone.options().status == 200


# --- large NOTIFYs to a watcher that came by UDP ------------------------------------------------------------


def test_large_notify_goes_by_tcp_to_who_listens(
    phone: Phone, both: BothPhone, server: ServerProcess, uri: str
) -> None:
    dialog, _ = both.watch(uri)
    both.tcp.listen()
    both.tcp.settimeout(5)
    phone.publish(uri, pidf(uri, note=LARGE))
    with accepted(both.tcp, server) as by_tcp:
        told = by_tcp.notify(dialog)
        assert told.get("Via").startswith("SIP/2.0/TCP ")
        assert LARGE.encode() in told.body
        assert both.nothing_more(0.1)
        phone.publish(uri, pidf(uri, "mobile", note=LARGE))
        assert by_tcp.notify(dialog).body.count(LARGE.encode()) == 2


def test_large_notify_goes_by_udp_after_all(phone: Phone, watcher: Phone, uri: str) -> None:
    dialog, _ = watcher.watch(uri)
    phone.publish(uri, pidf(uri, note=LARGE))
    told = watcher.notify(dialog, 3)
    assert len(told.raw) > 1300
    assert LARGE.encode() in told.body


def test_large_notify_goes_by_udp_where_tcp_is_silent(phone: Phone, both: BothPhone, uri: str) -> None:
    """Connecting to a full backlog gets no answer at all."""
    dialog, _ = both.watch(uri)
    both.tcp.listen(0)
    fillers = [_connecting(both.port) for _ in range(3)]
    try:
        since = time.monotonic()
        phone.publish(uri, pidf(uri, note=LARGE))
        told = both.notify(dialog, 4)
        assert 1.5 < time.monotonic() - since < 3
        assert told.get("Via").startswith("SIP/2.0/UDP ")
    finally:
        for filler in fillers:
            filler.close()


def _connecting(port: int) -> socket.socket:
    filler = socket.socket()
    filler.setblocking(False)
    filler.connect_ex(("127.0.0.1", port))
    return filler


# --- route sets ---------------------------------------------------------------------------------------------


def test_loose_route_set(watcher: Phone, phones: Callable[[], Phone], uri: str) -> None:
    """EVT-08, EVT-22."""
    proxy = phones()
    hops = [f"<sip:127.0.0.1:{proxy.port};lr>", "<sip:192.0.2.7;lr;ftag=x>"]
    dialog, reply = watcher.subscribe(uri, headers=[f"Record-Route: {hop}" for hop in hops])
    assert ", ".join(reply.all("Record-Route")).replace(">,<", ">, <") == ", ".join(hops)
    told = proxy.notify(dialog)
    assert told.uri == watcher.contact
    assert ", ".join(told.all("Route")) == ", ".join(hops)
    watcher.subscribe(uri, dialog=dialog)
    assert ", ".join(proxy.notify(dialog).all("Route")) == ", ".join(hops), "the route set stays"
    assert watcher.nothing_more(0.1)


def test_strict_route_set(watcher: Phone, phones: Callable[[], Phone], uri: str) -> None:
    """RFC 3261 12.2.1.1: the first hop is the Request-URI, the target the last Route."""
    proxy = phones()
    first, second = f"sip:127.0.0.1:{proxy.port}", "<sip:192.0.2.7;lr>"
    dialog, _ = watcher.subscribe(uri, headers=[f"Record-Route: <{first}>, {second}"])
    told = proxy.notify(dialog)
    assert told.uri == first
    assert ", ".join(told.all("Route")) == f"{second}, <{watcher.contact}>"
    assert watcher.nothing_more(0.1)


def test_publish_has_no_route_set(phone: Phone, uri: str) -> None:
    """PUB-31."""
    reply = phone.publish(uri, pidf(uri), headers=["Record-Route: <sip:192.0.2.7;lr>"])
    assert (reply.status, reply.get("Record-Route")) == (200, "")
