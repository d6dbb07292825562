from __future__ import annotations

import pytest

from openpy.engine import merged as merged_module
from openpy.engine.merged import MergedRequests
from openpy.sip.message import Request, parse_message
from openpy.transaction.wheel import Wheel
from tests.engine.kit import request

KEPT = 32.0


def given(branch: str = "z9hG4bK1", cseq: int = 1, call_id: str = "c") -> Request:
    found = parse_message(request("PUBLISH", branch=branch, cseq=cseq, call_id=call_id))
    assert isinstance(found, Request)
    return found


def test_a_copy_by_another_way_is_merged() -> None:
    merged = MergedRequests(Wheel(0), KEPT)
    assert not merged.holds(given())
    assert not merged.holds(given())  # the same once more, as where a script serves it twice
    assert merged.holds(given("z9hG4bK2"))
    assert not merged.holds(given("z9hG4bK2", cseq=2))
    assert not merged.holds(given("z9hG4bK2", call_id="d"))


def test_it_is_forgotten_in_time() -> None:
    wheel = Wheel(0)
    merged = MergedRequests(wheel, KEPT)
    merged.holds(given())
    wheel.advance(KEPT + 1)
    assert merged.holds(given("z9hG4bK2"))
    wheel.advance(2 * KEPT + 1)
    assert not merged.holds(given("z9hG4bK2"))


def test_in_the_end_no_timer_runs() -> None:
    wheel = Wheel(0)
    merged = MergedRequests(wheel, KEPT)
    merged.holds(given())
    for turn in range(1, 5):
        wheel.advance(turn * KEPT + 1)
    assert wheel.next_due() is None
    merged.holds(given())
    assert wheel.next_due() is not None


def test_of_too_many_the_oldest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merged_module, "MOST", 2)
    merged = MergedRequests(Wheel(0), KEPT)
    for number in range(5):
        merged.holds(given(call_id=f"c{number}"))
    newest_first = (4, 3, 2, 1, 0)
    known = [number for number in newest_first if merged.holds(given("z9hG4bK2", call_id=f"c{number}"))]
    assert known == [4, 3, 2]


def test_in_a_dialog_nothing_is_merged() -> None:
    merged = MergedRequests(Wheel(0), KEPT)
    for branch in ("z9hG4bK1", "z9hG4bK2"):
        found = parse_message(request("SUBSCRIBE", branch=branch, to_tag="t"))
        assert isinstance(found, Request)
        assert not merged.holds(found)
