from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from openpy.sip.build import reply
from openpy.sip.errors import LocalError, RemoteError
from openpy.sip.message import Response, parse_message
from openpy.transaction.client import ClientTransaction, NotifyTransaction
from openpy.transaction.layer import Layer
from openpy.transaction.machines import State
from openpy.transaction.server import ServerTransaction
from openpy.transaction.timers import TimerValues
from openpy.transaction.wheel import Wheel
from tests.transaction.playbook import BRANCH, Playbook, RecordingFlow, request, response, summary


@dataclass
class Owner:
    told: list[str] = field(default_factory=list)

    def on_ok(self, transaction: NotifyTransaction) -> None:
        self.told.append("ok")

    def on_reply(self, transaction: ClientTransaction, response: Response) -> None:
        self.told.append(str(response.status))

    def on_timeout(self, transaction: ClientTransaction) -> None:
        self.told.append("timeout")

    def on_transport_error(self, transaction: ClientTransaction) -> None:
        self.told.append("transport error")


class Bench:
    """A layer with one flow."""

    def __init__(self, transport: str = "udp", capacity: int = 10) -> None:
        self.wheel = Wheel(0.0)
        self.layer = Layer(self.wheel, TimerValues(), lambda: "0123456789abcdef", capacity)
        self.sent: list[str] = []
        self.flow = RecordingFlow(lambda data: self.sent.append(summary(data)), transport)
        self.owner = Owner()
        self.branch = self.layer.branch_prefix + "x7.1"

    def notify(self) -> NotifyTransaction:
        data = request("NOTIFY", self.branch).raw
        return self.layer.create_notify(data, self.branch.encode(), self.flow, self.owner)

    def ok(self, status: int = 200) -> bytes:
        return reply(request("NOTIFY", self.branch), status, "OK", to_tag="b1")

    def run_out(self) -> None:
        while (due := self.wheel.next_due()) is not None:
            self.wheel.advance(due)


# --- NOTIFYs and the plain 200 ------------------------------------------------------------------------


def test_plain_200_completes_a_notify() -> None:
    bench = Bench()
    transaction = bench.notify()
    assert transaction.branch == bench.branch
    assert bench.layer.clients_in_use == 1
    assert bench.layer.absorb_ok(bench.ok(), "192.0.2.1", 5060)
    assert (bench.owner.told, transaction.state) == (["ok"], State.TERMINATED)
    assert (bench.layer.clients_in_use, len(bench.wheel)) == (0, 0)
    assert not bench.layer.absorb_ok(bench.ok(), "192.0.2.1", 5060)


def test_plain_200_with_parameters_behind_the_branch() -> None:
    bench = Bench()
    bench.notify()
    data = bench.ok().replace(
        bench.branch.encode(), bench.branch.encode() + b";rport=5060;received=192.0.2.2"
    )
    assert bench.layer.absorb_ok(data, "192.0.2.1", 5060)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"SIP/2.0 200", b"SIP/2.0 202"),
        (b"SIP/2.0 200", b"SIP/2.0 481"),
        (b";branch=", b";Branch="),
        (b";branch=", b";branch=z9hG4bKother;branch="),
        (b"x7.1", b"x7.1 ,SIP/2.0/UDP 192.0.2.9"),
        (b"x7.1", b"x7.2"),
        (b" NOTIFY\r\n", b" OPTIONS\r\n"),
        (b"\r\n", b"\n"),
    ],
)
def test_anything_else_goes_to_the_parser(old: bytes, new: bytes) -> None:
    bench = Bench()
    bench.notify()
    assert old in bench.ok()
    assert not bench.layer.absorb_ok(bench.ok().replace(old, new), "192.0.2.1", 5060)
    assert bench.owner.told == []


def test_plain_200_from_elsewhere_goes_to_the_parser() -> None:
    bench = Bench()
    bench.notify()
    assert not bench.layer.absorb_ok(bench.ok(), "192.0.2.1", 5061)
    assert not bench.layer.absorb_ok(bench.ok(), "192.0.2.9", 5060)
    message = parse_message(bench.ok())
    assert isinstance(message, Response)
    assert bench.layer.receive_reply(message, bench.flow)
    assert bench.owner.told == ["200"]


def test_no_bytes_disturb_the_fast_path() -> None:
    bench = Bench()
    bench.notify()
    whole = bench.ok()
    for length in range(len(whole) - 40):
        assert not bench.layer.absorb_ok(whole[:length], "192.0.2.1", 5060)
    assert bench.owner.told == []


def test_refused_notify_reaches_its_owner_by_the_parser() -> None:
    bench = Bench()
    bench.notify()
    message = parse_message(bench.ok(481))
    assert isinstance(message, Response)
    assert not bench.layer.absorb_ok(bench.ok(481), "192.0.2.1", 5060)
    assert bench.layer.receive_reply(message, bench.flow)
    assert bench.layer.receive_reply(message, bench.flow)
    assert bench.owner.told == ["481"]
    assert bench.layer.counts.retransmissions_received == 1
    bench.run_out()
    assert bench.layer.clients_in_use == 0


def test_unanswered_notify_is_repeated_and_times_out() -> None:
    bench = Bench()
    bench.notify()
    bench.run_out()
    assert bench.sent == ["NOTIFY"] * 11
    assert bench.owner.told == ["timeout"]
    assert bench.layer.counts.timeouts == 1


def test_notify_on_a_lost_connection() -> None:
    bench = Bench("tcp")
    assert not bench.layer.waits_on(bench.flow)
    bench.notify()
    assert bench.layer.waits_on(bench.flow)
    bench.layer.flow_failed(RecordingFlow(lambda data: None, "tcp"))
    assert bench.owner.told == []
    bench.layer.flow_failed(bench.flow)
    assert bench.owner.told == ["transport error"]
    assert bench.layer.clients_in_use == 0


# --- Which transaction a message belongs to ------------------------------------------------------------


def test_branches_are_new_and_known_as_ours() -> None:
    layer = Bench().layer
    branches = {layer.next_branch() for _ in range(100)}
    assert len(branches) == 100
    assert all(branch.startswith("z9hG4bK0123456789abcdef") and layer.is_ours(branch) for branch in branches)
    assert not layer.is_ours("z9hG4bKelse")
    unwatched = {layer.next_unwatched_branch() for _ in range(100)}
    assert len(unwatched) == 100
    assert all(branch.startswith(layer.unwatched_prefix) and layer.is_ours(branch) for branch in unwatched)
    assert not any(branch.startswith(layer.unwatched_prefix) for branch in branches)


def test_a_branch_does_not_tell_the_next_one() -> None:
    """Whoever got a request of ours cannot answer what goes to somebody else."""
    layer = Bench().layer
    first, second = layer.next_branch(), layer.next_branch()
    assert second != first.replace(".1", ".2")


def test_reply_to_nothing_is_not_ours() -> None:
    bench = Bench()
    assert not bench.layer.receive_reply(response(200, "OPTIONS"), bench.flow)
    bench.layer.create_client(request("OPTIONS").raw, BRANCH, "OPTIONS", bench.flow, bench.owner)
    assert not bench.layer.receive_reply(response(200, "OPTIONS", "z9hG4bKother"), bench.flow)
    assert not bench.layer.receive_reply(response(200, "MESSAGE"), bench.flow)
    assert bench.layer.receive_reply(response(200, "OPTIONS"), bench.flow)


def test_requests_that_were_sent_since_a_moment() -> None:
    bench = Bench()
    layer, flow, owner = bench.layer, bench.flow, bench.owner

    def client() -> ClientTransaction:
        branch = layer.next_branch()
        return layer.create_client(request("INFO", branch).raw, branch, "INFO", flow, owner)

    assert layer.sent_since(layer.mark()) == []
    client()
    mark = layer.mark()
    assert layer.sent_since(mark) == []
    first, second, notify = client(), client(), bench.notify()
    assert layer.sent_since(mark) == [first, second, notify]
    later = layer.mark()
    third = client()
    assert layer.sent_since(later) == [third]
    first.drop()
    assert layer.sent_since(mark) == [second, third, notify]


def test_branch_in_use_is_refused() -> None:
    bench = Bench()
    bench.layer.create_client(request("OPTIONS").raw, BRANCH, "OPTIONS", bench.flow, bench.owner)
    with pytest.raises(LocalError):
        bench.layer.create_client(request("OPTIONS").raw, BRANCH, "OPTIONS", bench.flow, bench.owner)
    bench.layer.create_client(request("MESSAGE").raw, BRANCH, "MESSAGE", bench.flow, bench.owner)


def test_cancel_finds_its_invite_and_is_a_transaction_of_its_own() -> None:
    bench = Bench()
    layer, flow = bench.layer, bench.flow
    assert layer.find_invite(request("CANCEL")) is None
    invite = layer.create_server(request("INVITE"), flow)
    cancel = request("CANCEL")
    assert layer.receive_request(cancel, flow) is None
    assert layer.find_invite(cancel) is invite
    own = layer.create_server(cancel, flow)
    own.reply(200, reply(cancel, 200, "canceling"))
    assert layer.receive_request(request("CANCEL"), flow) is own
    assert bench.sent == ["200 CANCEL", "200 CANCEL"]
    assert layer.servers_in_use == 2


def test_ack_without_a_transaction_goes_on() -> None:
    bench = Bench()
    assert bench.layer.receive_request(request("ACK"), bench.flow) is None
    with pytest.raises(LocalError):
        bench.layer.create_server(request("ACK"), bench.flow)


def test_same_request_cannot_be_begun_twice() -> None:
    bench = Bench()
    bench.layer.create_server(request("OPTIONS"), bench.flow)
    with pytest.raises(LocalError):
        bench.layer.create_server(request("OPTIONS"), bench.flow)


def test_full_layer_refuses_until_something_ends() -> None:
    bench = Bench(capacity=2)
    first = bench.layer.create_server(request("OPTIONS", "z9hG4bK1"), bench.flow)
    bench.layer.create_server(request("OPTIONS", "z9hG4bK2"), bench.flow)
    with pytest.raises(LocalError):
        bench.layer.create_server(request("OPTIONS", "z9hG4bK3"), bench.flow)
    bench.layer.release(first)
    bench.layer.create_server(request("OPTIONS", "z9hG4bK3"), bench.flow)


def test_what_was_answered_longest_ago_makes_room() -> None:
    bench = Bench(capacity=3)
    waiting = bench.layer.create_server(request("OPTIONS", "z9hG4bK0"), bench.flow)
    invite = bench.layer.create_server(request("INVITE", "z9hG4bK1"), bench.flow)
    answered = bench.layer.create_server(request("OPTIONS", "z9hG4bK2"), bench.flow)
    ended: list[ServerTransaction] = []
    invite.reply(486, b"SIP/2.0 486 Busy\r\nCSeq: 1 INVITE\r\n\r\n")
    answered.reply(200, b"SIP/2.0 200 OK\r\nCSeq: 1 OPTIONS\r\n\r\n")
    answered.on_end = ended.append
    bench.layer.create_server(request("OPTIONS", "z9hG4bK3"), bench.flow)
    assert (ended, bench.layer.counts.given_up) == ([answered], 1)
    assert bench.layer.receive_request(request("OPTIONS", "z9hG4bK2"), bench.flow) is None
    for kept, method, branch in ((waiting, "OPTIONS", "z9hG4bK0"), (invite, "INVITE", "z9hG4bK1")):
        assert bench.layer.receive_request(request(method, branch), bench.flow) is kept
    with pytest.raises(LocalError):
        bench.layer.create_server(request("OPTIONS", "z9hG4bK4"), bench.flow)
    bench.run_out()
    assert bench.layer.servers_in_use == 2  # those without a final reply


def test_what_waits_for_a_final_reply_is_counted() -> None:
    bench = Bench()
    first = bench.layer.create_server(request("OPTIONS", "z9hG4bK1"), bench.flow)
    bench.layer.create_server(request("OPTIONS", "z9hG4bK2"), bench.flow)
    assert bench.layer.unanswered() == 2
    first.reply(200, b"SIP/2.0 200 OK\r\nCSeq: 1 OPTIONS\r\n\r\n")
    assert bench.layer.unanswered() == 1


def test_requests_are_told_apart_when_begun_out_of_turn() -> None:
    bench = Bench()
    first, second = request("OPTIONS", "z9hG4bK1"), request("OPTIONS", "z9hG4bK2")
    assert bench.layer.receive_request(first, bench.flow) is None
    assert bench.layer.receive_request(second, bench.flow) is None
    of_first = bench.layer.create_server(first, bench.flow)
    of_second = bench.layer.create_server(second, bench.flow)
    assert bench.layer.receive_request(request("OPTIONS", "z9hG4bK1"), bench.flow) is of_first
    assert bench.layer.receive_request(request("OPTIONS", "z9hG4bK2"), bench.flow) is of_second


def test_unreadable_via_is_the_senders_fault() -> None:
    bench = Bench()
    broken = parse_message(b"OPTIONS sip:a SIP/2.0\r\nVia: nonsense\r\n\r\n")
    with pytest.raises(RemoteError):
        bench.layer.receive_request(broken, bench.flow)  # type: ignore[arg-type]


# --- A flow that brings the answer before `send` returns ------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "status"), [("INVITE", 100), ("INVITE", 486), ("INVITE", 200), ("OPTIONS", 200)]
)
def test_answer_within_send(method: str, status: int) -> None:
    bench = Bench()

    def answer(data: bytes) -> None:
        if summary(data) == method:
            assert bench.layer.receive_reply(response(status, method), bench.flow)

    client = bench.layer.create_client(
        request(method).raw, BRANCH, method, RecordingFlow(answer), bench.owner, timeout=2.0
    )
    assert bench.owner.told == [str(status)]
    assert (status == 100) is (client.state is State.PROCEEDING)
    client.drop()
    bench.run_out()
    assert bench.owner.told == [str(status)]
    assert bench.layer.clients_in_use == 0


def test_ack_within_send() -> None:
    bench = Bench()
    invite = request("INVITE")

    def acknowledge(data: bytes) -> None:
        assert bench.layer.receive_request(request("ACK"), bench.flow) is server

    server = bench.layer.create_server(invite, RecordingFlow(acknowledge))
    server.reply(404, reply(invite, 404, "Not Found"))
    assert server.state is State.CONFIRMED
    bench.run_out()
    assert (bench.layer.servers_in_use, bench.layer.counts.retransmissions_sent) == (0, 0)


# --- Any order of events -------------------------------------------------------------------------------

METHODS = st.sampled_from(["INVITE", "OPTIONS"])
STATUSES = st.sampled_from([100, 180, 200, 202, 302, 404, 487, 600])
TRANSPORTS = st.sampled_from(["udp", "tcp"])


class AnyOrder(RuleBasedStateMachine):
    """One server and one client transaction at a time, driven by everything that can happen."""

    def __init__(self) -> None:
        super().__init__()
        self.playbook = Playbook()
        self.layer = self.playbook.layer
        self.server: ServerTransaction | None = None
        self.client: ClientTransaction | None = None
        self.finals: list[str] = []
        self.server_ends = 0
        self.servers_begun = 0
        self.sent_after_end = 0

    def flow(self, transport: str, ended: str) -> RecordingFlow:
        def sent(data: bytes) -> None:
            transaction = self.server if ended == "server" else self.client
            what = summary(data)
            # the CANCEL is a transaction of its own
            if transaction is not None and transaction.state is State.TERMINATED and what != "CANCEL":
                self.sent_after_end += 1

        return RecordingFlow(sent, transport)

    @rule(method=METHODS, transport=TRANSPORTS)
    def send(self, method: str, transport: str) -> None:
        if self.layer.clients_in_use == 0:
            self.client, self.finals = None, []
            flow = self.flow(transport, "client")
            self.client = self.layer.create_client(request(method).raw, BRANCH, method, flow, self)

    @rule(method=METHODS, status=STATUSES)
    def reply_arrives(self, method: str, status: int) -> None:
        self.layer.receive_reply(response(status, method), self.playbook.flow)

    @rule()
    def cancel(self) -> None:
        if self.client is not None:
            self.client.cancel()

    @rule()
    def drop(self) -> None:
        if self.client is not None:
            self.client.drop()

    @rule()
    def lose_connection(self) -> None:
        if self.client is not None:
            self.layer.flow_failed(self.client.flow)

    @rule(method=st.sampled_from(["INVITE", "OPTIONS", "ACK"]), transport=TRANSPORTS)
    def request_arrives(self, method: str, transport: str) -> None:
        message = request(method)
        flow = self.flow(transport, "server")
        known = self.layer.receive_request(message, flow)
        if known is None and method != "ACK" and self.layer.servers_in_use == 0:
            self.server = self.layer.create_server(message, flow)
            self.server.on_end = self.server_ended
            self.servers_begun += 1

    @rule(status=STATUSES)
    def answer(self, status: int) -> None:
        if self.server is not None:
            method = "INVITE" if self.server.is_invite else "OPTIONS"
            before = self.server.finished, self.server.status
            sent = self.server.reply(status, reply(request(method), status, "Reason"))
            again = self.server.is_invite and 200 <= before[1] < 300 and 200 <= status < 300
            assert not sent or not before[0] or again

    @rule()
    def release(self) -> None:
        if self.server is not None:
            self.server.release()

    @rule(seconds=st.sampled_from([0.1, 0.5, 3.0, 33.0]))
    def time_passes(self, seconds: float) -> None:
        self.playbook.run_to(self.playbook.wheel.now + seconds)

    @invariant()
    def at_most_one_end_is_told(self) -> None:
        assert len(self.finals) <= 1 or set(self.finals) == {"2xx"}

    @invariant()
    def nothing_is_sent_after_the_end(self) -> None:
        assert self.sent_after_end == 0

    @invariant()
    def no_transaction_waits_for_nothing(self) -> None:
        """Only what the user has to answer, or a provisional has stopped, waits without a timer."""
        assert len(self.playbook.wheel) <= self.playbook.in_use
        for transaction in self.server, self.client:
            if transaction is not None and transaction.state not in (
                State.TERMINATED,
                State.TRYING,
                State.PROCEEDING,
            ):
                assert transaction._timer is not None

    def teardown(self) -> None:
        if self.client is not None:
            self.client.drop()
        if self.server is not None:
            self.server.release()
        self.playbook.run_to(self.playbook.wheel.now + 100)
        assert self.playbook.in_use == 0
        assert len(self.playbook.wheel) == 0
        assert self.server_ends == self.servers_begun

    def server_ended(self, transaction: ServerTransaction) -> None:
        self.server_ends += 1

    def on_reply(self, transaction: ClientTransaction, response: Response) -> None:
        if response.status >= 200:
            self.finals.append("2xx" if response.status < 300 and transaction.is_invite else "final")

    def on_timeout(self, transaction: ClientTransaction) -> None:
        self.finals.append("timeout")

    def on_transport_error(self, transaction: ClientTransaction) -> None:
        self.finals.append("transport error")


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
