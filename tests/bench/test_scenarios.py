from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import count

import pytest

import bench.scenarios
from bench.generator import Generator
from bench.messages import header, ok
from bench.meter import Meter
from bench.scenarios import SCENARIOS, Conditions, Stand

Rule = Callable[[bytes], list[bytes]]
StandIn = Callable[[Rule], tuple[str, int]]

CONDITIONS = Conditions(window=4, seconds=0.05, users=6, audiences=(3,))


class Agent:
    """Just enough of a presence agent: it checks entity-tags and dialogs, and tells every watcher."""

    def __init__(self, *, mute: bool = False) -> None:
        self.mute = mute
        self.numbers = count()
        self.tags: dict[bytes, bytes] = {}
        self.watchers: dict[bytes, list[bytes]] = {}

    def __call__(self, request: bytes) -> list[bytes]:
        if request.startswith(b"SIP/2.0"):
            return []
        method, uri = request.split(b" ", 2)[:2]
        answer = ok(request)
        if method == b"PUBLISH":
            if header(request, b"SIP-If-Match") != self.tags.get(uri, b""):
                return [answer.replace(b"200 OK", b"412 Conditional Request Failed")]
            tag = self.tags[uri] = b"tag%d" % next(self.numbers)
            changed = not request.endswith(b"\r\n\r\n")
            told = self.watchers.get(uri, []) if changed else []
            return [_with(answer, b"SIP-ETag: " + tag), *map(self._notify, told)]
        if method == b"SUBSCRIBE":
            to = header(request, b"To")
            uri = to[1 : to.index(b">")]
            if b";tag=" not in to:
                self.watchers.setdefault(uri, []).append(b"")
                answer = answer.replace(to, to + b";tag=server")
            return [
                _with(answer, b"Contact: <sip:agent@127.0.0.1>"),
                *([] if self.mute else [self._notify(b"")]),
            ]
        return [answer]

    def _notify(self, _: bytes) -> bytes:
        branch = b"z9hG4bKn%d" % next(self.numbers)
        return b"NOTIFY sip:w@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=" + branch + b"\r\n\r\n"


def _with(answer: bytes, line: bytes) -> bytes:
    return answer.replace(b"Content-Length", line + b"\r\nContent-Length")


@pytest.fixture
def stand(stand_in: StandIn) -> Iterator[Callable[[Rule], Stand]]:
    generators: list[Generator] = []

    def make(rule: Rule) -> Stand:
        generator = Generator(stand_in(rule))
        generators.append(generator)
        return Stand(generator, Meter(os.getpid()), CONDITIONS)

    yield make
    for generator in generators:
        generator.__exit__()


def test_options(stand: Callable[[Rule], Stand]) -> None:
    (row,) = SCENARIOS["options"](stand(Agent()))
    assert row.scenario == "options"
    assert row.operations > 0
    assert row.errors == 0


def test_presence_goes_through_the_life_of_a_publication_and_a_subscription(
    stand: Callable[[Rule], Stand],
) -> None:
    rows = list(SCENARIOS["presence"](stand(Agent())))
    names = ["publish-initial", "publish-refresh", "publish-modify", "subscribe", "resubscribe"]
    assert [row.scenario for row in rows] == names
    assert [row.operations for row in rows] == [6] * 5
    assert not any(row.errors for row in rows)


def test_register_saves_and_refreshes(stand: Callable[[Rule], Stand]) -> None:
    rows = list(SCENARIOS["register"](stand(Agent())))
    assert [(row.scenario, row.operations, row.errors) for row in rows] == [
        ("register-save", 6, 0),
        ("register-refresh", 6, 0),
    ]


class Proxy:
    """Passes on what comes, with itself in the Via and as a route; there is one address at both ends."""

    def __init__(self) -> None:
        self.seen: list[bytes] = []

    def __call__(self, message: bytes) -> list[bytes]:
        start = message.split(b"\r\n", 1)[0]
        self.seen.append(start.split()[1] if start.startswith(b"SIP/2.0") else start.split()[0])
        ours = b"Via: SIP/2.0/UDP proxy;branch=z9hG4bK0\r\nRecord-Route: <sip:proxy;lr>\r\n"
        if start.startswith(b"SIP/2.0"):
            return [message.replace(ours.split(b"\r\n", 1)[0] + b"\r\n", b"")]
        return [message.replace(b"\r\nVia:", b"\r\n" + ours + b"Via:", 1)]


def test_a_call_is_relayed_acknowledged_and_hung_up(stand: Callable[[Rule], Stand]) -> None:
    proxy = Proxy()
    (row,) = SCENARIOS["invite"](stand(proxy))
    assert (row.scenario, row.operation, row.errors) == ("invite-relay", "call", 0)
    kinds = Counter(proxy.seen)
    assert row.operations == kinds[b"INVITE"] == kinds[b"ACK"] == kinds[b"BYE"] == kinds[b"180"] > 0
    assert kinds[b"200"] == 2 * row.operations


def test_a_call_that_is_refused_is_an_error(stand: Callable[[Rule], Stand]) -> None:
    (row,) = SCENARIOS["invite"](stand(lambda request: [ok(request).replace(b"200 OK", b"486 Busy Here")]))
    assert row.operations == 0
    assert row.refused["486"] == row.errors > 0


def test_fanout_counts_notifies(stand: Callable[[Rule], Stand]) -> None:
    (row,) = SCENARIOS["fanout"](stand(Agent()))
    assert row.operations >= 3
    assert row.operations % 3 == 0
    assert row.errors == 0
    assert row.p50_ms > 0


def test_notifies_that_do_not_come_are_errors(
    stand: Callable[[Rule], Stand], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench.scenarios, "NOTIFY_PATIENCE", 0.02)
    rows = {row.scenario: row for row in SCENARIOS["presence"](stand(Agent(mute=True)))}
    assert rows["subscribe"].errors == 6
    (row,) = SCENARIOS["fanout"](stand(Agent(mute=True)))
    assert row.errors > 0
