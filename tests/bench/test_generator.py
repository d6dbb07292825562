from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

import bench.generator
from bench.generator import Generator, Step
from bench.messages import Sender, ok, options

StandIn = Callable[[Callable[[bytes], list[bytes]]], tuple[str, int]]


def _steps(generator: Generator, count: int, finals: list[bytes]) -> Iterator[Step]:
    sender = Sender(*generator.address, "t")
    for number in range(count):
        branch = sender.branch()
        yield Step(branch, options(sender, branch, number), finals.append)


def test_all_steps_are_played_and_answered(stand_in: StandIn) -> None:
    finals: list[bytes] = []
    trying = b"SIP/2.0 100 Trying\r\n\r\n"
    with Generator(stand_in(lambda request: [trying, ok(request), ok(request)])) as generator:
        tally = generator.play(_steps(generator, 300, finals), 8, 30)
    assert (tally.succeeded, tally.errors, tally.retransmissions) == (300, 0, 0)
    assert len(finals) == len(tally.latencies) == 300
    assert 0 < max(tally.latencies) <= tally.elapsed


def test_a_refusal_is_an_error(stand_in: StandIn) -> None:
    with Generator(stand_in(lambda request: [ok(request).replace(b"200 OK", b"503 Full")])) as generator:
        tally = generator.play(_steps(generator, 3, []), 8, 30)
    assert tally.refused == {"503": 3}
    assert (tally.succeeded, tally.errors) == (0, 3)


def test_what_is_not_answered_is_sent_again_and_then_lost(
    stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench.generator, "T1", 0.005)
    received: list[bytes] = []

    def rule(request: bytes) -> list[bytes]:
        received.append(request)
        return [ok(request)] if b"options-0-" in request and received.count(request) > 1 else []

    with Generator(stand_in(rule)) as generator:
        tally = generator.play(_steps(generator, 2, []), 2, 30)
    assert (tally.succeeded, tally.lost) == (1, 1)
    assert sum(b"options-1-" in request for request in received) == 5
    assert tally.retransmissions == len(received) - 2


def test_time_ends_an_endless_phase(stand_in: StandIn) -> None:
    with Generator(stand_in(lambda request: [ok(request)])) as generator:
        tally = generator.play(_steps(generator, 1 << 40, []), 4, 0.05)
    assert tally.succeeded > 0
    assert tally.errors == 0


def test_a_notify_is_answered_each_time_and_counted_once(stand_in: StandIn) -> None:
    answers: list[bytes] = []
    notify = (
        b"NOTIFY sip:w@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKn%d\r\n"
        b"CSeq: 1 NOTIFY\r\nContent-Length: 0\r\n\r\n"
    )

    def rule(message: bytes) -> list[bytes]:
        if message.startswith(b"SIP/2.0"):
            answers.append(message)
            return []
        return [ok(message), notify % 1, notify % 1, notify % 2]

    with Generator(stand_in(rule)) as generator:
        generator.play(_steps(generator, 1, []), 1, 30)
        assert generator.await_notifies(2, 10) == 0
        assert generator.await_notifies(3, 0.02) == 1
    assert len(answers) == 3


def test_a_steady_rate_is_kept_and_what_comes_late_counts_from_when_it_was_due(stand_in: StandIn) -> None:
    """The server stands still once, for 0.2 s: ten requests were due meanwhile."""
    times: list[float] = []

    def rule(request: bytes) -> list[bytes]:
        times.append(time.monotonic())
        if len(times) == 5:
            time.sleep(0.2)
        return [ok(request)]

    with Generator(stand_in(rule)) as generator:
        tally = generator.pace(_steps(generator, 1 << 40, []), 50, 1.0)
    assert (tally.succeeded, tally.errors) == (50, 0)
    assert times[-1] - times[0] > 0.9
    assert sum(latency > 0.01 for latency in tally.latencies) >= 9
    assert max(tally.latencies) > 0.19


def test_a_notify_is_told_once(stand_in: StandIn) -> None:
    notify = (
        b"NOTIFY sip:w@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKn\r\n"
        b"CSeq: 1 NOTIFY\r\nContent-Length: 0\r\n\r\n"
    )
    heard: list[bytes] = []
    with Generator(
        stand_in(lambda message: [] if message.startswith(b"SIP") else [notify, notify])
    ) as generator:
        generator.on_notify = heard.append
        generator.pace(_steps(generator, 1, []), 100, 0.01)
    assert heard == [notify]
