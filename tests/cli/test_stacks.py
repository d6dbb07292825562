from __future__ import annotations

import pytest

from openpy.cli import stacks
from openpy.cli.stacks import Credentials, stack_of
from openpy.net.layer import ANYBODY, Callee, PlainLayer
from openpy.net.tls import TlsLayer
from openpy.net.websocketclient import WebSocketClientLayer
from tests.authority import Authority

PEER = "192.0.2.1", 5061
NOBODY = Credentials()


def test_what_runs_over_tcp() -> None:
    assert isinstance(stack_of("tcp", NOBODY, "/").opened(PEER, ANYBODY), PlainLayer)
    layer = stack_of("ws", NOBODY, "/sip").opened(PEER, Callee("example.org"))
    assert isinstance(layer, WebSocketClientLayer)
    assert layer.answers().startswith(b"GET /sip HTTP/1.1\r\nHost: example.org:5061\r\n")


@pytest.mark.parametrize("transport", ["tls", "wss"])
def test_secured(transport: str, authority: Authority) -> None:
    own = authority.of("client.example")
    for credentials in (NOBODY, Credentials(authority.ca), Credentials("", own.certificate, own.key)):
        layer = stack_of(transport, credentials, "/").opened(PEER, Callee("example.org"))
        assert isinstance(layer, TlsLayer)
        assert layer.answers()[:1] == b"\x16"  # a handshake


def test_what_cannot_be_used(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    own = authority.of("client.example")
    for credentials, problem in (
        (Credentials("/nothing"), "--ca: /nothing cannot be read"),
        (Credentials(own.key), "--ca: there are no certificates"),
        (Credentials("", "/nothing"), "--certificate: /nothing cannot be read"),
        (Credentials("", own.certificate, own.certificate), "--key: there is no private key"),
    ):
        with pytest.raises(ValueError, match=problem):
            stack_of("tls", credentials, "/")
    monkeypatch.setattr(stacks, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"pip install .openpy\[ws\]"):
        stack_of("ws", NOBODY, "/")
