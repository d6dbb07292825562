from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openpy.engine import budgets
from openpy.engine.budgets import SPAN, Rates, SourceBudget
from openpy.engine.module import Count
from openpy.transaction.flow import Flow
from tests.engine.kit import KeptFlow


def test_a_pause_is_made_good_and_a_flood_is_cut_to_the_rate() -> None:
    rates = Rates(10)
    first = sum(rates.allows("a", 1000.0) for _ in range(500))
    assert first == 10 * SPAN
    later = sum(rates.allows("a", 1000.0 + tick / 1000) for tick in range(5000))
    assert later == pytest.approx(50, abs=1)
    assert sum(rates.allows("a", 2000.0) for _ in range(500)) == 10 * SPAN


def test_no_rate_is_no_limit() -> None:
    rates = Rates(0)
    assert all(rates.allows("a", 0.0) for _ in range(1000))


def test_each_key_has_its_own_unless_two_share_a_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    rates = Rates(1)
    for _ in range(20):
        rates.allows("a", 0.0)
    assert not rates.allows("a", 0.0)
    others = sum(rates.allows(f"b{number}", 0.0) for number in range(50))
    assert others >= 49
    monkeypatch.setattr(budgets, "CELLS", 1)
    shared = Rates(1)
    for _ in range(20):
        shared.allows("a", 0.0)
    assert not shared.allows("b", 0.0)


@given(st.integers(1, 1000), st.lists(st.floats(0, 2), max_size=200))
def test_never_more_than_the_rate(rate: int, pauses: list[float]) -> None:
    rates, now, allowed = Rates(rate), 0.0, 0
    for pause in pauses:
        now += pause
        allowed += rates.allows("a", now)
    assert allowed <= rate * (SPAN + now) + 1


def test_a_source_is_cut_to_its_rate_but_may_answer() -> None:
    heard: list[bytes] = []

    def receive(data: bytes, flow: Flow) -> None:
        heard.append(data)

    dropped = Count()
    source = SourceBudget(receive, lambda: 100.0, dropped, rate=1)
    for _ in range(30):
        source.receive(b"OPTIONS", KeptFlow([], host="192.0.2.1"))
    source.receive(b"SIP/2.0 200 OK", KeptFlow([], host="192.0.2.1"))
    assert (len(heard), dropped.value) == (11, 20)
