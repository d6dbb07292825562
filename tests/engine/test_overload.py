from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openpy.engine.overload import ROOM, Allowance, Backlog, Kind, Overload, OverloadCounts, kind_of
from openpy.transaction.flow import Flow
from tests.engine.kit import KeptFlow, request

DELAY = 0.2

KINDS = [
    (b"SIP/2.0 200 OK\r\n\r\n", Kind.REPLY),
    (b"SIP/2.0 503 No\r\nTo: <sip:a>;tag=1\r\n\r\n", Kind.REPLY),
    (request("OPTIONS"), Kind.NEW),
    (request("PUBLISH"), Kind.NEW),
    (request("ACK"), Kind.KNOWN),
    (request("BYE"), Kind.KNOWN),
    (request("CANCEL"), Kind.KNOWN),
    (b"SUBSCRIBE sip:a SIP/2.0\r\nTo: <sip:a>;tag=1\r\n\r\n", Kind.KNOWN),
    (b"SUBSCRIBE sip:a SIP/2.0\r\nt : sip:a ; TAG = 1\r\n\r\n", Kind.KNOWN),
    (b"SUBSCRIBE sip:a SIP/2.0\r\nTo: <sip:a>\r\nFrom: <sip:a>;tag=1\r\n\r\n", Kind.NEW),
    (b"SUBSCRIBE sip:a SIP/2.0\r\nX-To: <sip:a>;tag=1\r\n\r\n", Kind.NEW),
    (b"PUBLISH sip:a SIP/2.0\r\nsip-if-match:x\r\n\r\n", Kind.KNOWN),
    (b"PUBLISH sip:a SIP/2.0\r\n" + b"X: y\r\n" * 1000 + b"SIP-If-Match: x\r\n\r\n", Kind.NEW),
    (b"\r\n\r\n", Kind.NEW),
    (b"", Kind.NEW),
]

SHARE = ROOM // 4
"""What may wait of one sender."""


@pytest.mark.parametrize(("data", "kind"), KINDS)
def test_the_kind_of_a_message(data: bytes, kind: Kind) -> None:
    assert kind_of(data) is kind


class Server:
    """A backlog, and what became of what was put into it."""

    def __init__(self, refusals: float = 0.0, room: int = ROOM) -> None:
        self.served: list[bytes] = []
        self.refused: list[bytes] = []
        self.counts = OverloadCounts()
        overload = Overload(self._refuse, self.counts, delay=DELAY, refusals=refusals, room=room)
        self.backlog = Backlog(overload, self._receive)

    def _refuse(self, data: bytes, flow: Flow) -> None:
        self.refused.append(data)

    def _receive(self, data: bytes, flow: Flow) -> None:
        self.served.append(data)

    def put(self, data: bytes, now: float = 0.0, sender: int = 0) -> None:
        self.backlog.put(data, KeptFlow([], port=5060 + sender), now)

    @property
    def lost(self) -> tuple[int, int]:
        return self.counts.refused.value, self.counts.dropped.value


REPLY = b"SIP/2.0 200 OK\r\n"
BYE = b"BYE sip:a SIP/2.0\r\n"
OPTIONS = b"OPTIONS sip:a SIP/2.0\r\n"


def test_replies_come_first_then_what_is_known_each_in_order_of_arrival() -> None:
    server = Server()
    arrived = [OPTIONS + b"1", BYE + b"1", REPLY + b"1", OPTIONS + b"2", REPLY + b"2", BYE + b"2"]
    for data in arrived:
        server.put(data)
    server.backlog.serve(5, 0.0)
    assert server.served == [REPLY + b"1", REPLY + b"2", BYE + b"1", BYE + b"2", OPTIONS + b"1"]
    assert len(server.backlog) == 1
    server.backlog.serve(5, 0.0)
    assert (server.served[5:], len(server.backlog)) == ([OPTIONS + b"2"], 0)


def test_what_waited_too_long_is_refused_and_beyond_the_allowance_dropped() -> None:
    server = Server(refusals=20)
    for number in range(5):
        server.put(OPTIONS + b"%d" % number, 0.0)
    server.put(OPTIONS + b"late", 0.1)
    server.backlog.serve(64, DELAY + 0.01)
    assert (server.refused, server.lost) == ([OPTIONS + b"0", OPTIONS + b"1"], (2, 3))
    assert server.served == [OPTIONS + b"late"]


def test_a_reply_is_served_however_late() -> None:
    server = Server()
    server.put(REPLY)
    server.backlog.serve(1, 60.0)
    assert server.served == [REPLY]


@pytest.mark.parametrize(("start", "lost"), [(OPTIONS, (1, 0)), (BYE, (1, 0)), (REPLY, (0, 1))])
def test_each_kind_has_its_room(start: bytes, lost: tuple[int, int]) -> None:
    server = Server(refusals=1000)
    for sender in range(4):
        server.put(start.ljust(SHARE), sender=sender)
    server.put(start, sender=4)
    assert (len(server.backlog), server.lost) == (4, lost)
    server.put(OPTIONS if start is not OPTIONS else REPLY)
    server.backlog.serve(5, 0.0)
    assert len(server.served) == 5
    server.put(start)
    assert len(server.backlog) == 1


def test_the_room_is_what_was_asked_for() -> None:
    server = Server(room=len(REPLY))
    server.put(REPLY)
    server.put(REPLY, sender=1)
    assert (len(server.backlog), server.lost) == (1, (0, 1))


def test_one_sender_has_only_a_share_of_the_room() -> None:
    server = Server()
    server.put(OPTIONS.ljust(SHARE))
    server.put(OPTIONS)
    server.put(OPTIONS, sender=1)
    assert (len(server.backlog), server.lost) == (2, (0, 1))


def test_senders_take_turns_and_one_who_floods_waits_behind_himself() -> None:
    server = Server()
    for number in range(100):
        server.put(OPTIONS + b"flood %d" % number, sender=1)
    for sender in (2, 3):
        server.put(OPTIONS + b"%d" % sender, 0.1, sender=sender)
    server.backlog.serve(4, 0.1)
    assert server.served == [OPTIONS + text for text in (b"flood 0", b"2", b"3", b"flood 1")]
    server.put(OPTIONS + b"late", 0.3, sender=2)
    server.backlog.serve(1, 0.3)
    assert server.served[4:] == [OPTIONS + b"late"]
    assert server.lost == (0, 98)


def test_room_comes_back_when_something_is_given_up() -> None:
    server = Server()
    for round_ in range(3):
        server.put(OPTIONS.ljust(SHARE), float(round_))
        server.backlog.serve(1, round_ + 0.5)
    assert (server.lost, len(server.backlog)) == ((0, 3), 0)


def test_an_allowance_is_not_saved_up() -> None:
    allowance = Allowance(100)
    taken = [sum(allowance.take(now) for _ in range(50)) for now in (0.0, 64.0, 64.0625)]
    assert taken == [10, 10, 6]


@given(st.floats(0, 5000), st.lists(st.floats(0, 1), max_size=300))
def test_an_allowance_never_gives_more_than_its_rate(rate: float, pauses: list[float]) -> None:
    allowance, now, taken = Allowance(rate), 0.0, 0
    for pause in pauses:
        now += pause
        taken += allowance.take(now)
    assert taken <= max(rate * 0.1, 1.0) + rate * now + 0.001


MESSAGES = st.sampled_from([REPLY, BYE, OPTIONS])
STEPS = st.lists(st.tuples(MESSAGES, st.floats(0, 0.1), st.integers(0, 2), st.integers(0, 3)), max_size=100)


@given(STEPS, st.floats(0, 100))
def test_whatever_comes_is_served_once_or_given_up_and_nothing_is_served_late(
    steps: list[tuple[bytes, float, int, int]], refusals: float
) -> None:
    server, now = Server(refusals), 0.0
    arrived: dict[bytes, float] = {}
    for number, (start, pause, served, sender) in enumerate(steps):
        now += pause
        data = start + b"%d" % number
        arrived[data] = now
        server.put(data, now, sender)
        before = len(server.served)
        server.backlog.serve(served, now)
        fresh = server.served[before:]
        assert len(fresh) <= served
        assert all(data.startswith(REPLY) or now - arrived[data] <= DELAY for data in fresh)
        assert fresh == sorted(fresh, key=kind_of)
    server.backlog.serve(len(steps), now)
    refused, dropped = server.lost
    assert len(server.refused) == refused
    assert len(server.served) + refused + dropped == len(steps)
    assert len(set(server.served) | set(server.refused)) == len(server.served) + refused
    assert {data for data in arrived if data.startswith(REPLY)} <= set(server.served)
