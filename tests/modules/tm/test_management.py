"""The management commands of tm, with 1.3's answers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from openpy.engine.mi import Reply
from openpy.engine.mitext import reply_text
from tests.engine.kit import Bench, Sent, answer, request
from tests.modules.mi_fifo.kit import FifoServer

PEER = "sip:bob@192.0.2.9"
HEADERS = "From: <sip:us@example.com>\r\nTo: <sip:bob@example.com>\r\n"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Bench(tmp_path, "t_relay();", more='modparam("tm", "fr_timer", 4)') as given:
        yield given


def ask(bench: Bench, command: str, *parameters: str) -> Reply | None:
    """The reply, once it is there."""
    return bench.command(command, *parameters).value


def told(bench: Bench, *parameters: str) -> str:
    reply = ask(bench, "t_uac_dlg", *parameters)
    return "" if reply is None else f"{reply.code} {reply.reason}"


@pytest.mark.parametrize(
    ("parameters", "refusal"),
    [
        (("OPTIONS", PEER, ".", "."), "400 Too few or too many arguments"),
        (("OPTIONS", PEER, ".", ".", HEADERS, "body", "more"), "400 Too few or too many arguments"),
        (("A B", PEER, ".", ".", HEADERS), "400 Invalid method"),
        (("CANCEL", PEER, ".", ".", HEADERS), "400 Invalid method"),
        (("OPTIONS", "bob", ".", ".", HEADERS), "400 Invalid RURI"),
        (("OPTIONS", PEER, "bob", ".", HEADERS), "400 Invalid NEXTHOP"),
        (("OPTIONS", PEER, ".", "udp:192.0.2.1:x", HEADERS), "404 Invalid local socket"),
        (("OPTIONS", PEER, ".", "udp:192.0.2.77:5060", HEADERS), "404 Local socket not found"),
        (("OPTIONS", PEER, ".", ".", ""), "400 Bad headers"),
        (("OPTIONS", PEER, ".", ".", "nonsense"), "400 Bad headers"),
        (("OPTIONS", PEER, ".", ".", f"{HEADERS}Max-Forwards: x"), "400 Bad headers"),
        (("MESSAGE", PEER, ".", ".", HEADERS, "hello"), "400 Content-Type missing"),
        (
            ("MESSAGE", PEER, ".", ".", f"{HEADERS}Content-Type: text/plain\r\nContent-Length: 5", "hello"),
            "400 Content-Length disallowed",
        ),
        (("OPTIONS", PEER, ".", ".", "From: <sip:a@b>"), "400 To missing"),
        (("OPTIONS", PEER, ".", ".", "To: <sip:a@b>"), "400 From missing"),
        (("OPTIONS", PEER, ".", ".", "To: <sip:a@b>\r\nFrom: <sip:a@b"), "400 Error in From"),
        (("OPTIONS", PEER, ".", ".", f"{HEADERS}CSeq: x OPTIONS"), "400 Bad CSeq number"),
        (("OPTIONS", PEER, ".", ".", f"{HEADERS}CSeq: 5 INVITE"), "400 CSeq method mismatch"),
    ],
)
def test_t_uac_dlg_refuses(bench: Bench, parameters: tuple[str, ...], refusal: str) -> None:
    assert told(bench, *parameters) == refusal
    assert bench.sent == []


def test_what_t_uac_dlg_sends(bench: Bench) -> None:
    headers = f"{HEADERS}Contact: <sip:us@!!>\nContent-Type: text/plain\nX: 1"
    ask(bench, "t_uac_dlg", "MESSAGE", PEER, "sip:192.0.2.8", ".", headers, "hello")
    (sent,) = bench.sent
    assert sent.to == "udp:192.0.2.8:5060"
    assert sent.start == f"MESSAGE {PEER} SIP/2.0"
    assert sent.get("CSeq") == "10 MESSAGE"
    assert sent.get("From").startswith("<sip:us@example.com>;tag=")
    assert len(sent.get("Call-ID")) == 16
    assert sent.get("Contact") == "<sip:us@127.0.0.1:5060>"
    assert sent.get("X") == "1"
    assert sent.data.endswith(b"\r\n\r\nhello")


def test_what_the_headers_say_is_kept(bench: Bench) -> None:
    given = "From: <sip:a@b>;tag=t\r\nTo: <sip:c@d>;tag=u\r\nCall-ID: x\r\nCSeq: 4 BYE\r\nMax-Forwards: 9\r\n"
    endpoint = bench.server.sockets.endpoints[0]
    ask(bench, "t_uac_dlg", "BYE", PEER, ".", f"udp:{endpoint.host}:{endpoint.port}", given)
    (sent,) = bench.sent
    assert [sent.get(name) for name in ("From", "To", "Call-ID", "CSeq", "Max-Forwards")] == [
        "<sip:a@b>;tag=t",
        "<sip:c@d>;tag=u",
        "x",
        "4 BYE",
        "9",
    ]
    assert f":{endpoint.port};" in sent.get("Via")


def test_no_hop_is_a_number_of_hops(bench: Bench) -> None:
    ask(bench, "t_uac_dlg", "OPTIONS", PEER, ".", ".", f"{HEADERS}Max-Forwards: 0")
    assert bench.sent[0].all("Max-Forwards") == ["0"]


def begin(bench: Bench, method: str = "OPTIONS") -> tuple[list[Reply | None], Sent]:
    wait = bench.command("t_uac_dlg", method, PEER, ".", ".", f"{HEADERS}Call-ID: mine\r\n")
    replies: list[Reply | None] = []
    wait.on_done(lambda: replies.append(wait.value))
    return replies, bench.sent[-1]


def nodes(reply: Reply | None) -> list[str | None]:
    assert reply is not None
    assert (reply.code, reply.reason) == (200, "OK")
    return [node.value for node in reply.nodes]


def test_the_answer_of_t_uac_dlg(bench: Bench) -> None:
    replies, sent = begin(bench)
    bench.receive(answer(sent, 100))
    assert replies == []
    bench.receive(answer(sent, 404, "Not here"))
    status, *places, rest = nodes(replies[0])
    assert status == "404 Not here"
    assert places == [".", ".", "."]
    assert rest is not None
    assert rest.startswith("Via: ")
    assert rest.endswith("Content-Length: 0")


def test_the_dialog_in_the_answer(bench: Bench) -> None:
    replies, sent = begin(bench, "INVITE")
    ok = answer(sent, 200, "OK").replace(
        b"\r\n\r\n",
        b"\r\nContact: <sip:bob@192.0.2.99>\r\nRecord-Route: <sip:192.0.2.2;lr>, <sip:192.0.2.3;lr>\r\n\r\n",
        1,
    )
    bench.receive(ok)
    assert nodes(replies[0])[:4] == [
        "200 OK",
        "sip:bob@192.0.2.99",
        "sip:192.0.2.3;lr",
        "Route: <sip:192.0.2.3;lr>, <sip:192.0.2.2;lr>",
    ]


def test_an_answer_that_was_made_here(bench: Bench) -> None:
    replies, _ = begin(bench)
    bench.run_for(5)
    assert nodes(replies[0]) == ["408 Request Timeout", ".", ".", ".", "."]


def test_what_cannot_be_sent(bench: Bench) -> None:
    reply = ask(bench, "t_uac_dlg", "OPTIONS", "sip:bob@nowhere.invalid", ".", ".", HEADERS)
    assert nodes(reply) == ["476 Unresolvable destination (476/MI/UAC)"]


@pytest.mark.parametrize(("call_id", "cseq"), [("other", "10"), ("mine", "11"), ("mine", "x")])
def test_t_uac_cancel_knows_no_such_transaction(bench: Bench, call_id: str, cseq: str) -> None:
    begin(bench, "INVITE")
    reply = ask(bench, "t_uac_cancel", call_id, cseq)
    assert reply is not None
    assert (reply.code, reply.reason) == (481, "No such transaction")
    short = ask(bench, "t_uac_cancel", call_id)
    assert short is not None
    assert short.code == 400


def test_t_uac_cancel(bench: Bench) -> None:
    replies, sent = begin(bench, "INVITE")
    bench.receive(answer(sent, 180))
    reply = ask(bench, "t_uac_cancel", "mine", "10")
    assert reply is not None
    assert reply.code == 200
    assert bench.sent[-1].start.startswith("CANCEL ")
    bench.receive(answer(sent, 487, "Gone"))
    assert nodes(replies[0])[0] == "487 Gone"


@pytest.mark.parametrize(
    ("parameters", "refusal"),
    [
        (("200", "OK", "1:1", "t"), "400 Too few or too many arguments"),
        (("200", "OK", "1:1", "t", ".", "body", "more"), "400 Too few or too many arguments"),
        (("700", "OK", "1:1", "t", "."), "400 Invalid reply code"),
        (("x", "OK", "1:1", "t", "."), "400 Invalid reply code"),
        (("200", "OK", "11", "t", "."), "400 Invalid trans_id"),
        (("200", "OK", "x:1", "t", "."), "400 Invalid index in trans_id"),
        (("200", "OK", "1:x", "t", "."), "400 Invalid label in trans_id"),
        (("200", "OK", "1:1", "t", "."), "404 Transaction not found"),
    ],
)
def test_what_t_reply_refuses(bench: Bench, parameters: tuple[str, ...], refusal: str) -> None:
    reply = ask(bench, "t_reply", *parameters)
    assert reply is not None
    assert f"{reply.code} {reply.reason}" == refusal


def test_t_hash(bench: Bench) -> None:
    bench.receive(request(uri=PEER))
    reply = ask(bench, "t_hash")
    assert reply is not None
    assert reply_text(reply) == "200 OK\n0::  Current=1 Total=1\n"


def test_by_a_fifo(tmp_path: Path) -> None:
    """A request to a port where nobody listens, asked for and told as 1.3's clients do it."""

    async def scene(house: FifoServer) -> None:
        text = f':t_uac_dlg:answer\nOPTIONS\nsip:a@127.0.0.1:9\n.\n.\n"{HEADERS}"\n\n'
        assert await asyncio.wait_for(house.ask(text), 10) == "200 OK\n408 Request Timeout\n.\n.\n.\n.\n\n"
        assert await house.ask(":t_uac_cancel:answer\nx\n1\n\n") == "481 No such transaction\n\n"

    settings = 'loadmodule "tm.so"\nmodparam("tm", "fr_timer", 2)'
    FifoServer(tmp_path, settings).play(scene)
