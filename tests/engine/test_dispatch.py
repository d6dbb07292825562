from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openpy.engine.run import Run
from openpy.engine.waiting import Wait
from openpy.script.syntax import RouteKind
from openpy.sip.errors import RemoteError
from tests.engine.kit import Bench, answer, request

REFUSED = "SIP/2.0 503 Server overloaded"
ANSWERING = 'sl_send_reply("200", "OK");'


def statuses(bench: Bench, data: bytes) -> list[int]:
    return [int(sent.start.split()[1]) for sent in bench.receive(data)]


def without(name: bytes) -> bytes:
    head, _, body = request().partition(b"\r\n\r\n")
    return (
        b"\r\n".join(line for line in head.split(b"\r\n") if not line.startswith(name)) + b"\r\n\r\n" + body
    )


# --- what there is no time for ------------------------------------------------------------------------------------


def refuse(bench: Bench, data: bytes) -> list[str]:
    before = len(bench.sent)
    bench.server.dispatcher.refuse(data, bench.phone())
    return [sent.start for sent in bench.sent[before:]]


def test_a_refusal_says_when_to_come_again_and_keeps_nothing(tmp_path: Path) -> None:
    with Bench(tmp_path, 't_newtran(); t_reply("200", "OK");') as bench:
        assert refuse(bench, request()) == [REFUSED]
        assert 5 <= int(bench.sent[-1].get("Retry-After")) <= 10
        assert bench.server.transactions.servers_in_use == 0
        assert statuses(bench, request()) == [200]


def test_what_was_served_is_not_refused_when_it_comes_again(tmp_path: Path) -> None:
    with Bench(tmp_path, 't_newtran(); t_reply("200", "OK");') as bench:
        assert statuses(bench, request()) == [200]
        assert refuse(bench, request()) == ["SIP/2.0 200 OK"]


@pytest.mark.parametrize(
    "data", [request("ACK"), without(b"From"), b"nonsense", b"", b"SIP/2.0 200 OK\r\n\r\n"]
)
def test_what_cannot_be_refused_is_dropped(tmp_path: Path, data: bytes) -> None:
    with Bench(tmp_path, ANSWERING) as bench:
        assert refuse(bench, data) == []
        assert bench.log == []


def test_an_error_of_ours_in_a_refusal_is_reported(tmp_path: Path) -> None:
    with Bench(tmp_path, ANSWERING) as bench:
        bench.server.random = None  # type: ignore[assignment]
        assert refuse(bench, request()) == ["SIP/2.0 500 Server Internal Error"]
        assert bench.log


# --- requests ---------------------------------------------------------------------------------------------------


def test_a_request_is_routed_and_counted(tmp_path: Path) -> None:
    with Bench(tmp_path, ANSWERING) as bench:
        (sent,) = bench.receive(request())
        assert sent.start == "SIP/2.0 200 OK"
        assert sent.to == "udp:192.0.2.1:5066"
        assert bench.value("rcv_requests") == 1


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (request(uri="http://example.com"), 416),
        (request().replace(b"SIP/2.0\r\nVia", b"SIP/3.0\r\nVia"), 505),
        (request().replace(b"CSeq: 7 OPTIONS", b"CSeq: 7 INVITE"), 400),
        (request().replace(b"CSeq: 7", b"CSeq: x"), 400),
        (without(b"From"), 400),
        (without(b"To"), 400),
        (without(b"Call-ID"), 400),
        (request().replace(b"Content-Length: 0", b"Content-Length: 99"), 400),
        (request(via="nonsense"), 400),
    ],
)
def test_a_malformed_request_is_answered_and_counted(tmp_path: Path, data: bytes, status: int) -> None:
    with Bench(tmp_path, 'xlog("never");') as bench:
        assert statuses(bench, data) == [status]
        assert (bench.value("bad_msg_hdr"), bench.value("err_requests")) == (1, 1)
        assert bench.log == []


@pytest.mark.parametrize(
    "data",
    [
        without(b"Via"),
        request("ACK", "http://example.com"),
        b"nonsense",
        b"nonsense\r\n\r\n",
        b"OPTIONS sip:a SIP/2.0\r\nVia: x",
    ],
)
def test_what_cannot_be_answered_is_dropped_and_counted(tmp_path: Path, data: bytes) -> None:
    with Bench(tmp_path, ANSWERING) as bench:
        assert bench.receive(data) == []
        assert bench.value("drop_requests") == 1


@pytest.mark.parametrize("data", [b"", b"\r\n\r\n", b"\0\0\0\0", b"\r\n"])
def test_keep_alives_are_nobodys_fault(tmp_path: Path, data: bytes) -> None:
    with Bench(tmp_path, ANSWERING) as bench:
        assert bench.receive(data) == []
        assert bench.value("bad_msg_hdr") == 0


def test_a_retransmission_never_reaches_the_script(tmp_path: Path) -> None:
    with Bench(tmp_path, 'xlog("routed"); t_newtran(); t_reply("404", "Not Found");') as bench:
        (first,) = bench.receive(request())
        (again,) = bench.receive(request())
        assert first.data == again.data
        assert list(bench.printed()) == ["routed"]


def test_the_ack_to_a_stateful_failure_is_absorbed(tmp_path: Path) -> None:
    with Bench(tmp_path, 'xlog("$rm"); t_newtran(); t_reply("486", "Busy");') as bench:
        bench.receive(request("INVITE"))
        bench.receive(request("ACK"))
        assert list(bench.printed()) == ["INVITE"]
        assert bench.run_for(60) == []


def test_the_ack_to_a_stateless_failure_is_absorbed(tmp_path: Path) -> None:
    with Bench(tmp_path, 'xlog("$rm"); sl_send_reply("486", "Busy");') as bench:
        (busy,) = bench.receive(request("INVITE"))
        tag = busy.get("To").partition("tag=")[2]
        bench.receive(request("ACK", to_tag=tag))
        assert list(bench.printed()) == ["INVITE"]
        assert bench.value("received_ACKs", "sl") == 1


def test_another_ack_is_the_scripts(tmp_path: Path) -> None:
    with Bench(tmp_path, 'xlog("$rm");') as bench:
        bench.receive(request("ACK", to_tag="of-somebody"))
        bench.receive(request("ACK"))
        assert list(bench.printed()) == ["ACK", "ACK"]


def test_a_script_without_a_route_absorbs_requests_with_a_warning(tmp_path: Path) -> None:
    with Bench(tmp_path, script='loadmodule "sl.so"\n') as bench:
        assert bench.receive(request()) == []
        assert "null action list" in bench.log[0]


def test_while_stopping_new_requests_are_refused(tmp_path: Path) -> None:
    with Bench(tmp_path, 't_newtran(); t_reply("202", "OK");') as bench:
        (accepted,) = bench.receive(request())
        bench.server.dispatcher.draining = True
        (refused,) = bench.receive(request(branch="z9hG4bKnew"))
        assert refused.start.startswith("SIP/2.0 503")
        assert refused.get("Retry-After") == "5"
        assert ";tag=" in refused.get("To")
        (again,) = bench.receive(request())
        assert again.data == accepted.data


def test_while_stopping_calls_can_end(tmp_path: Path) -> None:
    with Bench(tmp_path, 't_relay("udp:192.0.2.9:5060");') as bench:
        invite = request("INVITE")
        (_, sent) = bench.receive(invite)
        bench.receive(answer(sent, 180))
        bench.server.dispatcher.draining = True
        cancelled = [sent.start for sent in bench.receive(invite.replace(b"INVITE", b"CANCEL"))]
        assert "SIP/2.0 200 canceling" in cancelled
        assert "CANCEL sip:bob@example.com SIP/2.0" in cancelled
        for number, method in enumerate(("BYE", "PRACK", "ACK")):
            (sent,) = bench.receive(request(method, to_tag="bob", branch=f"z9hG4bKlater{number}"))
            assert sent.start.startswith(f"{method} sip:")
        for method, to_tag in (("BYE", ""), ("INVITE", "bob"), ("SUBSCRIBE", "bob")):
            assert statuses(bench, request(method, to_tag=to_tag, branch=f"z9hG4bK{method}{to_tag}")) == [503]


# --- our own errors ---------------------------------------------------------------------------------------------


def fail(*_: object) -> int:
    raise ZeroDivisionError("ours")


def test_an_error_in_a_function_is_answered_with_500_and_logged_through_the_scripts_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openpy.sip.message.Message.max_forwards", property(fail))
    with Bench(tmp_path, '\nmf_process_maxfwd_header("10");\n') as bench:
        assert statuses(bench, request()) == [500]
        (text,) = bench.log
        assert "ZeroDivisionError: ours" in text
        line = next(n for n, s in enumerate((tmp_path / "test.cfg").read_text().splitlines(), 1) if "10" in s)
        assert f'test.cfg", line {line}, in route' in text
        assert statuses(bench, request(branch="z9hG4bKnext")) == [500]


def test_an_error_after_a_wait_is_answered_as_well(tmp_path: Path) -> None:
    with Bench(tmp_path, 't_relay("tcp:192.0.2.9:5060");') as bench:
        bench.receive(request())
        ((_, wait),) = bench.server.connecting
        wait.fail(ZeroDivisionError("ours"))
        assert [sent.start for sent in bench.sent] == ["SIP/2.0 500 Server Internal Error"]
        assert "ZeroDivisionError: ours" in bench.log[-1]


@pytest.mark.pure
def test_an_error_outside_the_script_is_answered_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Bench(tmp_path, ANSWERING) as bench:
        monkeypatch.setattr("openpy.engine.dispatch.check_request", fail)
        monkeypatch.setattr("openpy.engine.dispatch.check_response", fail)
        (refusal,) = bench.receive(request())
        assert refusal.start == "SIP/2.0 500 Server Internal Error"
        assert ";tag=" in refusal.get("To")
        assert bench.receive(request("ACK")) == []
        assert bench.value("err_requests") == 2
        bench.phone().send(request())
        assert bench.receive(answer(bench.sent[-1], 200)) == []
        assert bench.value("err_replies") == 1
        assert len(bench.log) == 3


# --- routes that wait -------------------------------------------------------------------------------------------


def test_the_retransmission_of_what_waits_is_absorbed(tmp_path: Path) -> None:
    with Bench(tmp_path, 'xlog("routed"); t_relay("tcp:192.0.2.9:5060"); xlog("relayed");') as bench:
        bench.receive(request())
        bench.receive(request())
        assert list(bench.printed()) == ["routed"]
        ((flow, wait),) = bench.server.connecting
        wait.resolve(flow)
        assert list(bench.printed()) == ["routed", "relayed"]
        assert [sent.to for sent in bench.sent] == ["tcp:192.0.2.9:5060"]


# --- replies ----------------------------------------------------------------------------------------------------


def reply_through_us(bench: Bench, host: str = "127.0.0.1") -> bytes:
    """A reply that belongs to no transaction of ours; its top Via names this server."""
    endpoint = bench.server.sockets.endpoints[0]
    below = "SIP/2.0/UDP 192.0.2.7:5070;branch=z9hG4bKbelow"
    bench.phone().send(request(via=f"SIP/2.0/UDP {host}:{endpoint.port};branch=z9hG4bKold, {below}"))
    data = answer(bench.sent.pop(), 200)
    assert below.encode() in data
    return data


def test_a_stray_reply_is_forwarded_by_via(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        (sent,) = bench.receive(reply_through_us(bench))
        assert sent.to == "udp:192.0.2.7:5070"
        assert len(sent.all("Via")) == 1
        assert bench.value("rcv_replies") == 1


@pytest.mark.parametrize(
    ("method", "status"), [("MESSAGE", 200), ("INVITE", 200), ("INVITE", 180), ("INVITE", 486)]
)
def test_a_reply_that_comes_after_its_transaction_goes_nowhere(
    tmp_path: Path, method: str, status: int
) -> None:
    """RFC 4320 4.2 and RFC 6026 6: who asked has heard so, or given up, or is being helped otherwise."""
    with Bench(tmp_path) as bench:
        branch = bench.server.transactions.next_branch()
        data = reply_through_us(bench).replace(b"z9hG4bKold", branch.encode())
        data = data.replace(b" OPTIONS\r", f" {method}\r".encode())
        assert bench.receive(data.replace(b"SIP/2.0 200", b"SIP/2.0 %d" % status)) == []
        assert bench.value("drop_replies") == 1


def test_the_script_sees_no_reply_that_nobody_waits_for(tmp_path: Path) -> None:
    with Bench(tmp_path, more='onreply_route { xlog("seen"); }') as bench:
        branch = bench.server.transactions.next_unwatched_branch()
        bench.phone().send(request(branch=branch))
        assert bench.receive(answer(bench.sent.pop(), 200)) == []
        assert list(bench.printed()) == []
        assert (bench.value("rcv_replies"), bench.value("drop_replies")) == (1, 0)


def test_a_stray_reply_of_others_is_dropped(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        assert bench.receive(reply_through_us(bench, host="198.51.100.1")) == []
        assert bench.value("drop_replies") == 1


@pytest.mark.parametrize(
    "change", [(b"SIP/2.0 200", b"SIP/2.0 99"), (b"SIP/2.0 200", b"SIP/3.0 200"), (b"CSeq: 7", b"CSeq: x")]
)
def test_a_malformed_reply_is_dropped(tmp_path: Path, change: tuple[bytes, bytes]) -> None:
    with Bench(tmp_path) as bench:
        assert bench.receive(reply_through_us(bench).replace(*change)) == []
        assert (bench.value("drop_replies"), bench.value("bad_msg_hdr")) == (1, 1)


def test_check_via_drops_replies_whose_first_via_is_not_ours(tmp_path: Path) -> None:
    onreply = 'check_via=yes onreply_route { xlog("$rs"); }'
    with Bench(tmp_path, more=onreply) as bench:
        assert bench.receive(reply_through_us(bench, host="198.51.100.1")) == []
        assert list(bench.printed()) == []
        assert bench.value("drop_replies") == 1
        assert len(bench.receive(reply_through_us(bench))) == 1
        assert list(bench.printed()) == ["200"]


@pytest.mark.parametrize(
    ("status", "action", "passed"),
    [(180, "drop;", 0), (180, "exit;", 1), (180, ";", 1), (200, "drop;", 1)],
)
def test_only_provisional_replies_can_be_dropped(
    tmp_path: Path, status: int, action: str, passed: int
) -> None:
    with Bench(tmp_path, more=f'onreply_route {{ xlog("$rs"); {action} }}') as bench:
        data = reply_through_us(bench).replace(b"SIP/2.0 200", b"SIP/2.0 %d" % status)
        assert len(bench.receive(data)) == passed
        assert list(bench.printed()) == [str(status)]


def test_an_error_in_the_reply_route_is_logged_and_the_reply_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Bench(tmp_path, more='onreply_route { is_present_hf("Subject"); }') as bench:
        monkeypatch.setattr("openpy.sip.message.Message.has", fail)
        data = reply_through_us(bench)
        assert len(bench.receive(data)) == 1
        assert "ZeroDivisionError" in bench.log[0]


def test_a_reply_route_may_wait(tmp_path: Path) -> None:
    with Bench(tmp_path, more='onreply_route { xlog("$rs"); }') as bench:
        waiting: Wait[int] = Wait()

        async def route(run: Run) -> int:
            return await waiting

        compiled = bench.server.dispatcher._on_reply
        assert compiled is not None
        object.__setattr__(compiled, "function", route)
        object.__setattr__(compiled, "is_async", True)
        assert bench.receive(reply_through_us(bench)) == []
        waiting.resolve(1)
        assert [sent.to for sent in bench.sent] == ["udp:192.0.2.7:5070"]


# --- broken streams ---------------------------------------------------------------------------------------------


def test_a_stream_that_lost_its_framing_is_answered_before_it_is_closed(tmp_path: Path) -> None:
    with Bench(tmp_path, ANSWERING) as bench:
        head = without(b"Content-Length")
        bench.server.dispatcher.broken(head, bench.phone("tcp"), RemoteError(400, "Missing Content-Length"))
        (sent,) = bench.sent
        assert sent.start == "SIP/2.0 400 Missing Content-Length"
        bench.server.dispatcher.broken(b"nonsense", bench.phone("tcp"), RemoteError(513, "Message too large"))
        bench.server.dispatcher.broken(
            head.split(b"\r\nTo")[0], bench.phone("tcp"), RemoteError(513, "Large")
        )
        assert [sent.start for sent in bench.sent[1:]] == ["SIP/2.0 513 Large"]


@pytest.mark.pure
def test_an_error_of_ours_leaves_the_stream_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Bench(tmp_path, ANSWERING) as bench:
        monkeypatch.setattr("openpy.engine.run.build_reply", fail)
        bench.server.dispatcher.broken(request(), bench.phone("tcp"), RemoteError(400, "Bad"))
        assert "ours" in bench.log[0] or "TypeError" in bench.log[0]
        assert bench.value("err_requests") == 2


# --- anything at all --------------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(st.data())
def test_nothing_that_arrives_leaves_as_an_exception(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    with Bench(
        tmp_path_factory.mktemp("fuzz"), 'xlog("$ru $fu $tu $cs $hdr(Via) $rb"); ' + ANSWERING
    ) as bench:
        for _ in range(5):
            message = bytearray(request("INVITE", "sip:bob@example.com", "X: y", body=b"body"))
            for _ in range(data.draw(st.integers(1, 4))):
                start = data.draw(st.integers(0, len(message)))
                end = data.draw(st.integers(start, min(len(message), start + 12)))
                message[start:end] = data.draw(st.binary(max_size=6))
            bench.receive(bytes(message))
        assert not [line for line in bench.log if "Traceback" in line]


def test_routes_that_stand_for_those_of_the_program(tmp_path: Path) -> None:
    more = 'onreply_route { xlog("reply"); }'
    with Bench(tmp_path, 'xlog("plain");', more=more) as bench:
        assert bench.server.loaded is not None
        program = bench.server.loaded.program
        main = program.routes[RouteKind.REQUEST, "0"]
        seen: list[str] = []
        bench.server.dispatcher.divert(
            replace(main, function=lambda run: seen.append(run.message.method)), None
        )
        bench.receive(request("INFO"))
        assert (seen, list(bench.printed())) == (["INFO"], [])
        bench.server.dispatcher.use(program)
        bench.receive(request("INFO", branch="z9hG4bKtwo"))
        assert (seen, list(bench.printed())) == (["INFO"], ["plain"])
