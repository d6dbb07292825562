from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openpy.modules.mi_fifo.requests import PATIENCE, FifoRequest, Limits, RequestReader

LONGEST_LINE, LONGEST_PARAMETERS = Limits()

REFRESH = b":refreshWatchers:fifo_reply\nsip:11@192.168.2.132\npresence\n1\n\n"
WHICH = b":which:answer\n\n"


def reader() -> RequestReader:
    """`which` takes no input, nor does a command that does not exist."""
    return RequestReader(lambda command: command in ("refreshWatchers", "get_statistics"))


def read(*pieces: bytes) -> list[FifoRequest]:
    made = reader()
    return [request for piece in pieces for request in made.feed(piece, 0.0)]


def told(requests: Sequence[FifoRequest]) -> list[tuple[str, str, list[str | None], bool]]:
    return [(r.command, r.place, [node.value for node in r.nodes], r.readable) for r in requests]


AS_READ = ("refreshWatchers", "fifo_reply", ["sip:11@192.168.2.132", "presence", "1"], True)


def test_the_block_of_the_presence_documentation() -> None:
    assert told(read(REFRESH)) == [AS_READ]


def test_several_requests_in_one_write() -> None:
    assert told(read(REFRESH + WHICH + b"\n" + REFRESH)) == [AS_READ, ("which", "answer", [], True), AS_READ]


@given(st.lists(st.integers(0, len(REFRESH + WHICH) * 2), max_size=6))
def test_however_the_bytes_are_cut(cuts: list[int]) -> None:
    data = (REFRESH + WHICH) * 2
    places = [0, *sorted(cuts), len(data)]
    pieces = [data[start:end] for start, end in pairwise(places)]
    assert told(read(*pieces)) == told(read(data))


def test_what_is_written_line_by_line_is_one_request() -> None:
    made = reader()
    assert [made.feed(line, 3.0 * n) for n, line in enumerate(REFRESH.splitlines(keepends=True))][:-1] == [
        []
    ] * 4


def test_an_empty_line_within_quotes_ends_nothing() -> None:
    (request,) = read(b':refreshWatchers:r\n"a\n\nb"\nevent:: "x"\n\n')
    assert [(node.name, node.value) for node in request.nodes] == [("", "a\n\nb"), ("event", "x")]


def test_lines_of_a_command_without_input_are_passed_over() -> None:
    assert told(read(b':which:r\n"x\n' + b"y" * 3000 + b"\n\n" + WHICH)) == [
        ("which", "r", [], True),
        ("which", "answer", [], True),
    ]


def test_only_a_line_end_alone_ends_a_request() -> None:
    assert told(read(b":get_statistics:r\nall\n \t\n\r\nsl:\n\n")) == [
        ("get_statistics", "r", ["all", "sl:"], True)
    ]


@pytest.mark.parametrize(
    "bad",
    [
        b"which:r\n\n",
        b":a\n\n",
        b"::r\n\n",
        b"hello\nworld\n\n",
        b":" + b"a" * LONGEST_LINE + b":r\n\n",
        b":" + b"a" * 5 * LONGEST_LINE + b":r\nmore\n\n",
        b"\x00\xff\xfe\n" + b"z" * 3 * LONGEST_LINE + b"\n\n",
    ],
)
def test_what_is_no_request_is_skipped_and_counted_and_the_next_is_read(bad: bytes) -> None:
    for size in (1, 7, 100_000):
        made = reader()
        data = bad + WHICH
        found = [r for at in range(0, len(data), size) for r in made.feed(data[at : at + size], 0.0)]
        assert told(found) == [("which", "answer", [], True)]
        assert made.skipped == 1


@pytest.mark.parametrize(
    "bad",
    [
        b'a"b\n',
        b'"a" b\n',
        b"x" * LONGEST_PARAMETERS + b"\n",
        b'"' + b"x\n" * LONGEST_PARAMETERS,
        b'"' + b"x" * 3 * LONGEST_PARAMETERS + b"\n",
        b"many\n" * LONGEST_PARAMETERS,
    ],
)
def test_parameters_that_cannot_be_read_are_told(bad: bytes) -> None:
    for size in (50, 100_000):
        made = reader()
        data = b":refreshWatchers:r\n" + bad + b"rest\n\n" + WHICH
        found = [r for at in range(0, len(data), size) for r in made.feed(data[at : at + size], 0.0)]
        assert [(r.command, r.place, r.readable) for r in found] == [
            ("refreshWatchers", "r", False),
            ("which", "answer", True),
        ]
        assert made.skipped == 0


@pytest.mark.parametrize("begun", [b":refresh", b":refreshWatchers:r\nsip:a@b\n", b":which:r\n", b"x\ny\n"])
def test_a_request_that_stays_unfinished_is_forgotten(begun: bytes) -> None:
    made = reader()
    assert made.feed(begun, 100.0) == []
    assert told(made.feed(WHICH, 101.0 + PATIENCE)) == [("which", "answer", [], True)]
    assert made.skipped == 1


def test_a_pause_between_requests_harms_nothing() -> None:
    made = reader()
    assert made.feed(WHICH, 0.0)
    assert made.feed(WHICH, 1000.0)
    assert made.skipped == 0


@given(st.lists(st.binary(max_size=200), max_size=5))
def test_no_bytes_stop_the_reading(pieces: list[bytes]) -> None:
    made = reader()
    for piece in pieces:
        made.feed(piece, 0.0)
    assert told(made.feed(WHICH, 1000.0)) == [("which", "answer", [], True)]


def test_limits_may_be_others() -> None:
    tight = RequestReader(lambda command: True, Limits(line=20, parameters=10))
    assert told(tight.feed(b":command:answer\n1234567\n\n", 0.0)) == [
        ("command", "answer", ["1234567"], True)
    ]
    assert told(tight.feed(b":command:answer\n12345678901\n\n", 0.0)) == [("command", "answer", [], False)]
    assert tight.feed(b":command:answer_far_away\n\n", 0.0) == []
    assert tight.skipped == 1
