from __future__ import annotations

from pathlib import Path

import pytest

from openpy.engine.run import Overloaded, Run
from openpy.sip.errors import LocalError
from openpy.sip.message import parse_message
from tests.engine.kit import Bench, KeptFlow, Sent, answer, request


def run_of(bench: Bench, data: bytes, flow: KeptFlow | None = None) -> Run:
    flow = flow or bench.phone()
    message = parse_message(data)
    message.source = (flow.host, flow.port)
    return Run(bench.server, message, flow)


def only(bench: Bench) -> Sent:
    (sent,) = bench.sent
    return sent


def test_a_reply_is_stateless_until_there_is_a_transaction(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        run = run_of(bench, request())
        assert run.reply(404, "Not Found")
        assert bench.server.transactions.servers_in_use == 0
        transaction = run.begin_transaction()
        assert run.begin_transaction() is transaction
        assert run.reply(200, "OK", "X-A: 1\r\n", b"body")
        assert transaction.status == 200
        assert bench.sent[1].get("X-A") == "1"
        assert bench.sent[1].data.endswith(b"\r\n\r\nbody")


def test_a_stateless_reply_leaves_the_transaction_as_it_is(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        run = run_of(bench, request())
        transaction = run.begin_transaction()
        assert run.reply_stateless(180, "Ringing")
        assert run.transaction is transaction
        assert transaction.status == 0
        assert only(bench).start == "SIP/2.0 180 Ringing"


def test_an_ack_is_never_answered(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        assert not run_of(bench, request("ACK")).reply(200, "OK")
        assert bench.sent == []


def test_answers_carry_a_tag_from_180_on_and_the_same_one_for_a_retransmission(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        for status in (100, 180, 404):
            run_of(bench, request()).reply(status, "Reason")
        run_of(bench, request(branch="z9hG4bKother")).reply(404, "Reason")
        run_of(bench, request(to_tag="theirs")).reply(404, "Reason")
        run_of(bench, request()).reply(200, "OK", to_tag="ours")
        tags = [sent.get("To").partition("tag=")[2] for sent in bench.sent]
        assert tags[0] == ""
        assert tags[1] == tags[2] != tags[3]
        assert tags[4:] == ["theirs", "ours"]


@pytest.mark.parametrize(
    ("more", "server"),
    [
        ("", "openpy ("),
        ("server_signature=no", ""),
        ('server_header="Server: mine"', "mine"),
    ],
)
def test_the_server_header(tmp_path: Path, more: str, server: str) -> None:
    with Bench(tmp_path, more=more) as bench:
        run_of(bench, request()).reply(200, "OK")
        assert only(bench).get("Server").startswith(server)
        assert bool(only(bench).all("Server")) is bool(server)


def test_sip_warning_says_who_answers_whom_about_what(tmp_path: Path) -> None:
    more = "sip_warning=yes advertised_address=proxy.example advertised_port=5099"
    with Bench(tmp_path, more=more) as bench:
        run = run_of(bench, request(uri='sip:"bob"@example.com'))
        run.state.uri = "sip:carol@example.com"
        run.reply(404, "Not Found")
        assert only(bench).get("Warning") == (
            r'392 proxy.example:5099 "from 192.0.2.1:5066 uri sip:\"bob\"@example.com to sip:carol@example.com"'
        )


def test_without_sip_warning_there_is_none(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        run_of(bench, request()).reply(404, "Not Found")
        assert only(bench).all("Warning") == []


@pytest.mark.parametrize(
    ("via", "transport", "target"),
    [
        ("SIP/2.0/UDP 192.0.2.77:5077;branch=z9hG4bKa", "udp", "udp:192.0.2.77:5077"),
        ("SIP/2.0/UDP 192.0.2.77;branch=z9hG4bKa", "udp", "udp:192.0.2.77:5060"),
        ("SIP/2.0/UDP phone.example;branch=z9hG4bKa", "udp", "udp:192.0.2.1:5066"),
        ("SIP/2.0/UDP 224.0.0.1;branch=z9hG4bKa", "udp", "udp:192.0.2.1:5066"),
        ("SIP/2.0/UDP 192.0.2.77;branch=z9hG4bKa;rport", "udp", "udp:192.0.2.1:5066"),
        ("SIP/2.0/UDP 192.0.2.77:5077;maddr=192.0.2.78;branch=z9hG4bKa", "udp", "udp:192.0.2.78:5077"),
        ("SIP/2.0/UDP phone.example;maddr=192.0.2.78;branch=z9hG4bKa", "udp", "udp:192.0.2.78:5060"),
        ("SIP/2.0/UDP 192.0.2.77;maddr=224.0.0.1;branch=z9hG4bKa", "udp", "udp:192.0.2.1:5066"),
        ("SIP/2.0/TCP 192.0.2.77;maddr=192.0.2.78;branch=z9hG4bKa", "tcp", "tcp:192.0.2.1:5066"),
        ("SIP/2.0/TCP 192.0.2.77;branch=z9hG4bKa", "tcp", "tcp:192.0.2.1:5066"),
        ("nonsense", "udp", "udp:192.0.2.1:5066"),
    ],
)
def test_reply_to_via_answers_where_the_via_says(
    tmp_path: Path, via: str, transport: str, target: str
) -> None:
    with Bench(tmp_path, more="reply_to_via=yes") as bench:
        run_of(bench, request(via=via), bench.phone(transport)).reply(200, "OK")
        assert only(bench).to == target


def test_reply_to_via_holds_for_transactions_too(tmp_path: Path) -> None:
    with Bench(tmp_path, more="reply_to_via=yes") as bench:
        run = run_of(bench, request(via="SIP/2.0/UDP 192.0.2.77:5077;branch=z9hG4bKa"))
        run.begin_transaction()
        run.reply(200, "OK")
        assert only(bench).to == "udp:192.0.2.77:5077"


def test_otherwise_answers_go_to_the_source(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        run_of(bench, request(via="SIP/2.0/UDP 192.0.2.77:5077;branch=z9hG4bKa")).reply(200, "OK")
        assert only(bench).to == "udp:192.0.2.1:5066"
        assert "received=192.0.2.1" in only(bench).get("Via")


def test_what_comes_behind_a_final_reply_is_no_answer(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        run = run_of(bench, request())
        run.begin_transaction()
        assert run.reply(200, "OK")
        assert not run.reply(500, "Late")
        assert [sent.start for sent in bench.sent] == ["SIP/2.0 200 OK"]


def test_the_tag_of_an_answer_is_known_by_the_first_via(tmp_path: Path) -> None:
    """The ACK to a failure has no other."""
    first = "SIP/2.0/UDP 192.0.2.1:5066;branch=z9hG4bKone"
    below = "SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKtwo"
    with Bench(tmp_path) as bench:
        invite, ack, other = (run_of(bench, request(via=via)) for via in (f"{first} , {below}", first, below))
        assert invite.local_tag() == ack.local_tag() != other.local_tag()


def test_no_further_transaction_can_be_held(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        bench.server.transactions.capacity = 0
        with pytest.raises(Overloaded):
            run_of(bench, request()).begin_transaction()


def test_a_route_that_waits_absorbs_retransmissions(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        run = run_of(bench, request())
        run.hold()
        assert run.is_held
        assert run.transaction is not None
        bench.receive(request())
        assert bench.server.transactions.counts.retransmissions_received == 1
        run.hold()
        assert bench.server.transactions.servers_in_use == 1


def test_a_transaction_of_the_script_is_enough_to_wait(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        run = run_of(bench, request())
        run.begin_transaction()
        run.hold()
        assert not run.is_held


@pytest.mark.parametrize("data", [request("ACK"), b"SIP/2.0 200 OK\r\n" + request().split(b"\r\n", 1)[1]])
def test_an_ack_and_a_reply_need_no_transaction_to_wait(tmp_path: Path, data: bytes) -> None:
    with Bench(tmp_path) as bench:
        run = run_of(bench, data)
        run.hold()
        assert run.transaction is None
        assert not run.is_held


def test_what_cannot_be_held_does_not_wait(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        bench.server.transactions.capacity = 0
        with pytest.raises(Overloaded):
            run_of(bench, request()).hold()


def test_a_run_about_a_reply_has_no_request(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        bench.phone().send(request())
        run = run_of(bench, answer(bench.sent[0], 200))
        assert run.uri == ""
        with pytest.raises(LocalError):
            _ = run.request


def test_what_is_rarely_needed_is_made_when_first_touched(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        run = run_of(bench, request())
        assert run.edits_made is None
        assert run.edits is run.edits
        assert run.uri == "sip:bob@example.com"
        assert run.destination_set() == ""


def test_flags_can_be_read_without_a_state(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        run = run_of(bench, request())
        assert (run.flags, run.branch_flags) == (0, 0)
        assert run._state is None
        run.state.flags, run.state.branch_flags = 1, 2
        assert (run.flags, run.branch_flags) == (1, 2)


def test_a_transaction_without_an_answer_is_released_at_the_end(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        run = run_of(bench, request())
        run.begin_transaction()
        run.route_ended(1, None)
        assert bench.server.transactions.servers_in_use == 0
        assert bench.sent == []


def test_a_transaction_that_somebody_owns_stays(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        run = run_of(bench, request())
        run.begin_transaction().owner = self = object()
        run.route_ended(1, None)
        assert run.transaction is not None
        assert run.transaction.owner is self
        assert bench.server.transactions.servers_in_use == 1


def test_a_route_that_failed_after_its_answer_does_not_answer_again(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        run = run_of(bench, request())
        run.begin_transaction()
        run.reply(200, "OK")
        run.route_ended(None, ValueError("late"))
        assert only(bench).start == "SIP/2.0 200 OK"
        assert "ValueError: late" in bench.log[0]


def test_warnings_are_the_scripts(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        run_of(bench, request()).warn("odd")
        assert bench.log == ["WARNING:script: odd"]


def test_what_a_via_advertises(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        (endpoint,) = bench.server.sockets.endpoints
        run = run_of(bench, request())
        assert run.advertised(bench.phone()) == ("127.0.0.1", 5060)
        run.state.send_socket = endpoint
        assert run.advertised(bench.phone()) == ("127.0.0.1", endpoint.port)
        assert run.advertised(bench.phone("tcp")) == ("127.0.0.1", 5060), (
            "the socket is for another transport"
        )
        run.state.advertised_host = "far.example"
        assert run.advertised(bench.phone()) == ("far.example", endpoint.port)
        run.state.advertised_port = 9
        assert run.advertised(bench.phone()) == ("far.example", 9)


def test_a_parse_error_is_kept_for_the_error_route(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        run = run_of(bench, request())
        run.parse_failed("r-uri")
        assert (run.error_class, run.mistake) == (1, ("error parsing r-uri", 400, "bad r-uri", 3))


def test_a_run_has_one_time(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        run = run_of(bench, request())
        first = run.wall
        bench.clock.now += 5
        assert run.wall == first


@pytest.mark.parametrize(
    ("method", "status", "replies"),
    [
        ("INVITE", 0, ["100 Trying"]),
        ("INVITE", 180, ["180 Reason"]),
        ("INVITE", 486, ["486 Reason"]),
        ("OPTIONS", 0, []),
    ],
)
def test_who_calls_hears_soon_that_a_route_waits(
    tmp_path: Path, method: str, status: int, replies: list[str]
) -> None:
    with Bench(tmp_path) as bench:
        run = run_of(bench, request(method))
        run.hold()
        if status:
            run.reply(status, "Reason")
        bench.run_for(0.15)
        assert [sent.start[8:] for sent in bench.sent] == replies * bool(status)
        bench.run_for(0.1)
        assert [sent.start[8:] for sent in bench.sent] == replies


def test_who_forwards_says_itself_that_it_tries(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        run = run_of(bench, request("INVITE"))
        run.hold()
        run.begin_transaction().owner = bench
        assert bench.run_for(0.3) == []
