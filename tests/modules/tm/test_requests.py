"""Requests of our own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from openpy.engine.destinations import E_BAD_ADDRESS, DestinationError
from openpy.engine.waiting import Wait
from openpy.modules.tm.requests import Answer, OwnRequest, in_dialog
from openpy.sip.dialog import Dialog
from openpy.sip.errors import LocalError
from tests.engine.kit import Bench, KeptFlow, Sent, answer

PEER = "sip:bob@192.0.2.9"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Bench(tmp_path, more='modparam("tm", "fr_timer", 4)') as given:
        given.server.hosts["gw.example"] = ("192.0.2.21", "192.0.2.22")
        yield given


def own(method: str = "MESSAGE", uri: str = PEER, **more: object) -> OwnRequest:
    values: dict[str, object] = {
        "method": method,
        "uri": uri,
        "from_": "<sip:us@example.com>;tag=ours",
        "to": f"<{PEER}>",
        "call_id": "own-1",
        "cseq": 3,
        **more,
    }
    return OwnRequest(**values)  # type: ignore[arg-type]


def send(bench: Bench, request: OwnRequest) -> Wait[Answer]:
    module = bench.server.module("tm")
    assert module is not None
    wait: Wait[Answer] = module.bind().request(request)
    return wait


def cancel(bench: Bench, call_id: str = "own-1", cseq: int = 3) -> bool:
    module = bench.server.module("tm")
    assert module is not None
    return bool(module.bind().cancel(call_id, cseq))


def last(bench: Bench, method: str) -> Sent:
    return next(sent for sent in reversed(bench.sent) if sent.start.startswith(f"{method} "))


def methods(bench: Bench) -> list[str]:
    return [sent.start.split()[0] for sent in bench.sent]


def with_contact(data: bytes, *headers: str) -> bytes:
    lines = "".join(f"\r\n{line}" for line in ("Contact: <sip:bob@192.0.2.99:5070>", *headers))
    return data.replace(b"\r\n\r\n", lines.encode() + b"\r\n\r\n", 1)


def test_a_request_and_its_answer(bench: Bench) -> None:
    wait = send(bench, own(headers="X-Here: !!\r\n", body=b"hi", address_mark="!!", routes=("<sip:p;lr>",)))
    (sent,) = bench.sent
    assert sent.to == "udp:192.0.2.9:5060"
    assert sent.start == "MESSAGE sip:bob@192.0.2.9 SIP/2.0"
    assert sent.get("Via").startswith("SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK")
    assert [sent.get(name) for name in ("CSeq", "Call-ID", "Route", "X-Here", "Max-Forwards")] == [
        "3 MESSAGE",
        "own-1",
        "<sip:p;lr>",
        "127.0.0.1:5060",
        "70",
    ]
    assert sent.data.endswith(b"Content-Length: 2\r\n\r\nhi")
    bench.receive(answer(sent, 100))
    assert not wait.done
    bench.receive(answer(sent, 404, "Nobody"))
    assert wait.value is not None
    assert (wait.value.status, wait.value.reason) == (404, "Nobody")
    assert wait.value.response is not None
    assert wait.value.dialog is None
    assert bench.value("received_replies", "tm") == 2
    assert bench.value("4xx_transactions", "tm") == 1


def test_nobody_answers(bench: Bench) -> None:
    wait = send(bench, own())
    bench.run_for(5)
    assert wait.value == Answer(408, "Request Timeout")


def test_the_next_hop_and_its_further_addresses(bench: Bench) -> None:
    wait = send(bench, own(next_hop="sip:gw.example"))
    bench.run_for(5)
    assert not wait.done
    assert list(dict.fromkeys(sent.to for sent in bench.sent)) == [
        "udp:192.0.2.21:5060",
        "udp:192.0.2.22:5060",
    ]
    bench.receive(answer(bench.sent[-1], 200))
    assert wait.value is not None
    assert wait.value.status == 200


def test_what_cannot_be_sent_fails(bench: Bench) -> None:
    wait = send(bench, own(uri="sip:bob@nowhere.invalid"))
    errors: list[BaseException] = []
    with pytest.raises(DestinationError) as found:
        wait.__await__().send(None)
    errors.append(found.value)
    assert found.value.code == E_BAD_ADDRESS
    with pytest.raises(LocalError):
        send(bench, own(to="a\r\nb")).__await__().send(None)
    assert not cancel(bench)


def test_a_lost_connection_is_a_503(bench: Bench) -> None:
    wait = send(bench, own(uri=f"{PEER};transport=tcp"))
    flow, connected = bench.server.connecting[0]
    connected.resolve(flow)
    bench.server.transactions.flow_failed(flow)
    assert wait.value == Answer(503, "Service Unavailable")


# --- INVITE ---------------------------------------------------------------------------------------------------------


def test_a_2xx_is_acknowledged_each_time(bench: Bench) -> None:
    wait = send(bench, own("INVITE"))
    ok = with_contact(answer(bench.sent[0], 200), "Record-Route: <sip:192.0.2.50;lr>")
    bench.receive(ok)
    ack = last(bench, "ACK")
    assert ack.start == "ACK sip:bob@192.0.2.99:5070 SIP/2.0"
    assert ack.to == "udp:192.0.2.50:5060"
    assert (ack.get("Route"), ack.get("CSeq")) == ("<sip:192.0.2.50;lr>", "3 ACK")
    assert ack.get("To") == "<sip:bob@192.0.2.9>;tag=b1"
    assert wait.value is not None
    assert wait.value.dialog is not None
    bench.receive(ok)
    assert methods(bench) == ["INVITE", "ACK", "ACK"]
    assert bench.sent[1].data == bench.sent[2].data


def test_an_ack_has_the_credentials_of_its_invite(bench: Bench) -> None:
    headers = "Authorization: Digest a\r\nSubject: x\r\nproxy-authorization : Digest b\r\n"
    send(bench, own("INVITE", headers=headers))
    bench.receive(with_contact(answer(bench.sent[0], 200)))
    ack = last(bench, "ACK")
    assert (ack.get("Authorization"), ack.get("Proxy-Authorization")) == ("Digest a", "Digest b")
    assert ack.get("Subject") == ""


def test_the_2xx_of_another_branch_is_ended(bench: Bench) -> None:
    send(bench, own("INVITE"))
    invite = bench.sent[0]
    bench.receive(with_contact(answer(invite, 200)))
    bench.receive(with_contact(answer(invite, 200, to_tag="other")))
    assert methods(bench) == ["INVITE", "ACK", "ACK", "BYE"]
    assert last(bench, "BYE").get("To").endswith(";tag=other")
    assert last(bench, "BYE").get("CSeq") == "4 BYE"


def test_a_2xx_without_contact_is_told(bench: Bench) -> None:
    wait = send(bench, own("INVITE"))
    bench.receive(answer(bench.sent[0], 200))
    assert wait.done
    assert methods(bench) == ["INVITE"]
    assert "has no Contact or route" in bench.log[-1]


def test_an_ack_without_way_is_told(bench: Bench) -> None:
    send(bench, own("INVITE"))
    data = with_contact(answer(bench.sent[0], 200)).replace(b"192.0.2.99:5070", b"gone.invalid")
    bench.receive(data)
    assert "the ACK of our INVITE own-1 could not be sent" in bench.log[-1]


@pytest.mark.parametrize(("heard", "status"), [(False, 487), (True, 0)])
def test_cancel(bench: Bench, heard: bool, status: int) -> None:
    wait = send(bench, own("INVITE"))
    invite = bench.sent[0]
    if heard:
        bench.receive(answer(invite, 180))
    assert cancel(bench)
    assert (wait.value.status if wait.value else 0) == status
    assert methods(bench) == (["INVITE", "CANCEL"] if heard else ["INVITE"])
    if not heard:  # it rings after all, and is even answered
        bench.receive(answer(invite, 180))
        assert methods(bench)[-1] == "CANCEL"
        bench.receive(with_contact(answer(invite, 200)))
        assert methods(bench)[-2:] == ["ACK", "BYE"]
    else:
        bench.receive(answer(invite, 487))
        assert wait.value is not None
        assert wait.value.status == 487
    assert not cancel(bench)


def test_only_an_invite_can_be_taken_back(bench: Bench) -> None:
    wait = send(bench, own())
    assert cancel(bench)
    assert not wait.done


# --- in a dialog --------------------------------------------------------------------------------------------------


def dialog(*routes: str) -> Dialog:
    return Dialog(
        call_id="d",
        local_tag="l",
        remote_tag="r",
        local_uri="sip:a@x",
        remote_uri="sip:b@y",
        target="sip:b@192.0.2.9",
        route_set=routes,
        local_cseq=7,
    )


def test_requests_in_a_dialog() -> None:
    given = dialog()
    bye = in_dialog(given, "BYE", "X: y\r\n", b"z")
    assert (bye.uri, bye.from_, bye.to) == ("sip:b@192.0.2.9", "<sip:a@x>;tag=l", "<sip:b@y>;tag=r")
    assert (bye.cseq, given.local_cseq, bye.next_hop) == (8, 8, "sip:b@192.0.2.9")
    assert in_dialog(given, "ACK").cseq == 8


def test_a_strict_router(bench: Bench) -> None:
    send(bench, in_dialog(dialog("<sip:192.0.2.60>"), "BYE"))
    (sent,) = bench.sent
    assert sent.to == "udp:192.0.2.60:5060"
    assert sent.get("Route") == "<sip:b@192.0.2.9>"


def test_a_tcp_peer(bench: Bench) -> None:
    send(bench, own(uri=f"{PEER};transport=tcp"))
    flow, connected = bench.server.connecting[0]
    connected.resolve(flow)
    assert isinstance(flow, KeptFlow)
    assert bench.sent[0].get("Via").startswith("SIP/2.0/TCP ")


def test_the_user_agent(tmp_path: Path) -> None:
    with Bench(tmp_path, more='user_agent_header="User-Agent: us"') as given:
        send(given, own(headers="X: y\r\n"))
        assert [given.sent[0].get(name) for name in ("User-Agent", "X")] == ["us", "y"]
