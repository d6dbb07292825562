from __future__ import annotations

import ssl
from collections.abc import Sequence

import pytest

from openpy.net.layer import ANYBODY, Bounds, Callee, Layer, PlainLayer, PlainStack
from openpy.net.tls import ClientContexts, ServerContexts, TlsLayer, TlsStack
from openpy.net.tlscontexts import TlsSettings, client_context, server_context
from tests.authority import Authority, Certificate

MESSAGE = b"OPTIONS sip:a SIP/2.0\r\nContent-Length: 2\r\n\r\nhi"
US, PEER = ("192.0.2.1", 5061), ("192.0.2.2", 40000)


def serving(certificate: Certificate, ca: str = "", *, demands: bool = False) -> ssl.SSLContext:
    return server_context(
        TlsSettings(
            certificate.certificate, certificate.key, ca, verify_client=bool(ca), require_client=demands
        )
    )


def trusting(ca: str, own: Certificate | None = None, *, verifies: bool = True) -> ssl.SSLContext:
    files = (own.certificate, own.key) if own is not None else ("", "")
    return client_context(TlsSettings(*files, ca, verify_server=verifies))


def stacks(
    servers: ServerContexts, clients: ssl.SSLContext | ClientContexts, callee: Callee
) -> tuple[Layer, Layer]:
    """The two ends of a connection."""
    if isinstance(clients, ssl.SSLContext):
        clients = ClientContexts(clients)
    stack = TlsStack(PlainStack(Bounds()), servers, clients)
    client = stack.opened(US, callee)
    assert client is not None
    return client, stack.accepted(US, PEER)


def talk(client: Layer, server: Layer, piece: int = 100_000) -> list[bytes]:
    """Carry what both have to say until they are silent; returns the messages that the server got."""
    heard: list[bytes] = []
    ends: Sequence[tuple[Layer, Layer]] = ((client, server), (server, client))
    for _ in range(8):
        for sender, receiver in ends:
            data = sender.answers()
            while data and not receiver.over:
                messages = receiver.feed(data[:piece])
                data = data[piece:]
                if receiver is server:
                    heard += messages
    return heard


def certificate_names(layer: Layer) -> str:
    assert isinstance(layer, TlsLayer)
    return str((layer._object.getpeercert() or {}).get("subjectAltName"))


@pytest.mark.parametrize("piece", [100_000, 7, 1])
def test_messages_pass_in_pieces_of_any_size(authority: Authority, piece: int) -> None:
    servers = ServerContexts(serving(authority.of("a.example")))
    client, server = stacks(servers, trusting(authority.ca), Callee("a.example"))
    assert (client.is_up, client.held) == (False, 0)
    talk(client, server, piece)
    assert (client.is_up, server.is_up) == (True, True)
    wire = client.wrap(b"\r\n\r\n" + MESSAGE)
    assert MESSAGE[:20] not in wire
    got = [message for at in range(0, len(wire), piece) for message in server.feed(wire[at : at + piece])]
    assert got == [MESSAGE]
    assert (server.pings, server.held) == (1, 0)
    client.feed(server.answers())
    assert client.over == ""
    assert client.feed(server.wrap(MESSAGE)) == [MESSAGE]


def test_what_is_not_whole_is_counted(authority: Authority) -> None:
    servers = ServerContexts(serving(authority.of("a.example")))
    client, server = stacks(servers, trusting(authority.ca), Callee("a.example"))
    hello = client.answers()
    server.feed(hello[:50])
    assert server.held == 50
    server.feed(hello[50:])
    assert server.held == 0
    client.feed(server.answers())
    talk(client, server)
    server.feed(client.wrap(MESSAGE[:30]))
    assert server.held == 30


def test_lost_framing_inside_of_tls(authority: Authority) -> None:
    servers = ServerContexts(serving(authority.of("a.example")))
    client, server = stacks(servers, trusting(authority.ca), Callee("a.example"))
    talk(client, server)
    assert server.feed(client.wrap(MESSAGE + b"OPTIONS sip:a SIP/2.0\r\nX: y\r\n\r\n")) == [MESSAGE]
    assert server.error is not None
    assert b"X: y" in server.broken_head
    assert server.largest_read == PlainLayer.largest_read


def test_the_end_is_told(authority: Authority) -> None:
    servers = ServerContexts(serving(authority.of("a.example")))
    client, server = stacks(servers, trusting(authority.ca), Callee("a.example"))
    assert client.farewell() == b""
    talk(client, server)
    server.feed(client.farewell())
    assert server.over == "the peer closed it"


@pytest.mark.parametrize(
    "junk", [b"OPTIONS sip:a SIP/2.0\r\n\r\n", b"\x16\x03\x01\x00\x05hello", b"\0" * 500]
)
def test_junk_instead_of_a_handshake_ends_it(authority: Authority, junk: bytes) -> None:
    layer = TlsLayer(serving(authority.of("a.example")), PlainLayer(Bounds()))
    assert layer.feed(junk) == []
    assert layer.over
    assert not layer.is_up


def test_junk_after_the_handshake_ends_it(authority: Authority) -> None:
    servers = ServerContexts(serving(authority.of("a.example")))
    client, server = stacks(servers, trusting(authority.ca), Callee("a.example"))
    talk(client, server)
    server.feed(b"\x17\x03\x03\x00\x20" + b"x" * 32)
    assert "mac" in server.over or "decrypt" in server.over
    assert server.wrap(MESSAGE) is not None


@pytest.mark.parametrize(
    ("days", "name", "ca", "why"),
    [
        (30, "b.example", True, "Hostname mismatch"),
        (30, "192.0.2.9", True, "IP address mismatch"),
        (-1, "a.example", True, "certificate has expired"),
        (30, "a.example", False, "unable to get local issuer certificate"),
    ],
)
def test_a_server_that_does_not_prove_its_name_is_refused(
    authority: Authority, days: int, name: str, ca: bool, why: str
) -> None:
    servers = ServerContexts(serving(authority.of("a.example", days=days)))
    client, server = stacks(servers, trusting(authority.ca if ca else ""), Callee(name))
    talk(client, server)
    assert why in client.over
    assert "alert" in server.over, "the server is told"
    assert not server.is_up


def test_an_address_is_proved_too_and_without_checks_anybody_will_do(authority: Authority) -> None:
    servers = ServerContexts(serving(authority.of("c.example", "192.0.2.1", "2001:db8::1")))
    client, server = stacks(servers, trusting(authority.ca), ANYBODY)
    talk(client, server)
    assert client.is_up
    assert client.proves(ANYBODY)
    assert not client.proves(Callee("c.example")), "nobody checked that name"
    client, server = stacks(servers, trusting("", verifies=False), Callee("whoever.example"))
    talk(client, server)
    assert client.is_up
    assert client.proves(Callee("c.example"))


def test_who_was_checked_for_one_name_stands_for_no_other(authority: Authority) -> None:
    servers = ServerContexts(serving(authority.of("a.example")))
    client, server = stacks(servers, trusting(authority.ca), Callee("a.example"))
    assert client.proves(Callee("a.example"))
    assert client.proves(ANYBODY)
    assert not client.proves(Callee("b.example"))
    assert not client.proves(Callee("a.example", "domain"))
    assert not server.proves(Callee("a.example")), "a client proves no name of a server"


@pytest.mark.parametrize("shown", [None, "own", "stranger"])
@pytest.mark.parametrize("demands", [True, False])
def test_clients_are_asked_for_certificates(authority: Authority, shown: str | None, demands: bool) -> None:
    own = {"own": authority.of("client"), "stranger": authority.of("client", days=-1), None: None}[shown]
    servers = ServerContexts(serving(authority.of("a.example"), authority.ca, demands=demands))
    client, server = stacks(servers, trusting(authority.ca, own), Callee("a.example"))
    talk(client, server)
    expected = shown == "own" or (shown is None and not demands)
    assert server.is_up is expected
    assert bool(client.over) is not expected, "TLS 1.3 tells the client afterwards"
    if shown is None and demands:
        assert server.over == "peer did not return a certificate"


@pytest.mark.parametrize(
    ("name", "shown"),
    [("a.example", "a.example"), ("B.example", "b.example"), ("other.example", "a.example")],
)
@pytest.mark.parametrize("piece", [100_000, 5])
def test_the_name_that_a_client_calls_chooses_the_certificate(
    authority: Authority, name: str, shown: str, piece: int
) -> None:
    contexts = {each: serving(authority.of(each)) for each in ("a.example", "b.example")}
    servers = ServerContexts(contexts["a.example"], by_name={"b.example": contexts["b.example"]})
    client, server = stacks(servers, trusting(authority.ca), Callee(name))
    talk(client, server, piece)
    assert server.is_up is (name != "other.example")
    if server.is_up:
        assert shown in certificate_names(client)
        assert server.feed(client.wrap(MESSAGE)) == [MESSAGE]
    else:
        assert "Hostname mismatch" in client.over


def test_all_of_a_domain_comes_with_its_name_not_its_certificate_alone(authority: Authority) -> None:
    open_to_all = serving(authority.of("a.example"))
    strict = serving(authority.of("b.example"), authority.ca, demands=True)
    servers = ServerContexts(open_to_all, by_name={"b.example": strict})
    client, server = stacks(servers, trusting(authority.ca), Callee("b.example"))
    talk(client, server)
    assert server.over == "peer did not return a certificate"
    client, server = stacks(servers, trusting(authority.ca, authority.of("client")), Callee("b.example"))
    talk(client, server)
    assert server.is_up


def test_the_address_that_a_client_came_to_chooses_the_certificate(authority: Authority) -> None:
    other = serving(authority.of("b.example"))
    servers = ServerContexts(serving(authority.of("a.example")), by_address={US: other})
    client, server = stacks(servers, trusting(authority.ca), Callee("b.example"))
    talk(client, server)
    assert server.is_up


def test_what_is_renewed_counts_for_the_next_handshakes(authority: Authority) -> None:
    first, second = authority.of("a.example"), authority.of("b.example")
    stack = TlsStack(PlainStack(Bounds()), ServerContexts(serving(first)), ClientContexts(trusting("")))

    def connect(name: str) -> tuple[Layer, Layer]:
        client, server = stack.opened(US, Callee(name)), stack.accepted(US, PEER)
        assert client is not None
        talk(client, server)
        return client, server

    assert "unable to get local issuer certificate" in connect("a.example")[0].over
    stack.renew(None, ClientContexts(trusting(authority.ca)))
    client, server = connect("a.example")
    assert server.is_up
    stack.renew(ServerContexts(serving(second)), None)
    assert server.feed(client.wrap(MESSAGE)) == [MESSAGE]
    assert "Hostname mismatch" in connect("a.example")[0].over
    assert connect("b.example")[1].is_up


def test_the_settings_for_servers_are_chosen_by_domain_name_or_address(authority: Authority) -> None:
    contexts = [trusting(authority.ca) for _ in range(4)]
    clients = ClientContexts(contexts[0], {US: contexts[1]}, {"a.example": contexts[2], "d": contexts[3]})
    assert clients.choose(PEER, ANYBODY) is contexts[0]
    assert clients.choose(US, ANYBODY) is contexts[1]
    assert clients.choose(US, Callee("A.example")) is contexts[2]
    assert clients.choose(US, Callee("a.example", "D")) is contexts[3]
    assert clients.choose(US, Callee("x.example", "unknown")) is contexts[1]


def test_old_versions_are_refused(authority: Authority) -> None:
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.minimum_version = ssl.TLSVersion.TLSv1_1
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    client = TlsLayer(old, PlainLayer(Bounds()), Callee("a.example"))
    server = TlsLayer(serving(authority.of("a.example")), PlainLayer(Bounds()))
    talk(client, server)
    assert server.over == "unsupported protocol"


def test_nobody_is_called_by_what_is_no_name_or_where_nothing_is_opened(authority: Authority) -> None:
    stack = TlsStack(PlainStack(Bounds()), None, ClientContexts(trusting(authority.ca)))
    assert stack.opened(US, Callee("a" * 300)) is None
    assert stack.opened(US, Callee(".example")) is None
    assert TlsStack(PlainStack(Bounds()), None, None).opened(US, ANYBODY) is None
