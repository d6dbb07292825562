"""Steady rates, against openpy itself: a stand-in would know nothing of who watches whom."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import bench.steady
from bench.generator import Generator
from bench.scenarios import Conditions, Stand
from bench.server import Server
from bench.steady import AUDIENCE, STEADY


@pytest.fixture
def stand(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stand]:
    for name, value in (("PUBLISHERS", 300), ("WATCHED", 60), ("CROWD", 60)):
        monkeypatch.setattr(bench.steady, name, value)
    with Server() as server, Generator(server.address) as generator:
        yield Stand(generator, server.meter, Conditions(window=4, seconds=0.3))


def test_latency_is_measured_at_half_of_the_capacity(stand: Stand) -> None:
    published, told = STEADY["latency"](stand)
    assert (published.errors, told.errors) == (0, 0)
    assert published.operations > 5
    assert told.operations > 5
    assert 0 < published.p50_ms <= published.p99_ms
    assert 0 < told.p50_ms <= told.p99_ms
    assert stand.generator.notifies >= AUDIENCE * told.operations


def test_mixed_makes_so_many_changes_a_second(stand: Stand) -> None:
    (row,) = STEADY["mixed"](stand)
    assert row.errors == 0
    assert row.operations == pytest.approx(30, abs=2)
    assert stand.generator.notifies >= 60 + row.operations
