from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openpy.sip.errors import RemoteError
from openpy.sip.stream import Framer

FIRST = b"OPTIONS sip:a@b SIP/2.0\r\nContent-Length: 4\r\nTo: x\r\n\r\nbo\r\n"
SECOND = b"SIP/2.0 200 OK\nL  :\r\n 0 \nTo: content-length: 9\n\n"
BROKEN = b"MESSAGE sip:a@b SIP/2.0\r\nTo: x\r\n\r\n"


def test_messages_are_cut() -> None:
    framer = Framer(1000)
    assert framer.feed(FIRST + SECOND + FIRST[:30]) == [FIRST, SECOND]
    waiting = framer.waiting
    assert framer.feed(FIRST[30:]) == [FIRST]
    assert (waiting, framer.waiting, framer.error) == (True, False, None)


def test_double_line_ends_are_pings() -> None:
    framer = Framer(1000)
    assert framer.feed(b"\r\n") == []
    assert framer.pings == 0
    framer.feed(b"\r\n\r")
    assert framer.pings == 1
    assert framer.feed(b"\n" + FIRST + b"\r\n" + SECOND) == [FIRST, SECOND]
    assert framer.pings == 1
    framer.feed(b"\r\n\r\n")
    assert framer.pings == 2
    assert not framer.waiting


@pytest.mark.parametrize(
    ("head", "status", "reason"),
    [
        (BROKEN, 400, "Missing Content-Length"),
        (BROKEN.replace(b"To: x", b"l: -1"), 400, "Malformed Content-Length"),
        (BROKEN.replace(b"To: x", b"l:"), 400, "Malformed Content-Length"),
        (BROKEN.replace(b"To: x", b"l: 1 2"), 400, "Malformed Content-Length"),
        (BROKEN.replace(b"To: x", b"l: 13\r\nContent-Length: 5"), 400, "Two Content-Length header fields"),
        (BROKEN.replace(b"To: x", b"l: 1001"), 513, "Message Too Large"),
        (BROKEN.replace(b"To: x", b"l: " + b"9" * 50), 400, "Malformed Content-Length"),
    ],
)
def test_lost_framing(head: bytes, status: int, reason: str) -> None:
    framer = Framer(1000)
    assert framer.feed(FIRST + head + FIRST) == [FIRST]
    assert framer.error is not None
    assert (framer.error.status, framer.error.reason) == (status, reason)
    assert framer.broken_head == head
    assert not framer.waiting
    with pytest.raises(RemoteError):
        framer.feed(FIRST)


def test_equal_lengths_do_not_lose_framing() -> None:
    message = BROKEN.replace(b"To: x", b"l: 2\r\nContent-Length:2") + b"ab"
    assert Framer(1000).feed(message) == [message]


def test_a_head_over_the_limit_is_lost_before_its_end() -> None:
    framer = Framer(100)
    assert framer.feed(b"x" * 100) == []
    lost = framer.error is not None
    assert framer.feed(b"x") == []
    assert framer.error is not None
    assert (lost, framer.error.status) == (False, 513)
    assert framer.broken_head == b"x" * 100
    whole = Framer(100)
    whole.feed(b"x" * 101 + b"\r\n\r\n")
    assert whole.broken_head == framer.broken_head


def test_a_head_has_a_limit_of_its_own() -> None:
    head = FIRST.index(b"bo")
    assert Framer(1000, head).feed(FIRST) == [FIRST]
    tight = Framer(1000, head - 1)
    assert tight.feed(FIRST) == []
    assert tight.error is not None
    assert (tight.error.status, tight.broken_head) == (513, FIRST[: head - 1])


def test_it_tells_how_much_it_keeps() -> None:
    framer = Framer(1000)
    framer.feed(FIRST + FIRST[:30])
    assert framer.held == 30
    framer.feed(FIRST[30:])
    assert framer.held == 0


def test_a_message_at_the_limit_passes() -> None:
    assert Framer(len(FIRST)).feed(FIRST) == [FIRST]
    assert Framer(len(FIRST) - 1).feed(FIRST) == []


PIECES = st.sampled_from([FIRST, SECOND, BROKEN, b"\r\n", b"\n", b"\r", b"l: 1\r\n", b"x", b"x" * 70])


@settings(max_examples=200)
@given(st.lists(PIECES, max_size=8).map(b"".join), st.data())
def test_any_split_gives_the_same(stream: bytes, data: st.DataObject) -> None:
    whole = Framer(120, 100)
    expected = whole.feed(stream)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    if data.draw(st.booleans()):
        cuts = list(range(len(stream)))
    pieces = Framer(120, 100)
    got: list[bytes] = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        if pieces.error is None:
            got += pieces.feed(stream[start:end])
    assert got == expected
    assert (pieces.broken_head, pieces.pings, pieces.waiting) == (
        whole.broken_head,
        whole.pings,
        whole.waiting,
    )
    assert str(pieces.error) == str(whole.error)


@pytest.mark.parametrize("unit", [b"\r\n", b"a", b"\r", b" \n", b"a:b\r\n", b"l:\r\n ", FIRST])
@pytest.mark.parametrize("size", [1, 7, 65536])
def test_time_is_linear_for_any_split(unit: bytes, size: int) -> None:
    def cost(stream: bytes) -> float:
        best = 1.0
        for _ in range(3):
            framer = Framer(1 << 20, 1 << 20)
            before = time.process_time()
            for start in range(0, len(stream), size):
                framer.feed(stream[start : start + size])
            best = min(best, time.process_time() - before)
        return best

    stream = b"A sip:a@b SIP/2.0\r\n" * (unit != b"\r\n") + unit * (65536 // len(unit))
    assert any(cost(stream) < 2.5 * cost(stream[:32768]) + 0.002 for _ in range(3))
