"""SIP over UDP, TCP, TLS, WebSocket and secure WebSocket, on IPv4 and IPv6: the whole server, real sockets."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import pytest

from tests.authority import Authority
from tests.ports import family_of
from tests.scenarios.conftest import Launch
from tests.scenarios.layered import TlsPhone, WebSocketPhone, receive, serve_tls
from tests.scenarios.process import ServerProcess
from tests.scenarios.wire import BothPhone, Phone, TcpPhone, parse, pidf

pytestmark = pytest.mark.scenario

ALL = ("udp", "tcp", "tls", "ws", "wss")

SCRIPT = """\
debug=3
log_stderror=yes
tls_certificate="{own.certificate}"
tls_private_key="{own.key}"
tls_ca_list="{ca}"
tls_require_client_certificate=no
tls_handshake_timeout=2
tcp_accept_aliases=1
tcp_connect_timeout=1
tls_server_domain["strict.example"] {{
	tls_certificate="{strict.certificate}"
	tls_private_key="{strict.key}"
	tls_require_client_certificate=yes
}}
{settings}
loadmodule "sqlite.so"
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "rr.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "presence.so"
loadmodule "presence_xml.so"
modparam("presence", "db_url", "sqlite:///presence.sqlite")
modparam("presence_xml", "force_active", 1)

route {{
	if (is_method("PUBLISH|SUBSCRIBE")) {{
		if (!t_newtran()) {{
			sl_reply_error();
			exit;
		}}
		if (is_method("PUBLISH"))
			handle_publish();
		else
			handle_subscribe();
		t_release();
		exit;
	}}
	if (is_method("OPTIONS")) {{
		append_to_reply("X-Way: $pr $si $sp\\r\\n");
		sl_send_reply("200", "OK");
		exit;
	}}
	if (is_method("INFO")) {{
		forward();
		exit;
	}}
	record_route();
	if (!t_relay())
		sl_reply_error();
}}
"""


def script(authority: Authority, *settings: str) -> str:
    return SCRIPT.format(
        own=authority.of("localhost", "127.0.0.1", "::1"),
        strict=authority.of("strict.example"),
        ca=authority.ca,
        settings="\n".join(settings),
    )


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.fixture(
    scope="module",
    params=[
        "127.0.0.1",
        pytest.param("::1", marks=pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")),
    ],
)
def server(request: pytest.FixtureRequest, launch_shared: Launch, authority: Authority) -> ServerProcess:
    return launch_shared(script(authority), listen=ALL, host=request.param)


@pytest.fixture
def phones(server: ServerProcess, authority: Authority) -> Iterator[Callable[[str], Phone]]:
    """Make phones of any transport."""

    def phone(transport: str) -> Phone:
        address = server.host, server.ports[transport]
        match transport:
            case "udp":
                return Phone(address)
            case "tcp":
                return TcpPhone(address)
            case "tls":
                return TlsPhone(address, authority.ca)
            case "ws":
                return WebSocketPhone(address)
        return WebSocketPhone(address, authority.ca)

    with ExitStack() as stack:
        yield lambda transport: stack.enter_context(phone(transport))


@pytest.mark.parametrize("transport", ALL)
def test_a_request_is_answered_where_it_came_from(
    server: ServerProcess, phones: Callable[[str], Phone], transport: str
) -> None:
    phone = phones(transport)
    reply = phone.request("OPTIONS", "sip:example.org")
    assert reply.status == 200
    assert reply.get("X-Way") == f"{transport.upper()} {phone.host} {phone.port}"
    assert reply.get("Via").startswith(f"SIP/2.0/{transport.upper()} {phone.hostport};")


@pytest.mark.parametrize("transport", ALL)
def test_who_watches_is_told_by_its_connection(
    server: ServerProcess, phones: Callable[[str], Phone], transport: str, uri: str
) -> None:
    watcher, publisher = phones(transport), phones("udp")
    dialog, first = watcher.watch(uri)
    word = "ws" if transport == "wss" else transport
    port = server.ports[transport]
    assert dialog.target.endswith(f":{port};transport={word}")
    assert first.get("Via").startswith(f"SIP/2.0/{transport.upper()} ")
    assert first.uri == watcher.contact
    note = "n" * (30 if transport == "udp" else 3000)
    assert publisher.publish(uri, pidf(uri, note=note)).status == 200
    assert note.encode() in watcher.notify(dialog).body


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_keep_alives_of_streams(phones: Callable[[str], Phone], transport: str) -> None:
    """RFC 5626 section 3.5.1."""
    phone = phones(transport)
    phone.socket.sendall(b"\r\n\r\n")
    assert receive(phone.socket, time.monotonic() + 5) == b"\r\n"


@pytest.mark.parametrize("transport", ["ws", "wss"])
def test_keep_alives_of_web_socket(phones: Callable[[str], Phone], transport: str) -> None:
    phone = phones(transport)
    assert isinstance(phone, WebSocketPhone)
    phone.send(b"\r\n\r\n")
    phone.ping(b"there?")
    deadline = time.monotonic() + 5
    while not (phone.keep_alives and phone.pongs):
        assert phone.read(deadline)
    assert phone.pongs == [b"there?"]


@pytest.mark.parametrize("transport", ["ws", "wss"])
def test_a_client_of_web_socket_is_reached_by_the_name_that_it_made_up(
    server: ServerProcess, phones: Callable[[str], Phone], transport: str
) -> None:
    bob, alice = phones(transport), phones("udp")
    bob.request("OPTIONS", "sip:example.org")
    alice.send(alice.build("MESSAGE", bob.contact, call_id="m1", body=b"hello"))
    got = bob.await_message(lambda message: message.method == "MESSAGE")
    assert got.uri == bob.contact
    assert got.get("Via").startswith(f"SIP/2.0/{transport.upper()} ")
    routes = [value for name, value in got.headers if name == "Record-Route"]
    assert f":{server.ports[transport]};transport=ws;r2=on;lr" in routes[0]
    assert "transport" not in routes[1]
    bob.answer(got)
    assert alice.await_message(lambda message: message.status == 200).get("Call-ID") == "m1"
    info = alice.build(
        "INFO", f"sip:bob@{'[' + bob.host + ']' if ':' in bob.host else bob.host}:{bob.port};transport=ws"
    )
    alice.send(info)  # by the address of its connection, and without state
    got = bob.await_message(lambda message: message.method == "INFO")
    bob.answer(got)
    assert alice.await_message(lambda message: message.status == 200).get("CSeq") == "1 INFO"


def test_a_reply_without_state_goes_back_by_its_connection(phones: Callable[[str], Phone]) -> None:
    alice, bob = phones("wss"), phones("udp")
    alice.send(alice.build("INFO", bob.contact))
    got = bob.await_message(lambda message: message.method == "INFO")
    bob.answer(got)
    assert alice.await_message(lambda message: message.status == 200).get("CSeq") == "1 INFO"


def test_nobody_is_reached_by_the_name_of_a_client_that_went(phones: Callable[[str], Phone]) -> None:
    bob, alice = phones("ws"), phones("udp")
    bob.request("OPTIONS", "sip:example.org")
    bob.close()
    time.sleep(0.1)
    assert alice.request("MESSAGE", bob.contact).status == 476


@pytest.mark.parametrize("method", ["MESSAGE", "INVITE"])
def test_a_reply_whose_connection_is_gone_comes_by_a_new_one(
    server: ServerProcess, phones: Callable[[str], Phone], method: str
) -> None:
    """RFC 3261 section 18.2.2."""
    alice, bob = phones("tcp"), phones("udp")
    assert isinstance(alice, TcpPhone)
    with closing(socket.create_server((server.host, 0), family=family_of(server.host))) as listener:
        listener.settimeout(5)
        port = listener.getsockname()[1]
        alice.send(
            alice.build(method, bob.contact).replace(f":{alice.port};".encode(), f":{port};".encode(), 1)
        )
        got = bob.await_message(lambda message: message.method == method)
        alice.socket.shutdown(socket.SHUT_WR)
        assert alice.closed()
        bob.answer(got)
        connection, _ = listener.accept()
        with TcpPhone((server.host, server.ports["tcp"]), accepted=connection) as again:
            assert again.await_message(lambda message: message.status == 200).get("CSeq") == f"1 {method}"


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_a_connection_serves_for_the_port_that_its_peer_names(
    phones: Callable[[str], Phone], transport: str
) -> None:
    bob, alice = phones(transport), phones("udp")
    register = bob.build("OPTIONS", "sip:example.org").replace(f":{bob.port};".encode(), b":7070;alias;", 1)
    bob.send(register)
    assert bob.await_message(lambda message: message.status == 200)
    alice.send(alice.build("MESSAGE", bob.contact.replace(f":{bob.port};", ":7070;")))
    bob.answer(bob.await_message(lambda message: message.method == "MESSAGE"))
    assert alice.await_message(lambda message: message.status == 200)


# --- TLS --------------------------------------------------------------------------------------------------------


def test_the_name_that_is_called_chooses_the_domain(server: ServerProcess, authority: Authority) -> None:
    address = server.host, server.ports["tls"]
    files = authority.of("client")
    with TlsPhone(address, authority.ca, name="strict.example", own=(files.certificate, files.key)) as phone:
        assert phone.options().status == 200
    phone = TlsPhone(address, authority.ca, name="strict.example")
    with phone, pytest.raises((ssl.SSLError, ConnectionError, AssertionError)):
        phone.options()
    server.await_log("no handshake: peer did not return a certificate (tls_require_client_certificate=no")


def test_who_does_not_come_to_the_end_of_a_handshake_is_closed(server: ServerProcess) -> None:
    with socket.create_connection((server.host, server.ports["tls"]), 5) as slow:
        slow.sendall(b"\x16\x03\x01")
        since = time.monotonic()
        assert slow.recv(100) == b""
        assert 1 < time.monotonic() - since < 5
    assert server.statistics()["net:handshakes_failed"] >= 1


class TlsPeer:
    """A server of somebody else's, which answers each request by TLS."""

    def __init__(self, host: str, files: tuple[str, str]) -> None:
        self.listener = socket.create_server((host, 0))
        self.listener.settimeout(0.1)
        self.port = self.listener.getsockname()[1]
        self.vias: list[str] = []
        self.connections = 0
        self._files = files
        self._has_ended = False
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while not self._has_ended:
            with (
                contextlib.suppress(TimeoutError, ssl.SSLError),
                serve_tls(self.listener, *self._files) as phone,
            ):
                self.connections += 1
                self._answer(phone)

    def _answer(self, phone: ssl.SSLSocket) -> None:
        while not self._has_ended:
            data = receive(phone, time.monotonic() + 0.1)
            if data:
                request = parse(data)
                self.vias.append(request.get("Via"))
                copied = ("via", "from", "to", "call-id", "cseq")
                lines = [f"{name}: {value}" for name, value in request.headers if name.lower() in copied]
                phone.sendall("\r\n".join(["SIP/2.0 200 OK", *lines, "Content-Length: 0", "", ""]).encode())

    def close(self) -> None:
        self._has_ended = True
        self._thread.join(6)
        self.listener.close()


@pytest.mark.parametrize("names", [("localhost",), ("other.example",), ("localhost", "expired")])
def test_the_next_hop_by_tls_has_to_prove_its_name(
    server: ServerProcess, phones: Callable[[str], Phone], authority: Authority, names: tuple[str, ...]
) -> None:
    files = authority.of(names[0], days=-1 if "expired" in names else 30)
    host = socket.getaddrinfo("localhost", 0, family=socket.AF_INET)[0][4][0]
    with closing(TlsPeer(str(host), (files.certificate, files.key))) as peer:
        alice = phones("udp")
        uri = f"sips:bob@localhost:{peer.port}"
        replies = [alice.request("MESSAGE", uri).status for _ in range(2)]
        if names == ("localhost",):
            assert replies == [200, 200]
            assert peer.connections == 1, "the second one goes by the same connection"
            assert peer.vias[0].startswith("SIP/2.0/TLS 127.0.0.1:")
        else:
            assert set(replies) == {477}
            assert peer.vias == []
            server.await_log(f"tls:127.0.0.1:{peer.port}: no handshake: the certificate is refused:")


# --- the size switch ----------------------------------------------------------------------------------------------


LARGE = b"n" * 1300


@pytest.fixture
def bob_at_both(server: ServerProcess) -> Iterator[tuple[Phone, socket.socket]]:
    """A phone by UDP that takes connections at the same port."""
    with BothPhone((server.host, server.ports["udp"])) as bob:
        bob.tcp.listen()
        bob.tcp.settimeout(5)
        yield bob, bob.tcp


def test_what_is_too_large_for_udp_goes_by_tcp(
    server: ServerProcess, phones: Callable[[str], Phone], bob_at_both: tuple[Phone, socket.socket]
) -> None:
    """RFC 3261 section 18.1.1."""
    alice, (bob, listener) = phones("tcp"), bob_at_both
    alice.send(alice.build("MESSAGE", bob.contact, body=LARGE))
    connection, _ = listener.accept()
    with TcpPhone((server.host, server.ports["tcp"]), accepted=connection) as by_tcp:
        got = by_tcp.await_message(lambda message: message.method == "MESSAGE")
        host = f"[{server.host}]" if ":" in server.host else server.host
        assert got.get("Via").startswith(f"SIP/2.0/TCP {host}:{server.ports['tcp']};")
        by_tcp.answer(got)
        assert alice.await_message(lambda message: message.status == 200)
        alice.send(alice.build("MESSAGE", f"{bob.contact};transport=udp", body=LARGE))
        got = bob.await_message(lambda message: message.method == "MESSAGE")
        assert got.get("Via").startswith("SIP/2.0/UDP "), "its URI says so"
        bob.answer(got)
        assert alice.await_message(lambda message: message.status == 200)


def test_who_takes_no_connections_gets_it_by_udp(phones: Callable[[str], Phone]) -> None:
    alice, bob = phones("tcp"), phones("udp")
    for _ in range(2):
        since = time.monotonic()
        alice.send(alice.build("MESSAGE", bob.contact, body=LARGE))
        got = bob.await_message(lambda message: message.method == "MESSAGE")
        assert got.get("Via").startswith("SIP/2.0/UDP ")
        assert time.monotonic() - since < 1
        bob.answer(got)
        assert alice.await_message(lambda message: message.status == 200)


def test_the_switch_can_be_turned_off(launch: Launch, authority: Authority) -> None:
    server = launch(script(authority, "udp_mtu=0"))
    with (
        TcpPhone(server.tcp_address) as alice,
        BothPhone(server.address) as bob,
    ):
        bob.tcp.listen()
        alice.send(alice.build("MESSAGE", bob.contact, body=LARGE))
        got = bob.await_message(lambda message: message.method == "MESSAGE")
        assert got.get("Via").startswith("SIP/2.0/UDP ")
        bob.answer(got)
        assert alice.await_message(lambda message: message.status == 200)
