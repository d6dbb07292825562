from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from openpy.engine import latereplies
from openpy.engine.latereplies import LateReplies
from openpy.engine.services import Callee
from openpy.net.services import Service
from openpy.transaction.flow import Flow
from tests.engine.kit import Bench, KeptFlow

PEER = "192.0.2.1"


@pytest.fixture(params=["tcp", "tls"])
def transport(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Bench(tmp_path) as bench:
        yield bench


def reply(sent_by: str, *, transport: str = "tcp") -> bytes:
    return (
        f"SIP/2.0 200 OK\r\nVia: SIP/2.0/{transport.upper()} {sent_by};branch=z9hG4bKx\r\n"
        "Content-Length: 0\r\n\r\n"
    ).encode()


def lost(bench: Bench, transport: str = "tcp") -> KeptFlow:
    """The connection that the request came by."""
    return bench.phone(transport, PEER, 40_000)


def attempts(bench: Bench) -> list[str]:
    """Where connections were asked for."""
    return [f"{flow.transport}:{flow.host}:{flow.port}" for flow, _ in bench.server.connecting]


def connect(bench: Bench, *, comes_up: bool = True) -> None:
    """The last connection that was asked for is there, or cannot be had."""
    flow, wait = bench.server.connecting[-1]
    flows: Flow | None = flow if comes_up else None
    wait.resolve(flows)


@pytest.mark.parametrize(("port", "named"), [("", None), (":7070", 7070)])
def test_a_reply_goes_to_the_source_at_the_port_of_the_via(
    bench: Bench, transport: str, port: str, named: int | None
) -> None:
    data = reply(f"192.0.2.77{port}", transport=transport)
    assert LateReplies(bench.server).take(data, lost(bench, transport))
    usual = {"tcp": 5060, "tls": 5061}[transport]
    assert attempts(bench) == [f"{transport}:{PEER}:{named or usual}"]
    assert bench.sent == []
    connect(bench)
    assert [(sent.to, sent.data) for sent in bench.sent] == [(attempts(bench)[0], data)]
    assert bench.value("drop_replies") == 0


def test_by_tls_the_name_of_the_via_has_to_be_proved(bench: Bench) -> None:
    late = LateReplies(bench.server)
    for sent_by in ("Proxy.example", "[2001:db8::1]:5061", "192.0.2.77"):
        late.take(reply(sent_by, transport="tls"), lost(bench, "tls"))
    assert bench.server.callees == [Callee("proxy.example"), Callee(), Callee()]


def test_where_no_connection_can_be_had_it_is_dropped_and_counted(bench: Bench) -> None:
    assert LateReplies(bench.server).take(reply("192.0.2.77"), lost(bench))
    connect(bench, comes_up=False)
    assert attempts(bench) == [f"tcp:{PEER}:5060"], "nobody has us connect to others"
    assert (bench.sent, bench.value("drop_replies")) == ([], 1)


@pytest.mark.parametrize(
    ("sent_by", "servers", "then"),
    [
        ("192.0.2.77", (), ["tcp:192.0.2.77:5060"]),
        ("192.0.2.77:7070", (), ["tcp:192.0.2.77:7070"]),
        ("proxy.example:7070", (), ["tcp:192.0.2.81:7070"]),
        ("proxy.example", (), ["tcp:192.0.2.81:5060"]),
        ("proxy.example", (Service((1,), 0, "tcp", "spare.example", 7171),), ["tcp:192.0.2.82:7171"]),
        ("nobody.example", (), []),
    ],
)
def test_with_reply_to_via_it_goes_where_the_via_says(
    tmp_path: Path, sent_by: str, servers: tuple[Service, ...], then: list[str]
) -> None:
    with Bench(tmp_path, more="reply_to_via=yes") as bench:
        bench.server.hosts = {"proxy.example": ("192.0.2.81",), "spare.example": ("192.0.2.82",)}
        bench.server.domains_of = {"tcp proxy.example": servers}
        assert LateReplies(bench.server).take(reply(sent_by), lost(bench))
        connect(bench, comes_up=False)
        assert attempts(bench)[1:] == then
        connect(bench)
        assert [sent.to for sent in bench.sent] == then
        assert bench.value("drop_replies") == (0 if then else 1)


@pytest.mark.parametrize(
    "data",
    [
        b"OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.77\r\nContent-Length: 0\r\n\r\n",
        b"SIP/2.0 400 Bad\r\nContent-Length: 0\r\n\r\n",
        b"SIP/2.0 400 Bad\r\nVia: none\r\n\r\n",
        b"SIP/2.0 nothing\r\n\r\n",
    ],
)
def test_what_is_no_reply_or_has_no_way_is_not_taken(bench: Bench, data: bytes) -> None:
    assert not LateReplies(bench.server).take(data, lost(bench))
    assert attempts(bench) == []


@pytest.mark.parametrize("transport", ["ws", "wss"])
def test_nobody_connects_to_a_client_of_web_socket(bench: Bench, transport: str) -> None:
    assert not LateReplies(bench.server).take(reply("x.invalid", transport=transport), lost(bench, transport))


@pytest.mark.pure
def test_only_so_many_wait(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latereplies, "MOST", 2)
    late = LateReplies(bench.server)
    assert [late.take(reply("192.0.2.77"), lost(bench)) for _ in range(3)] == [True, True, False]
    connect(bench)
    assert late.take(reply("192.0.2.77"), lost(bench)), "one has gone"


def test_an_error_of_ours_is_told(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    late = LateReplies(bench.server)
    late.take(reply("192.0.2.77"), lost(bench))
    monkeypatch.setattr(KeptFlow, "send", None)
    connect(bench)
    assert any("TypeError" in line for line in bench.log)
